/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "manager/service-cgroup.h"
#include "sandbox/cgroup.h"
#include "unit/unit-name.h"

#define FILE_SIZE_MAX   (16 * MIB)
#define DEPTH_MAX       64 /* of groups in groups: a service may make its own */
#define MAKE_TRIES_MAX  16 /* as often as others may remove what is empty */
#define KILL_ROUNDS_MAX 16 /* as long as somebody forks faster than signals are sent */
#define ROOT_SLICE      "mkosi.slice"
#define MANAGER_GROUP   "manager" /* DelegateSubgroup= of mkosi-manager.service */

/* Where the hierarchy of version 2 usually is. */
static const char *const hierarchies[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

static const char *hierarchy_find(void) {
        for (size_t i = 0; i < ELEMENTSOF(hierarchies); i++) {
                struct statfs status;

                if (statfs(hierarchies[i], &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
                        return hierarchies[i];
        }
        return NULL;
}

/* Whether another manager has said that all below is ours. */
static bool is_delegated(const char *cgroup) {
        static const char *const attributes[] = { "trusted.delegate", "user.delegate" };

        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                char value;

                if (getxattr(cgroup, attributes[i], &value, sizeof(value)) == sizeof(value) && value == '1')
                        return true;
        }
        return false;
}

/* What was delegated: the own group, or the one above if only the manager is in the own one, which leaves the other without
 * processes of its own: controllers are for groups of such a one alone. NULL: nothing. */
static int find_delegated(const char *own, char **ret) {
        _cleanup_(freep) char *parent = NULL;

        if (is_delegated(own))
                return text_copy(own, ret);
        if (!text_equal(path_base_name(own), MANAGER_GROUP))
                return 0;
        const int r = path_parent(own, &parent);
        if (r >= 0 && is_delegated(parent))
                *ret = TAKE_PTR(parent);
        return r;
}

static int base_choose(const char *wanted, char **ret, Reason *reason) {
        const char *const hierarchy = hierarchy_find();
        _cleanup_(freep) char *own = NULL, *delegated = NULL;

        if (!wanted) {
                int r = cgroup_own(&own, reason);
                if (r >= 0)
                        r = find_delegated(own, &delegated);
                if (r < 0)
                        return r;
                if (getpid() == 1 || delegated || !hierarchy) {
                        *ret = delegated ? TAKE_PTR(delegated) : TAKE_PTR(own);
                        return 0;
                }
        }
        if (!hierarchy)
                return reason_set(reason, -EOPNOTSUPP,
                                  "The cgroup file system (version 2) is neither at %s nor at %s",
                                  hierarchies[0], hierarchies[1]);
        return path_join(hierarchy, wanted ?: ROOT_SLICE, ret);
}

int service_cgroup_base(const char *wanted, char **ret, Reason *reason) {
        _cleanup_(freep) char *chosen = NULL, *base = NULL;

        int r = base_choose(wanted, &chosen, reason);
        if (r >= 0)
                r = path_absolute(chosen, &base);
        if (r < 0)
                return r;
        r = path_make_directories(AT_FDCWD, base, 0755);
        if (r < 0)
                return reason_set(reason, r, "Cannot make the cgroup %s: %m", base);
        *ret = TAKE_PTR(base);
        return 0;
}

int service_cgroup_base_path(const char *base, char **ret) {
        const char *const hierarchy = hierarchy_find();
        const char *const path = hierarchy ? path_seen_from(base, hierarchy) : NULL;

        return text_copy(path ?: path_base_name(base), ret);
}

/* Services are in "system.slice", instances in a slice of their template's there. */
static int default_slice(const char *unit, char **ret) {
        _cleanup_(freep) char *prefix = NULL, *escaped = NULL;

        if (!(unit_name_kind(unit) & UNIT_NAME_INSTANCE))
                return text_copy("system.slice", ret);
        int r = unit_name_prefix(unit, &prefix);
        if (r >= 0)
                r = unit_name_escape(prefix, &escaped);
        return r < 0 ? r : text_format(ret, "system-%s.slice", escaped);
}

int service_cgroup_slice(const char *unit, const char *slice, char **ret) {
        if (unit_name_type(unit) == UNIT_SLICE) {
                _cleanup_(freep) char *parent = NULL;

                const int r = unit_slice_parent(unit, &parent);
                if (r >= 0)
                        *ret = TAKE_PTR(parent);
                return r;
        }
        return slice ? text_copy(slice, ret) : default_slice(unit, ret);
}

int service_cgroup_path(const char *unit, const char *slice, char **ret) {
        _cleanup_(freep) char *name = NULL, *path = NULL;

        if (unit_name_type(unit) == UNIT_SLICE)
                return unit_slice_path(unit, ret);
        int r = service_cgroup_slice(unit, slice, &name);
        if (r >= 0)
                r = unit_slice_path(name, &path);
        if (r < 0)
                return r;
        return path[0] == '\0' ? text_copy(unit, ret) : path_join(path, unit, ret);
}

int service_cgroup_open(const char *base, const char *path) {
        _cleanup_(freep) char *full = NULL;

        int r = path_join(base, path, &full);
        if (r < 0)
                return r;
        const int fd = open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int make_and_open(const char *base, const char *path) {
        _cleanup_(freep) char *full = NULL;

        int r = path_join(base, path, &full);
        if (r >= 0)
                r = path_make_directories(AT_FDCWD, full, 0755);
        return r < 0 ? r : service_cgroup_open(base, path);
}

int service_cgroup_make(const char *base, const char *path, int *ret_fd, Reason *reason) {
        int r = make_and_open(base, path);

        /* Another manager that has the base as well may have removed what was empty just now. */
        for (unsigned i = 0; r == -ENOENT && i < MAKE_TRIES_MAX; i++)
                r = make_and_open(base, path);
        if (r < 0)
                return reason_set(reason, r, "Cannot make the cgroup %s: %m", path);
        *ret_fd = r;
        return 0;
}

int service_cgroup_events_open(int cgroup_fd) {
        const int fd = openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int service_cgroup_is_populated(int events_fd) {
        char text[256];

        const ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
        if (n < 0)
                return errno == ENODEV ? 0 : -errno; /* the group was removed */
        text[n] = '\0';
        return strstr(text, "populated 1") != NULL;
}

typedef int (*GroupFunction)(int cgroup_fd, void *userdata);

/* The group, and all that are in it. One that is removed meanwhile is passed over. */
static int for_each_group(int cgroup_fd, unsigned depth, GroupFunction function, void *userdata) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        struct dirent *entry;

        int r = function(cgroup_fd, userdata);
        if (r < 0)
                return r == -ENODEV || r == -ENOENT ? 0 : r;
        const int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory) {
                r = -errno;
                (void)fd_close(fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(directory))) {
                _cleanup_(fd_closep) int child = -EBADF;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                if (depth >= DEPTH_MAX)
                        return -ELOOP;
                child = openat(cgroup_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child >= 0)
                        r = for_each_group(child, depth + 1, function, userdata);
        }
        return r;
}

typedef struct ProcessList {
        pid_t *items;
        size_t n_items, n_allocated;
} ProcessList;

static int process_list_add(ProcessList *list, pid_t pid) {
        if (list->n_items == list->n_allocated) {
                const size_t n = MAX(list->n_allocated * 2, (size_t)16);
                pid_t *const items = reallocarray(list->items, n, sizeof(pid_t));

                if (!items)
                        return -ENOMEM;
                list->items = items;
                list->n_allocated = n;
        }
        list->items[list->n_items++] = pid;
        return 0;
}

static int list_group(int cgroup_fd, void *userdata) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;

        int r = file_read(cgroup_fd, "cgroup.procs", FILE_SIZE_MAX, &text, NULL);
        rest = text;
        while (r >= 0 && (line = strsep(&rest, "\n"))) {
                uint64_t pid;

                /* 0 stands for a process that this process's PID namespace does not know. */
                if (parse_uint64(line, &pid) >= 0 && pid > 0)
                        r = process_list_add(userdata, (pid_t)pid);
        }
        return r;
}

static int compare_pids(const void *a, const void *b) {
        const pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

        return (x > y) - (x < y);
}

int service_cgroup_processes(int cgroup_fd, pid_t **ret, size_t *ret_n) {
        ProcessList list = {};

        const int r = for_each_group(cgroup_fd, 0, list_group, &list);
        if (r < 0) {
                free(list.items);
                return r;
        }
        if (list.n_items > 0)
                qsort(list.items, list.n_items, sizeof(pid_t), compare_pids);
        *ret = list.items;
        *ret_n = list.n_items;
        return 0;
}

static int count_group(int cgroup_fd, void *userdata) {
        _cleanup_(freep) char *text = NULL;

        const int r = file_read(cgroup_fd, "cgroup.threads", FILE_SIZE_MAX, &text, NULL);
        for (const char *at = text; r >= 0 && *at; at++)
                *(uint64_t *)userdata += *at == '\n';
        return r == -EOPNOTSUPP ? 0 : r;
}

int service_cgroup_count_tasks(int cgroup_fd, uint64_t *ret) {
        uint64_t n = 0;

        const int r = for_each_group(cgroup_fd, 0, count_group, &n);
        if (r >= 0)
                *ret = n;
        return r;
}

int service_cgroup_cpu_nsec(int cgroup_fd, uint64_t *ret) {
        static const char key[] = "usage_usec ";
        _cleanup_(freep) char *text = NULL;
        char *value;
        uint64_t usec;

        int r = file_read(cgroup_fd, "cpu.stat", FILE_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        value = strstr(text, key);
        if (!value)
                return -ENODATA;
        value += strlen(key);
        value[strcspn(value, "\n")] = '\0';
        r = parse_uint64(value, &usec);
        if (r >= 0)
                *ret = usec * 1000;
        return r;
}

/* 1 when somebody got the signal who had not got it in the round before. */
static int kill_round(int cgroup_fd, int signal, pid_t except, ProcessList *done) {
        _cleanup_(freep) pid_t *pids = NULL;
        size_t n_pids, n_old = done->n_items;

        int r = service_cgroup_processes(cgroup_fd, &pids, &n_pids);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < n_pids; i++) {
                if (pids[i] == except ||
                    (n_old > 0 && bsearch(&pids[i], done->items, n_old, sizeof(pid_t), compare_pids)))
                        continue;
                (void)kill(pids[i], signal);
                r = process_list_add(done, pids[i]);
        }
        if (r < 0)
                return r;
        const bool found = done->n_items > n_old;
        if (found)
                qsort(done->items, done->n_items, sizeof(pid_t), compare_pids);
        return found;
}

/* By the kernel, at once. Only for those who are faster than signals: Linux since 6.14 kills whoever is born into such a group later
 * (CLONE_INTO_CGROUP) as well, and a service may have commands that are to come. */
static int kill_at_once(int cgroup_fd) {
        _cleanup_(fd_closep) int fd = openat(cgroup_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd_write_all(fd, "1", 1);
}

int service_cgroup_kill(int cgroup_fd, int signal, pid_t except) {
        ProcessList done = {};
        int r = 1;

        for (unsigned i = 0; r > 0 && i < KILL_ROUNDS_MAX; i++)
                r = kill_round(cgroup_fd, signal, except, &done);
        free(done.items);
        if (r > 0 && signal == SIGKILL && except == 0)
                r = kill_at_once(cgroup_fd);
        return r < 0 ? r : 0;
}

/* The part of the path that ends with the unit: what follows belongs to the unit itself. */
static void cut_behind_unit(char *path) {
        for (char *at = path; at;) {
                char *const slash = strchr(at, '/');

                if (slash)
                        *slash = '\0';
                if (!text_ends_with(at, ".slice"))
                        return;
                if (slash)
                        *slash = '/';
                at = slash ? slash + 1 : NULL;
        }
}

int service_cgroup_of_process(const char *base, pid_t pid, char **ret) {
        _cleanup_(freep) char *cgroups = NULL, *mounts = NULL, *found = NULL, *path = NULL;
        char name[64];
        const char *below;

        (void)snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
        int r = file_read(AT_FDCWD, name, FILE_SIZE_MAX, &cgroups, NULL);
        if (r >= 0)
                r = file_read(AT_FDCWD, "/proc/self/mountinfo", FILE_SIZE_MAX, &mounts, NULL);
        if (r >= 0)
                r = cgroup_find(cgroups, mounts, &found);
        if (r < 0)
                return r == -EOPNOTSUPP || r == -ESRCH ? -ENOENT : r;
        below = path_seen_from(found, base);
        if (!below || *below == '\0')
                return -ENOENT;
        r = text_copy(below, &path);
        if (r < 0)
                return r;
        cut_behind_unit(path);
        *ret = TAKE_PTR(path);
        return 0;
}

/* Of the directory fd, which is taken over; path is the one below the base that leads to it, "" for the base itself. */
static int list_below(int fd, const char *path, unsigned depth, char ***list) {
        _cleanup_(directory_closep) DIR *directory = fdopendir(fd);
        struct dirent *entry;
        int r = 0;

        if (!directory) {
                r = -errno;
                (void)fd_close(fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(directory))) {
                _cleanup_(freep) char *below = NULL;

                if (entry->d_type != DT_DIR || unit_name_kind(entry->d_name) == 0)
                        continue;
                r = path[0] == '\0' ? text_copy(entry->d_name, &below)
                                    : path_join(path, entry->d_name, &below);
                if (r < 0)
                        break;
                if (unit_name_type(entry->d_name) == UNIT_SERVICE)
                        r = strv_take(list, TAKE_PTR(below));
                else if (unit_name_type(entry->d_name) == UNIT_SLICE && depth < DEPTH_MAX) {
                        const int next =
                                openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                        if (next >= 0)
                                r = list_below(next, below, depth + 1, list);
                }
        }
        return r;
}

int service_cgroup_list(const char *base, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;

        const int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        const int r = list_below(fd, "", 0, &list);
        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}

CgroupUse service_cgroup_use(const char *base, const char *path) {
        _cleanup_(fd_closep) int fd = -EBADF, events_fd = -EBADF;
        pid_t holder;

        fd = service_cgroup_open(base, path);
        events_fd = fd < 0 ? -EBADF : service_cgroup_events_open(fd);
        if (events_fd < 0 || file_lock(events_fd, FILE_LOCK_EXCLUSIVE, &holder) == 0)
                return CGROUP_HELD;
        return service_cgroup_is_populated(events_fd) > 0 ? CGROUP_ABANDONED : CGROUP_EMPTY;
}

static int remove_below(int parent_fd, const char *name, unsigned depth) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        struct dirent *entry;
        int r = 0;

        const int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        directory = fdopendir(fd);
        if (!directory) {
                r = -errno;
                (void)fd_close(fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(directory)))
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
                        r = depth >= DEPTH_MAX ? -ELOOP : remove_below(fd, entry->d_name, depth + 1);
        if (r >= 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                r = -errno;
        return r;
}

int service_cgroup_remove(const char *base, const char *path) {
        _cleanup_(freep) char *full = NULL;

        int r = path_join(base, path, &full);
        if (r >= 0)
                r = remove_below(AT_FDCWD, full, 0);
        if (r < 0)
                return r;
        for (;;) {
                char *const slash = strrchr(full, '/');

                *slash = '\0';
                if (!path_is_below(full, base) || text_equal(full, base) || rmdir(full) < 0)
                        return 0;
        }
}
