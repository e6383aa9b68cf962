/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>
#include <iniparser/iniparser.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/os-release.h"
#include "base/path.h"
#include "base/text.h"

#define OS_RELEASE_SIZE_MAX ((off_t)(64 * KIB))

static const char *const os_release_paths[] = { "etc/os-release", "usr/lib/os-release" };

static inline void dictionary_freep(dictionary **values) {
        if (*values)
                iniparser_freedict(*values);
}

static int keep_silent(const char *format, ...) {
        return 0;
}

/* libiniparser takes nothing but names, so the descriptor gets one. */
static int values_load(int fd, dictionary **ret) {
        char name[sizeof("/proc/self/fd/") + 11];
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        if (status.st_size > OS_RELEASE_SIZE_MAX)
                return -EFBIG;

        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        iniparser_set_error_callback(keep_silent);
        dictionary *values = iniparser_load(name);
        iniparser_set_error_callback(NULL);
        if (!values)
                return -EBADMSG;

        *ret = values;
        return 0;
}

/* The values of the first of the files that is there, and which one it is. */
static int file_load(const char *root, dictionary **ret, const char **ret_path) {
        _cleanup_(fd_closep) int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        size_t i = 0;

        if (root_fd < 0)
                return -errno;

        for (fd = -ENOENT; fd == -ENOENT && i < ELEMENTSOF(os_release_paths); i++)
                fd = path_open_below(root_fd, os_release_paths[i], O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        if (fd < 0)
                return fd;

        const int r = values_load(fd, ret);
        if (r >= 0)
                *ret_path = os_release_paths[i - 1];
        return r;
}

int os_release_field(const char *root, const char *name, char **ret) {
        _cleanup_(dictionary_freep) dictionary *values = NULL;
        _cleanup_(freep) char *key = NULL;
        const char *path;

        int r = file_load(root, &values, &path);
        if (r >= 0)
                r = text_format(&key, ":%s", name);
        if (r < 0)
                return r;
        for (char *at = key; *at; at++)
                *at = (char)tolower((unsigned char)*at);
        const char *const value = iniparser_getstring(values, key, NULL);
        return value ? text_copy(value, ret) : -ENODATA;
}

int os_release_load(const char *root, OsRelease *ret) {
        _cleanup_(dictionary_freep) dictionary *values = NULL;
        _cleanup_(os_release_done) OsRelease found = {};
        const char *path;

        int r = file_load(root, &values, &path);
        if (r < 0)
                return r;

        /* Keys are in lower case, and those outside of any section begin with a colon. */
        const struct {
                const char *key, *missing;
                char **member;
        } fields[] = {
                { ":id", "linux", &found.id },
                { ":id_like", NULL, &found.id_like },
                { ":version_id", NULL, &found.version_id },
                { ":version_codename", NULL, &found.version_codename },
                { ":pretty_name", NULL, &found.pretty_name },
        };
        for (size_t j = 0; j < ELEMENTSOF(fields); j++) {
                r = text_copy(iniparser_getstring(values, fields[j].key, fields[j].missing),
                              fields[j].member);
                if (r < 0)
                        return r;
        }
        r = text_copy(path, &found.path);
        if (r < 0)
                return r;

        *ret = found;
        found = (OsRelease){};
        return 0;
}

void os_release_done(OsRelease *os_release) {
        free(os_release->path);
        free(os_release->id);
        free(os_release->id_like);
        free(os_release->version_id);
        free(os_release->version_codename);
        free(os_release->pretty_name);
        *os_release = (OsRelease){};
}
