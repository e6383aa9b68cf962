/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "exec/exec-spawn.h"
#include "unit/exec-status.h"

/* The numbers of the child's descriptors: the context, and what comes with it in the order of the table below. */
#define FD_CONTEXT    3
#define N_DESCRIPTORS 7
#define FD_LAST       (FD_CONTEXT + N_DESCRIPTORS - 1)

void exec_child_done(ExecChild *child) {
        child->pid_fd = fd_close(child->pid_fd);
        child->status_fd = fd_close(child->status_fd);
        *child = (ExecChild){ .pid_fd = -EBADF, .status_fd = -EBADF };
}

/* What the child gets: [i] of this process becomes FD_CONTEXT + i. */
typedef struct Handover {
        int descriptors[N_DESCRIPTORS];
} Handover;

/* The descriptor, and the number that the child finds it under. */
static int hand_over(Handover *handover, size_t index, int fd) {
        handover->descriptors[index] = fd;
        return fd >= 0 ? FD_CONTEXT + (int)index : -EBADF;
}

/* Nobody can change any more what the child reads. */
static int context_seal(const ExecContext *context, int *ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = exec_context_write(context, &text);
        if (r < 0)
                return r;
        fd = memfd_create("exec-context", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, text, strlen(text));
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

/* First to where none of the numbers is that are wanted, and then there. */
static int descriptors_place(const Handover *handover) {
        int moved[N_DESCRIPTORS];

        const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
                return -errno;
        for (size_t i = 0; i < N_DESCRIPTORS; i++) {
                moved[i] = handover->descriptors[i];
                if (moved[i] >= 0)
                        moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, FD_LAST + 1);
                if (moved[i] < 0 && handover->descriptors[i] >= 0)
                        return -errno;
        }
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (null == fd ? fcntl(fd, F_SETFD, 0) < 0 : dup2(null, fd) < 0)
                        return -errno;
        for (size_t i = 0; i < N_DESCRIPTORS; i++)
                if (moved[i] >= 0 && dup2(moved[i], FD_CONTEXT + (int)i) < 0)
                        return -errno;
                else if (moved[i] < 0)
                        (void)close(FD_CONTEXT + (int)i);
        return close_range(FD_LAST + 1, UINT32_MAX, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* This process goes into the groups that it was not made in. */
static int groups_join(const ExecGroups *groups, bool is_inside) {
        int r = 0;

        if (!is_inside && groups->cgroup >= 0) {
                const int fd = openat(groups->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);

                r = fd < 0 ? -errno : fd_write_all(fd, "0", 1);
        }
        for (size_t i = 0; r >= 0 && i < EXEC_GROUPS_JOINED_MAX; i++)
                if (groups->joined[i] >= 0)
                        r = fd_write_all(groups->joined[i], "0", 1);
        return r;
}

/* In the child, with all signals blocked: the helper puts them right, since handlers are gone then. */
static void __attribute__((noreturn)) child_run(const char *helper, const ExecGroups *groups, bool is_inside,
                                                const Handover *handover, int status_fd) {
        char number[16];
        ExecStatus status = { .type = EXEC_STATUS_FAILED, .exit = EXEC_EXIT_FDS };

        (void)snprintf(number, sizeof(number), "%d", FD_CONTEXT);
        char *const argv[] = { (char *)(uintptr_t)helper, number, NULL };
        const int copy = fcntl(status_fd, F_DUPFD_CLOEXEC, FD_LAST + 1);
        int r = copy < 0 ? -errno : groups_join(groups, is_inside);
        if (r < 0)
                status.exit = EXEC_EXIT_CGROUP;
        else
                r = descriptors_place(handover);
        if (r >= 0) {
                (void)execv(helper, argv);
                r = -errno;
                status.exit = EXEC_EXIT_EXEC;
        }
        status.error = -r;
        (void)snprintf(status.text, sizeof(status.text), "Cannot start the helper %s: %s%s", helper,
                       strerror(-r),
                       r == -ENOENT ? ". Install it (mkosi-exec), or say by --helper= where it is" : "");
        if (copy >= 0)
                (void)exec_status_send(copy, &status);
        _exit(status.exit);
}

static pid_t clone_into(int cgroup_fd, int *ret_pid_fd) {
        struct clone_args arguments = {
                .flags = CLONE_PIDFD | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
                .pidfd = (uint64_t)(uintptr_t)ret_pid_fd,
                .exit_signal = SIGCHLD,
                .cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
        };
        const long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

        return pid < 0 ? -errno : (pid_t)pid;
}

/* No handler of this process runs in the child. */
static int child_start(const char *helper, const ExecGroups *groups, const Handover *handover, int status_fd,
                       ExecChild *child, Reason *reason) {
        bool is_inside = groups->cgroup >= 0;
        sigset_t all, before;

        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, &before);
        pid_t pid = clone_into(groups->cgroup, &child->pid_fd);
        if (pid == -EAGAIN && is_inside) {
                /* The group has as many as it may. The limit is for what a service makes, and not for a command that ends it:
                 * who goes into a group from outside is let in. */
                is_inside = false;
                pid = clone_into(-EBADF, &child->pid_fd);
        }
        if (pid == 0)
                child_run(helper, groups, is_inside, handover, status_fd);
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        if (pid < 0)
                return reason_set(reason, pid, "Cannot start a process in the control group: %m");
        child->pid = pid;
        return 0;
}

static int hand_over_all(const ExecContext *context, int status_fd, Handover *handover, Reason *reason) {
        const ExecDescriptors *const ours = &context->descriptors;
        ExecContext copy = *context;

        copy.descriptors = (ExecDescriptors){
                .status = hand_over(handover, 1, status_fd),
                .user = hand_over(handover, 2, ours->user),
                .network = hand_over(handover, 3, ours->network),
        };
        for (size_t i = 0; i < ELEMENTSOF(ours->standard); i++)
                copy.descriptors.standard[i] = hand_over(handover, 4 + i, ours->standard[i]);

        const int r = context_seal(&copy, &handover->descriptors[0]);
        return r < 0 ? reason_set(reason, r, "Cannot write what the helper is to do: %m") : 0;
}

int exec_spawn(const char *helper, const ExecGroups *groups, const ExecContext *context, ExecChild *ret,
               Reason *reason) {
        _cleanup_(exec_child_done) ExecChild child = { .pid_fd = -EBADF, .status_fd = -EBADF };
        _cleanup_(fd_closep) int status_fd = -EBADF;
        Handover handover = { .descriptors = { -EBADF } };
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return reason_set(reason, -errno, "Cannot make a socket for the helper: %m");
        child.status_fd = pair[0];
        status_fd = pair[1];
        if (fcntl(child.status_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        int r = hand_over_all(context, status_fd, &handover, reason);
        if (r >= 0)
                r = child_start(helper, groups, &handover, status_fd, &child, reason);
        (void)fd_close(handover.descriptors[0]);
        if (r < 0)
                return r;
        *ret = child;
        child = (ExecChild){ .pid_fd = -EBADF, .status_fd = -EBADF };
        return 0;
}
