/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/text.h"
#include "sandbox/cgroup.h"

#define TABLE_SIZE_MAX    (4 * MIB)
#define MEMBERS_SIZE_MAX  (16 * MIB)
#define WAIT_MILLISECONDS 50
#define WAIT_ROUNDS_MAX   600 /* of a killed process, that something holds it back for so long */
#define UNIFIED_HIERARCHY "0::"
#define MOUNT_FIELD_ROOT  3 /* proc_pid_mountinfo(5), counted from 0 */
#define MOUNT_FIELD_PLACE 4

/* Cuts the next line off; NULL at the end. */
static char *next_line(char **text) {
        char *line = *text, *end;

        if (!line || *line == '\0')
                return NULL;
        end = strchr(line, '\n');
        *text = end ? end + 1 : NULL;
        if (end)
                *end = '\0';
        return line;
}

/* In place: "\040" is a blank. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++) {
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
                    from[3] >= '0' && from[3] <= '7') {
                        *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = '\0';
}

/* Whether the word is one of those that are separated so. */
static bool has_word(const char *words, char separator, const char *word) {
        const size_t length = strlen(word);
        const char *at = words;

        while (strncmp(at, word, length) != 0 || (at[length] != separator && at[length] != '\0')) {
                at = strchr(at, separator);
                if (!at)
                        return false;
                at++;
        }
        return true;
}

/* Whether what follows " - " is of version 2 (controller NULL), or of version 1 with that controller: TYPE SOURCE OPTIONS. */
static bool is_hierarchy(const char *type, const char *controller) {
        if (!controller)
                return text_after_prefix(type, " - cgroup2 ");
        const char *const source = text_after_prefix(type, " - cgroup "), *const options =
                                                                                  source ? strchr(source, ' ')
                                                                                         : NULL;

        return options && has_word(options + 1, ',', controller);
}

/* What is mounted of the hierarchy (a path in it), and where. */
static bool parse_mount(char *line, const char *controller, char **ret_root, char **ret_place) {
        char *type = strstr(line, " - "), *field = line;

        if (!type || !is_hierarchy(type, controller))
                return false;
        *type = '\0';
        for (unsigned i = 0; field && i <= MOUNT_FIELD_PLACE; i++) {
                char *end = strchr(field, ' ');

                if (end)
                        *end++ = '\0';
                if (i == MOUNT_FIELD_ROOT)
                        *ret_root = field;
                if (i == MOUNT_FIELD_PLACE) {
                        *ret_place = field;
                        unescape(*ret_root);
                        unescape(*ret_place);
                        return true;
                }
                field = end;
        }
        return false;
}

/* The own path in the hierarchy, out of a line NUMBER:CONTROLLERS:PATH; version 2 has the number 0 and no controllers. */
static const char *own_path(const char *line, const char *controller) {
        _cleanup_(freep) char *controllers = NULL;
        const char *const begin = strchr(line, ':'), *const end = begin ? strchr(begin + 1, ':') : NULL;

        if (!controller)
                return text_after_prefix(line, UNIFIED_HIERARCHY);
        if (!end)
                return NULL;
        controllers = strndup(begin + 1, (size_t)(end - begin - 1));
        return controllers && has_word(controllers, ',', controller) ? end + 1 : NULL;
}

int cgroup_find(const char *cgroups, const char *mounts, char **ret) {
        return cgroup_find_of_controller(cgroups, mounts, NULL, ret);
}

int cgroup_find_of_controller(const char *cgroups, const char *mounts, const char *controller, char **ret) {
        _cleanup_(freep) char *cgroup_lines = NULL, *mount_lines = NULL;
        const char *own = NULL;
        char *line, *rest;

        int r = text_copy(cgroups, &cgroup_lines);
        if (r >= 0)
                r = text_copy(mounts, &mount_lines);
        if (r < 0)
                return r;
        rest = cgroup_lines;
        while (!own && (line = next_line(&rest)))
                own = own_path(line, controller);
        if (!own)
                return -EOPNOTSUPP;

        rest = mount_lines;
        while ((line = next_line(&rest))) {
                char *root = NULL, *place = NULL;
                const char *below;

                if (!parse_mount(line, controller, &root, &place))
                        continue;
                /* In a container, only a part of the hierarchy may be mounted. */
                below = text_equal(root, "/") ? own : text_after_prefix(own, root);
                if (!below || (*below != '\0' && *below != '/'))
                        continue;
                return text_format(ret, "%s%s", place, text_equal(below, "/") ? "" : below);
        }
        return -EOPNOTSUPP;
}

int cgroup_own_of_controller(const char *controller, char **ret) {
        _cleanup_(freep) char *cgroups = NULL, *mounts = NULL;

        int r = file_read(AT_FDCWD, "/proc/self/cgroup", TABLE_SIZE_MAX, &cgroups, NULL);
        if (r >= 0)
                r = file_read(AT_FDCWD, "/proc/self/mountinfo", TABLE_SIZE_MAX, &mounts, NULL);
        return r < 0 ? r : cgroup_find_of_controller(cgroups, mounts, controller, ret);
}

int cgroup_own(char **ret, Reason *reason) {
        const int r = cgroup_own_of_controller(NULL, ret);

        if (r == -EOPNOTSUPP)
                return reason_set(
                        reason, r,
                        "The cgroup file system (version 2) is not mounted, where we can be found in it");
        return r;
}

/* 1 when nobody is in the cgroup or below. */
static int is_empty(const char *path) {
        _cleanup_(freep) char *events = NULL, *text = NULL;

        int r = path_join(path, "cgroup.events", &events);
        if (r >= 0)
                r = file_read(AT_FDCWD, events, MEMBERS_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        return strstr(text, "populated 0") != NULL;
}

int cgroup_make(const char *parent, const char *name, char **ret, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        int r = path_join(parent, name, &path);
        if (r < 0)
                return r;
        if (mkdir(path, 0755) < 0) {
                if (errno != EEXIST)
                        return reason_set(reason, -errno, "Cannot make the cgroup %s: %m", path);
                r = is_empty(path);
                if (r == 0)
                        return reason_set(reason, -EBUSY, "Somebody is in the cgroup %s already", path);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(path);
        return 0;
}

/* Before Linux 5.14 there is no file that kills all: then one after the other. */
static int kill_members(const char *path) {
        _cleanup_(freep) char *file = NULL, *text = NULL;
        char *line, *rest;

        int r = path_join(path, "cgroup.procs", &file);
        if (r >= 0)
                r = file_read(AT_FDCWD, file, MEMBERS_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        rest = text;
        while ((line = next_line(&rest))) {
                uint64_t pid;

                if (parse_uint64(line, &pid) == 0 && pid > 0 && pid <= INT32_MAX)
                        (void)kill((pid_t)pid, SIGKILL);
        }
        return 0;
}

static int kill_all(const char *path) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *file = NULL;

        const int r = path_join(path, "cgroup.kill", &file);
        if (r < 0)
                return r;
        fd = open(file, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? kill_members(path) : -errno;
        return write(fd, "1", 1) < 0 ? -errno : 0;
}

/* Those below first. */
static int remove_directories(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        const struct dirent *entry;
        int r = 0;

        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && (entry = readdir(directory))) {
                _cleanup_(freep) char *child = NULL;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                r = path_join(path, entry->d_name, &child);
                if (r >= 0)
                        r = kill_all(child);
                if (r >= 0)
                        r = remove_directories(child);
        }
        if (r < 0)
                return r;
        return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(const char *path) {
        int r = kill_all(path);

        if (r == -ENOENT)
                return 0;
        /* Who is killed is gone a little later. */
        for (unsigned round = 0; r >= 0 && round < WAIT_ROUNDS_MAX; round++) {
                r = remove_directories(path);
                if (r != -EBUSY)
                        return r;
                (void)poll(NULL, 0, WAIT_MILLISECONDS);
                r = kill_all(path);
        }
        return r < 0 ? r : -EBUSY;
}
