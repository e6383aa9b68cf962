/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/view-owners.h"
#include "sandbox/view-tree.h"
#include "sandbox/view.h"

static int map_write(pid_t pid, const char *name, uid_t from, uid_t to) {
        char path[64], text[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        const int length = snprintf(text, sizeof(text), "%u %u 1\n", (unsigned)from, (unsigned)to);
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd_write_all(fd, text, (size_t)length);
}

static int namespace_map(pid_t pid, uid_t from, uid_t to, int *ret_fd) {
        char path[64];

        int r = map_write(pid, "uid_map", from, to);
        if (r < 0)
                return r;
        r = map_write(pid, "gid_map", from, to);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/* A user namespace that nobody is in. It comes with a process, which is needed no longer than it takes to open it, and
 * which ends with us whatever happens. */
static int namespace_new(uid_t from, uid_t to, int *ret_fd) {
        _cleanup_(fd_closep) int read_fd = -EBADF, write_fd = -EBADF;
        int pair[2], status;
        char byte;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        read_fd = pair[0];
        write_fd = pair[1];

        const pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                (void)close(write_fd);
                (void)!read(read_fd, &byte, 1);
                _exit(EXIT_SUCCESS);
        }

        const int r = namespace_map(pid, from, to, ret_fd);
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return r;
}

int view_owners_map(int tree_fd, uid_t from, uid_t to) {
        _cleanup_(fd_closep) int namespace_fd = -EBADF;

        const int r = namespace_new(from, to, &namespace_fd);
        if (r < 0)
                return r;
        struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)namespace_fd };
        return mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0 ? -errno : 0;
}

int view_can_map_owners(int directory_fd) {
        _cleanup_(fd_closep) int tree_fd = -EBADF;

        int r = view_tree_clone_fd(directory_fd, false, &tree_fd);
        if (r < 0)
                return r;
        r = view_owners_map(tree_fd, 0, 1);
        /* -EPERM: somebody has mapped it before, or we may not. */
        return r == -EINVAL || r == -EPERM ? 0 : r < 0 ? r : 1;
}
