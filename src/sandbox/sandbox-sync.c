/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "sandbox/sandbox-sync.h"

#define STATUS_SIZE_MAX (64 * KIB)
#define STACK_SIZE      (64 * KIB)

/* What decides over an open() by root: a process that gave one of these up must not get it back from us. */
#define FILE_CAPABILITIES                                                                                  \
        (UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_DAC_READ_SEARCH | \
         UINT64_C(1) << CAP_FOWNER | UINT64_C(1) << CAP_FSETID)

typedef struct OpenRequest {
        /* asked */
        int dir_fd; /* the caller's number, or AT_FDCWD */
        uint64_t path_address;
        uint64_t flags, mode;
        char path[PATH_MAX];
        /* of the caller */
        int root_fd, base_fd;
        mode_t umask;
        /* answer */
        int fd; /* O_PATH of what is there, or what was created, open as asked */
        bool created;
} OpenRequest;

static void open_request_done(OpenRequest *request) {
        (void)fd_close(request->root_fd);
        (void)fd_close(request->base_fd);
        (void)fd_close(request->fd);
}

static int caller_read_memory(int proc_fd, uint64_t address, void *buffer, size_t size) {
        _cleanup_(fd_closep) int memory_fd = openat(proc_fd, "mem", O_RDONLY | O_CLOEXEC);

        if (memory_fd < 0)
                return -errno;
        const ssize_t n = pread(memory_fd, buffer, size, (off_t)address);
        return n < 0 ? -errno : (int)n;
}

/* How the arguments of each system call are read. 0 when they are none of our business. */
static int decode_open(OpenRequest *request, int proc_fd, const uint64_t *arguments) {
        request->dir_fd = AT_FDCWD;
        request->path_address = arguments[0];
        request->flags = arguments[1];
        request->mode = arguments[2];
        return 1;
}

static int decode_openat(OpenRequest *request, int proc_fd, const uint64_t *arguments) {
        request->dir_fd = (int)arguments[0];
        request->path_address = arguments[1];
        request->flags = arguments[2];
        request->mode = arguments[3];
        return 1;
}

static int decode_openat2(OpenRequest *request, int proc_fd, const uint64_t *arguments) {
        struct open_how how = {};

        if (arguments[3] < sizeof(how))
                return 0;
        int r = caller_read_memory(proc_fd, arguments[2], &how, sizeof(how));
        if (r < (int)sizeof(how) || how.resolve != 0)
                return 0;
        request->dir_fd = (int)arguments[0];
        request->path_address = arguments[1];
        request->flags = how.flags;
        request->mode = how.mode;
        return 1;
}

typedef struct OpenCall {
        const char *name;
        int (*decode)(OpenRequest *request, int proc_fd, const uint64_t *arguments);
} OpenCall;

static const OpenCall open_calls[] = {
        { "open", decode_open },
        { "openat", decode_openat },
        { "openat2", decode_openat2 },
};

static int open_request_decode(OpenRequest *request, int proc_fd, const struct seccomp_data *data) {
        _cleanup_(freep) char *name = seccomp_syscall_resolve_num_arch(data->arch, data->nr);
        uint64_t arguments[ELEMENTSOF(data->args)];

        memcpy(arguments, data->args, sizeof(arguments));
        for (size_t i = 0; name && i < ELEMENTSOF(open_calls); i++)
                if (text_equal(name, open_calls[i].name))
                        return open_calls[i].decode(request, proc_fd, arguments);
        return 0;
}

/* Whether the caller would open files just like us: 1 or 0. */
static int open_request_check_caller(OpenRequest *request, int proc_fd) {
        _cleanup_(freep) char *text = NULL;
        unsigned fs_uid = UINT32_MAX, fs_gid = UINT32_MAX, mask = 0;
        unsigned long long effective = 0;

        int r = file_read(proc_fd, "status", STATUS_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;
        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += line[0] == '\n';
                (void)sscanf(line, "Uid: %*u %*u %*u %u", &fs_uid);
                (void)sscanf(line, "Gid: %*u %*u %*u %u", &fs_gid);
                (void)sscanf(line, "Umask: %o", &mask);
                (void)sscanf(line, "CapEff: %llx", &effective);
        }
        request->umask = mask;
        return fs_uid == geteuid() && fs_gid == getegid() &&
               (effective & FILE_CAPABILITIES) == FILE_CAPABILITIES;
}

/* Reads all that is needed from the caller: 1, or 0 when the kernel is to go on by itself. */
static int open_request_load(OpenRequest *request, int proc_fd, const struct seccomp_data *data) {
        const uint64_t never = O_PATH | (O_TMPFILE & ~O_DIRECTORY);
        char name[32] = "cwd";

        int r = open_request_decode(request, proc_fd, data);
        if (r <= 0)
                return r;
        if (!(request->flags & O_SYNC) || (request->flags & never))
                return 0;
        r = open_request_check_caller(request, proc_fd);
        if (r <= 0)
                return r;

        r = caller_read_memory(proc_fd, request->path_address, request->path, sizeof(request->path));
        if (r < 0 || !memchr(request->path, '\0', (size_t)r))
                return 0;
        request->root_fd = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (request->root_fd < 0)
                return -errno;
        if (request->dir_fd != AT_FDCWD)
                (void)snprintf(name, sizeof(name), "fd/%d", request->dir_fd);
        request->base_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return request->base_fd < 0 && request->path[0] != '/' ? -errno : 1;
}

/* Runs in a process that shares our memory and descriptors, but has a root, a working directory and a umask of its own:
 * those of the caller. */
static int open_request_run(void *data) {
        OpenRequest *const request = data;
        const int kept = (int)(request->flags & (O_NOFOLLOW | O_DIRECTORY));

        if (fchdir(request->root_fd) < 0 || chroot(".") < 0 ||
            (request->base_fd >= 0 && fchdir(request->base_fd) < 0))
                return 1;
        (void)umask(request->umask);

        request->fd = open(request->path, O_PATH | O_CLOEXEC | kept);
        if (request->fd < 0 && errno == ENOENT && (request->flags & O_CREAT)) {
                /* Exclusively, so that we never open a device or wait for a FIFO. */
                const int flags = (int)(request->flags & ~(uint64_t)O_SYNC) | O_EXCL | O_CLOEXEC;

                request->fd = open(request->path, flags, (mode_t)request->mode);
                request->created = request->fd >= 0;
        }
        return 0;
}

static int open_request_run_as_caller(OpenRequest *request) {
        _cleanup_(freep) char *stack = NULL;
        int status;

        stack = malloc(STACK_SIZE);
        if (!stack)
                return -ENOMEM;
        const pid_t pid = clone(open_request_run, stack + STACK_SIZE,
                                CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, request);
        if (pid < 0)
                return -errno;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

/* Leaves the open file in request->fd: 1, or 0 when the kernel is to go on by itself. */
static int open_request_open(OpenRequest *request) {
        const uint64_t resolved = O_SYNC | O_CREAT | O_EXCL | O_NOFOLLOW;
        char path[64];
        struct stat status;

        int r = open_request_run_as_caller(request);
        if (r < 0)
                return r;
        if (request->fd < 0 || request->created)
                return request->created;

        if ((request->flags & O_CREAT) && (request->flags & O_EXCL))
                return 0;
        /* For devices O_SYNC may have a meaning. */
        if (fstat(request->fd, &status) < 0 || !S_ISREG(status.st_mode))
                return 0;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", request->fd);
        const int fd = open(path, (int)(request->flags & ~resolved) | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        (void)fd_close(request->fd);
        request->fd = fd;
        return 1;
}

/* 1 when the question is answered with a descriptor. */
static int answer_with_descriptor(int listener_fd, const struct seccomp_notif *question) {
        _cleanup_(fd_closep) int proc_fd = -EBADF;
        _cleanup_(open_request_done)
                OpenRequest request = { .root_fd = -EBADF, .base_fd = -EBADF, .fd = -EBADF };
        char path[32];

        (void)snprintf(path, sizeof(path), "/proc/%" PRIu32, question->pid);
        proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc_fd < 0)
                return -errno;
        /* Still waiting, so that the directory is the caller's and not that of a later process with its number. */
        if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &question->id) < 0)
                return -errno;

        int r = open_request_load(&request, proc_fd, &question->data);
        if (r <= 0)
                return r;
        r = open_request_open(&request);
        if (r <= 0)
                return r;

        const struct seccomp_notif_addfd answer = {
                .id = question->id,
                .flags = SECCOMP_ADDFD_FLAG_SEND,
                .srcfd = (uint32_t)request.fd,
                .newfd_flags = (uint32_t)request.flags & O_CLOEXEC,
        };
        return ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &answer) < 0 ? -errno : 1;
}

int sandbox_sync_answer(int listener_fd) {
        struct seccomp_notif question = {};

        if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
                return errno == ENOENT || errno == EINTR || errno == EAGAIN ? 0 : -errno;

        if (answer_with_descriptor(listener_fd, &question) > 0)
                return 0;

        const struct seccomp_notif_resp go_on = { .id = question.id,
                                                  .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
        if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &go_on) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}
