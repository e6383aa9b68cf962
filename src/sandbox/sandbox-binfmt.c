/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/sandbox-binfmt.h"
#include "sandbox/sandbox-channel.h"

#define MOUNT_POINT   "/proc/sys/fs/binfmt_misc"
#define MAP_SIZE_MAX  (64 * 1024)
#define MAP_FIELDS    3
#define ENOSUPPORT(e) ((e) == EPERM || (e) == ENODEV || (e) == EINVAL)

/* The process that is the first in the namespace: it fills binfmt_misc while the host's root is still around, and hands out
 * what holds both. Two exist at a time: it, and whom it works for. */

static _Noreturn void first_fail(int channel_fd, int r, const char *what) {
        char text[256];

        errno = -r;
        (void)snprintf(text, sizeof(text), "%s: %m", what);
        (void)sandbox_channel_send(channel_fd, SANDBOX_MESSAGE_FAILED, r, text, -EBADF);
        _exit(EXIT_FAILURE);
}

/* The file system is made in the namespace of whoever asks, so it has to be this process. */
static int open_binfmt(int *ret_mount_fd) {
        _cleanup_(fd_closep) int context_fd = fsopen("binfmt_misc", FSOPEN_CLOEXEC);

        if (context_fd < 0 || fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        const int fd = fsmount(context_fd, FSMOUNT_CLOEXEC,
                               MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (fd < 0)
                return -errno;
        *ret_mount_fd = fd;
        return 0;
}

/* The kernel opens the interpreter at this moment, by the path that it has on the host. */
static int register_program(int mount_fd, const char *registration) {
        _cleanup_(fd_closep) int fd = openat(mount_fd, "register", O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return fd_write_all(fd, registration, strlen(registration));
}

static _Noreturn void first_run(int channel_fd, const char *registration) {
        _cleanup_(fd_closep) int self_fd = -EBADF, mount_fd = -EBADF, unused_fd = -EBADF;
        SandboxMessage message;

        /* Its own mounts, as those of its maker belong to the namespace outside. */
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                first_fail(channel_fd, -errno, "make a user namespace");
        self_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (self_fd < 0)
                first_fail(channel_fd, -errno, "open /proc/self");
        /* The answer says that the maps are written; if there is none, nobody waits for us any more. */
        if (sandbox_channel_send(channel_fd, SANDBOX_MESSAGE_NAMESPACE, 0, "", self_fd) < 0 ||
            sandbox_channel_receive(channel_fd, &message, &unused_fd) <= 0)
                _exit(EXIT_FAILURE);

        int r = open_binfmt(&mount_fd);
        if (r < 0)
                first_fail(channel_fd, r,
                           ENOSUPPORT(-r) ? "mount binfmt_misc in a user namespace, which Linux can since 6.7"
                                          : "mount binfmt_misc in a user namespace");
        r = register_program(mount_fd, registration);
        if (r < 0)
                first_fail(channel_fd, r, "register the interpreter");
        r = sandbox_channel_send(channel_fd, SANDBOX_MESSAGE_NAMESPACE, 0, "", mount_fd);
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Maps everything that we have to itself: what our own map begins with is what is there inside of it. */
static int write_map(int process_fd, const char *name) {
        _cleanup_(freep) char *own = NULL, *path = NULL, *map = NULL;
        _cleanup_(strv_freep) char **fields = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t size;

        int r = path_join("/proc/self", name, &path);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, MAP_SIZE_MAX, &own, NULL);
        if (r >= 0)
                r = strv_split(own, " \n", &fields);
        if (r < 0)
                return r;

        _cleanup_(file_closep) FILE *file = open_memstream(&map, &size);
        if (!file)
                return -ENOMEM;
        for (char **field = fields; field && field[0] && field[1] && field[2]; field += MAP_FIELDS)
                (void)fprintf(file, "%s %s %s\n", field[0], field[0], field[2]);
        if (fflush(file) != 0)
                return -ENOMEM;
        fd = openat(process_fd, name, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd_write_all(fd, map, size);
}

/* The next thing that the process hands out. */
static int receive(int channel_fd, int *ret_fd, Reason *reason) {
        SandboxMessage message;
        _cleanup_(fd_closep) int fd = -EBADF;

        const int r = sandbox_channel_receive(channel_fd, &message, &fd);
        if (r < 0)
                return r;
        if (r == 0)
                return reason_set(reason, -ECHILD, "the process in the user namespace died");
        if (message.type == SANDBOX_MESSAGE_FAILED)
                return reason_set(reason, message.error, "%s", message.text);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int write_maps(int process_fd, Reason *reason) {
        static const char *const names[] = { "uid_map", "gid_map" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const int r = write_map(process_fd, names[i]);
                if (r < 0)
                        return reason_set(reason, r, "write %s of a user namespace: %m", names[i]);
        }
        return 0;
}

static int talk(int channel_fd, int *ret_namespace_fd, int *ret_mount_fd, Reason *reason) {
        _cleanup_(fd_closep) int process_fd = -EBADF, namespace_fd = -EBADF;

        int r = receive(channel_fd, &process_fd, reason);
        if (r >= 0)
                r = write_maps(process_fd, reason);
        if (r < 0)
                return r;
        namespace_fd = openat(process_fd, "ns/user", O_RDONLY | O_CLOEXEC);
        if (namespace_fd < 0)
                return reason_set(reason, -errno, "open a user namespace: %m");
        r = sandbox_channel_send(channel_fd, SANDBOX_MESSAGE_NAMESPACE, 0, "", -EBADF);
        if (r >= 0)
                r = receive(channel_fd, ret_mount_fd, reason);
        if (r >= 0)
                *ret_namespace_fd = TAKE_FD(namespace_fd);
        return r;
}

/* Both descriptors are the caller's. */
static int make_namespace(const char *registration, int *ret_namespace_fd, int *ret_mount_fd,
                          Reason *reason) {
        _cleanup_(fd_closep) int our_fd = -EBADF, first_fd = -EBADF;

        int r = sandbox_channel_open(&our_fd, &first_fd);
        if (r < 0)
                return r;
        const pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                (void)fd_close(our_fd);
                first_run(first_fd, registration);
        }
        first_fd = fd_close(first_fd);
        r = talk(our_fd, ret_namespace_fd, ret_mount_fd, reason);
        our_fd = fd_close(our_fd); /* whatever it waits for, it does so no longer */
        while (waitpid(pid, NULL, 0) < 0)
                if (errno != EINTR)
                        break;
        return r;
}

static int run_binfmt(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        return make_namespace(operation->options, &setup->user_namespace_fd, &setup->binfmt_fd, reason);
}

/* As long as it is mounted somewhere, what is registered in it stays. */
static int run_binfmt_mount(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int target_fd =
                path_open_below(setup->root_fd, MOUNT_POINT, O_PATH | O_DIRECTORY, 0);

        if (target_fd < 0)
                return target_fd;
        if (move_mount(setup->binfmt_fd, "", target_fd, "",
                       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        setup->binfmt_fd = fd_close(setup->binfmt_fd);
        return 0;
}

/* With mounts of its own, or it could not mount anything. */
static int run_user_namespace(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        if (setns(setup->user_namespace_fd, CLONE_NEWUSER) < 0)
                return -errno;
        return unshare(CLONE_NEWNS) < 0 ? -errno : 0;
}

int sandbox_binfmt_check(const char *registration, Reason *reason) {
        _cleanup_(fd_closep) int namespace_fd = -EBADF, mount_fd = -EBADF;

        return make_namespace(registration, &namespace_fd, &mount_fd, reason);
}

/* clang-format off */
const SandboxOperationType SANDBOX_OPERATION_BINFMT         = { "binfmt",         SANDBOX_STAGE_INIT,    run_binfmt };
const SandboxOperationType SANDBOX_OPERATION_BINFMT_MOUNT   = { "binfmt-mount",   SANDBOX_STAGE_INIT,    run_binfmt_mount };
const SandboxOperationType SANDBOX_OPERATION_USER_NAMESPACE = { "user-namespace", SANDBOX_STAGE_COMMAND, run_user_namespace };
/* clang-format on */
