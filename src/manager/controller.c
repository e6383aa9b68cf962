/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/controller.h"
#include "manager/service-cgroup.h"

#define FILE_SIZE_MAX   4096
#define MOVE_ROUNDS_MAX 16 /* as long as somebody forks faster than processes are moved */

typedef struct Row {
        const char *name;
        const char *limit;      /* NULL: it is asked for nothing but what there is */
        const char *current[2]; /* version 1 and 2 call it differently */
} Row;

static const Row rows[CONTROLLER_KINDS] = {
        [CONTROLLER_PIDS] = { "pids", "pids.max", { "pids.current", "pids.current" } },
        [CONTROLLER_MEMORY] = { "memory", NULL, { "memory.usage_in_bytes", "memory.current" } },
};

const char *controller_name(ControllerKind kind) {
        return rows[kind].name;
}

static const char *current_of(const Controller *controller) {
        return rows[controller->kind].current[controller->is_unified];
}

void controller_done(Controller *controller) {
        free(controller->base);
        *controller = (Controller){};
}

/* Whether a group of version 2 has the controller: its parent hands it on. */
static bool has_controller(const char *cgroup, const char *name) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        char *rest, *word;

        if (path_join(cgroup, "cgroup.controllers", &path) < 0 ||
            file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL) < 0)
                return false;
        rest = text;
        while ((word = strsep(&rest, " \n")))
                if (text_equal(word, name))
                        return true;
        return false;
}

/* Processes in the group itself: it cannot hand on what its children would share with them. Of the root, where there is no
 * cgroup.type, they do not count. That "pids" is handed on all the same would make no group below it one that processes can be
 * in (the kernel's "domain invalid"). */
static bool has_processes(const char *cgroup) {
        _cleanup_(fd_closep) int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), procs_fd = -EBADF;
        char byte;

        if (fd < 0 || faccessat(fd, "cgroup.type", F_OK, 0) < 0)
                return false;
        procs_fd = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        return procs_fd >= 0 && read(procs_fd, &byte, 1) > 0;
}

int controller_find(ControllerKind kind, const char *base, const char *own, const char *relative,
                    Controller *ret) {
        Controller controller = { .kind = kind, .is_unified = has_controller(base, rows[kind].name) };
        int r = 0;

        controller.is_occupied = controller.is_unified && has_processes(base);
        controller.is_unified = controller.is_unified && !controller.is_occupied;
        if (controller.is_unified)
                r = text_copy(base, &controller.base);
        else if (own && access(own, W_OK) == 0)
                r = relative[0] == '\0' ? text_copy(own, &controller.base)
                                        : path_join(own, relative, &controller.base);
        if (r >= 0)
                *ret = controller;
        return r;
}

/* Has the children of the group at the path have the controller, if it has it itself. */
static int hand_on(const char *cgroup, const char *name, Reason *reason) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        char word[32];

        int r = path_join(cgroup, "cgroup.subtree_control", &path);
        if (r < 0)
                return r;
        (void)snprintf(word, sizeof(word), "+%s", name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : fd_write_all(fd, word, strlen(word));
        return r < 0 ? reason_set(reason, r, "Cannot write \"%s\" to %s: %m", word, path) : 0;
}

/* From the base on down to the parent. */
static int give_unified(const Controller *controller, const char *path, Reason *reason) {
        const char *const name = rows[controller->kind].name;
        _cleanup_(freep) char *group = NULL;

        int r = path_join(controller->base, path, &group);
        if (r < 0)
                return r;
        for (char *at = group + strlen(controller->base); r >= 0 && (at = strchr(at, '/'));) {
                *at = '\0';
                r = hand_on(group, name, reason);
                *at++ = '/';
        }
        return r;
}

int controller_give(const Controller *controller, const char *path, Reason *reason) {
        const char *const name = rows[controller->kind].name;
        _cleanup_(freep) char *group = NULL;

        if (!controller->base && controller->is_occupied)
                return reason_set(
                        reason, -EBUSY,
                        "The control group of all units has processes of its own, and so cannot give "
                        "the controller \"%s\" to others; DelegateSubgroup=manager, in the service that the "
                        "manager is, puts that aside",
                        name);
        if (!controller->base)
                return reason_set(
                        reason, -EOPNOTSUPP,
                        "Neither has the control group of all units the controller \"%s\" (\"+%s\" in "
                        "cgroup.subtree_control of the groups above gives it), nor is there a "
                        "hierarchy of version 1 that has it and can be written to",
                        name, name);
        if (controller->is_unified)
                return give_unified(controller, path, reason);
        int r = path_join(controller->base, path, &group);
        if (r >= 0)
                r = path_make_directories(AT_FDCWD, group, 0755);
        return r < 0 ? reason_set(reason, r, "Cannot make the control group %s: %m", group) : 0;
}

int controller_open(const Controller *controller, const char *path) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (!controller->base)
                return -ENOENT;
        fd = service_cgroup_open(controller->base, path);
        if (fd < 0)
                return fd;
        return faccessat(fd, current_of(controller), F_OK, 0) < 0 ? -errno : TAKE_FD(fd);
}

void controller_take(const Controller *controller, const char *path) {
        if (controller->base && !controller->is_unified)
                (void)service_cgroup_remove(controller->base, path);
}

int controller_open_entrance(const Controller *controller, const char *path) {
        _cleanup_(fd_closep) int group_fd = -EBADF;

        if (controller->is_unified)
                return -ENOENT;
        group_fd = controller_open(controller, path);
        if (group_fd < 0)
                return group_fd;
        const int fd = openat(group_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* 1 when somebody was there who had not been there the round before. */
static int move_round(int entrance_fd, int cgroup_fd, pid_t **done, size_t *n_done) {
        _cleanup_(freep) pid_t *pids = NULL;
        size_t n_pids;
        char text[16];

        int r = service_cgroup_processes(cgroup_fd, &pids, &n_pids);
        if (r < 0)
                return r;
        const bool same =
                n_pids == *n_done && (n_pids == 0 || memcmp(pids, *done, n_pids * sizeof(pid_t)) == 0);
        for (size_t i = 0; r >= 0 && i < n_pids; i++) {
                (void)snprintf(text, sizeof(text), "%d", (int)pids[i]);
                r = fd_write_all(entrance_fd, text, strlen(text));
                if (r == -ESRCH)
                        r = 0; /* it has ended */
        }
        free(*done);
        *done = TAKE_PTR(pids);
        *n_done = n_pids;
        return r < 0 ? r : !same;
}

int controller_move(const Controller *controller, const char *path, int cgroup_fd) {
        _cleanup_(fd_closep) int entrance_fd = -EBADF;
        _cleanup_(freep) pid_t *done = NULL;
        size_t n_done = 0;
        int r = 1;

        entrance_fd = controller_open_entrance(controller, path);
        if (entrance_fd < 0)
                return entrance_fd == -ENOENT ? 0 : entrance_fd;
        for (unsigned i = 0; r > 0 && i < MOVE_ROUNDS_MAX; i++)
                r = move_round(entrance_fd, cgroup_fd, &done, &n_done);
        return r < 0 ? r : 0;
}

int controller_limit(const Controller *controller, int fd, uint64_t limit) {
        _cleanup_(fd_closep) int file_fd = -EBADF;
        char text[24] = "max";

        assert(rows[controller->kind].limit);
        if (limit != UINT64_MAX)
                (void)snprintf(text, sizeof(text), "%" PRIu64, limit);
        file_fd = openat(fd, rows[controller->kind].limit, O_WRONLY | O_CLOEXEC);
        return file_fd < 0 ? -errno : fd_write_all(file_fd, text, strlen(text));
}

int controller_current(const Controller *controller, int fd, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;
        uint64_t value;

        int r = file_read(fd, current_of(controller), FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = parse_uint64(text_strip(text), &value);
        if (r >= 0)
                *ret = value;
        return r;
}
