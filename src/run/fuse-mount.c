/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/text.h"
#include "run/fuse-mount.h"

#define DEVICE         "/dev/fuse"
#define IMAGE_FD       3 /* in the program, so that no name of a file can be taken for an option */
#define IMAGE_PATH     "/proc/self/fd/3"
#define MOUNTS_PATH    "/proc/self/mountinfo"
#define SAID_SIZE_MAX  (64 * KIB)
#define STATUS_NOT_RUN 127

/* In the child. A session of its own: keys of the terminal are not for it. */
static _Noreturn void become(const char *path, const char *const *argv, int image_fd, int said_fd,
                             pid_t parent) {
        const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        interrupt_reset();
        (void)setsid();
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(STATUS_NOT_RUN);
        if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(said_fd, STDOUT_FILENO) < 0 ||
            dup2(said_fd, STDERR_FILENO) < 0)
                _exit(STATUS_NOT_RUN);
        /* A descriptor with this very number would stay O_CLOEXEC. */
        if (image_fd == IMAGE_FD ? fcntl(image_fd, F_SETFD, 0) < 0 : dup2(image_fd, IMAGE_FD) < 0)
                _exit(STATUS_NOT_RUN);
        if (close_range(IMAGE_FD + 1, UINT_MAX, 0) < 0)
                _exit(STATUS_NOT_RUN);
        (void)execv(path, (char *const *)argv);
        _exit(STATUS_NOT_RUN);
}

/* Without asking the program for anything. */
static int is_mounted(const char *target) {
        struct statx status;

        if (statx(AT_FDCWD, target, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, 0, &status) <
            0)
                return -errno;
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* 1 when it is mounted, 0 when the program has ended without. The table of mounts says when it changes. */
static int wait_for_mount(const FuseMount *fuse, const char *target) {
        _cleanup_(fd_closep) int mounts_fd = open(MOUNTS_PATH, O_RDONLY | O_CLOEXEC);
        struct pollfd fds[] = { { .fd = fuse->pid_fd, .events = POLLIN },
                                { .fd = mounts_fd, .events = POLLPRI },
                                { .fd = interrupt_fd(), .events = POLLIN } };

        if (mounts_fd < 0)
                return -errno;
        for (;;) {
                int r = is_mounted(target);
                if (r != 0)
                        return r;
                if (fds[0].revents)
                        return 0;
                r = interrupt_check();
                if (r < 0)
                        return r;
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return -errno;
        }
}

/* The last line is what it failed for. */
static int explain(const FuseProgram *program, int said_fd, Reason *reason) {
        _cleanup_(freep) char *said = NULL;
        const char *last = "it says nothing";

        if (lseek(said_fd, 0, SEEK_SET) < 0)
                return -errno;
        const int r = fd_read_file(said_fd, SAID_SIZE_MAX, &said, NULL);
        if (r >= 0) {
                char *text = text_strip(said), *line = strrchr(text, '\n');

                if (text[0])
                        last = line ? line + 1 : text;
        }
        return reason_set(reason, -EIO, "%s cannot mount it: %s", program->name, last);
}

static int start(const FuseProgram *program, const char *path, int fd, uint64_t offset, const char *target,
                 FuseMount *fuse, Reason *reason) {
        _cleanup_(fd_closep) int said_fd = memfd_create("fuse", MFD_CLOEXEC);
        _cleanup_(freep) char *options = NULL;
        const char *argv[] = { program->name, "-f", "-o", NULL, IMAGE_PATH, target, NULL };
        const pid_t parent = getpid();

        int r = said_fd < 0 ? -errno : text_format(&options, "ro,allow_other,offset=%" PRIu64, offset);
        if (r < 0)
                return r;
        argv[3] = options;
        const pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become(path, argv, fd, said_fd, parent);
        fuse->pid = pid;
        fuse->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
        r = fuse->pid_fd < 0 ? -errno : wait_for_mount(fuse, target);
        return r == 0 ? explain(program, said_fd, reason) : r;
}

int fuse_mount_new(const FuseProgram *program, const char *search_path, int fd, uint64_t offset,
                   const char *target, FuseMount **ret, Reason *reason) {
        _cleanup_(fuse_mount_freep) FuseMount *fuse = calloc(1, sizeof(*fuse));
        _cleanup_(freep) char *path = NULL;

        if (!fuse)
                return -ENOMEM;
        fuse->pid_fd = -EBADF;
        int r = path_find_program(program->name, search_path, &path);
        if (r == -ENOENT)
                return reason_set(reason, r, "%s is missing: install the package %s", program->name,
                                  program->package);
        if (r < 0)
                return r;
        if (access(DEVICE, R_OK | W_OK) < 0)
                return reason_set(reason, -errno, "%s cannot use " DEVICE ": %m", program->name);
        r = start(program, path, fd, offset, target, fuse, reason);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(fuse);
        return 0;
}

/* It has nothing to write, so that it need not be asked. */
void fuse_mount_free(FuseMount *fuse) {
        if (!fuse)
                return;
        if (fuse->pid > 0) {
                (void)kill(fuse->pid, SIGKILL);
                while (waitpid(fuse->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        (void)fd_close(fuse->pid_fd);
        free(fuse);
}
