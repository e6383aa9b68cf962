/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/sandbox-mounts.h"
#include "sandbox/sandbox-target.h"

/* Words of "options" that mount(2) wants as flags instead of text. */
typedef struct MountFlagWord {
        const char *word;
        unsigned long flag;
} MountFlagWord;

static const MountFlagWord mount_flag_words[] = {
        { "ro", MS_RDONLY },
        { "nosuid", MS_NOSUID },
        { "nodev", MS_NODEV },
        { "noexec", MS_NOEXEC },
};

static int mount_set_read_only(int mount_fd, bool recursive) {
        struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
        const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

        return mount_setattr(mount_fd, "", flags, &attributes, sizeof(attributes)) < 0 ? -errno : 0;
}

static int mount_clone(int dir_fd, const char *path, bool recursive, int *ret_fd) {
        const int fd =
                open_tree(dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static int mount_attach(int mount_fd, int target_fd) {
        if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

/* Mounts a file system on the directory. fsopen(2) would do without the change of directory, but takes no more than 255
 * bytes for the value of an option, which is too few for an overlay. */
static int mount_filesystem(int target_fd, const char *type, unsigned long flags, const char *options) {
        if (fchdir(target_fd) < 0)
                return -errno;
        return mount(type, ".", type, flags, options) < 0 ? -errno : 0;
}

/* Splits "mode=0755,nosuid" into text for the file system and flags. */
static int mount_options_split(const char *options, char **ret_text, unsigned long *ret_flags) {
        _cleanup_(strv_freep) char **words = NULL, **kept = NULL;
        unsigned long flags = 0;

        int r = strv_split(options ? options : "", ",", &words);
        if (r < 0)
                return r;
        for (char **word = words; word && *word; word++) {
                bool is_flag = false;

                for (size_t i = 0; i < ELEMENTSOF(mount_flag_words); i++)
                        if (text_equal(*word, mount_flag_words[i].word)) {
                                flags |= mount_flag_words[i].flag;
                                is_flag = true;
                        }
                r = is_flag ? 0 : strv_append(&kept, *word);
                if (r < 0)
                        return r;
        }
        r = strv_join(STRV(kept), ",", ret_text);
        if (r < 0)
                return r;
        *ret_flags = flags;
        return 0;
}

/* After something was mounted on "/" of the tree, root_fd is what lies beneath. "/.." of a process is its root with all
 * that is stacked on it, which is where run_root() put the tree. */
static int setup_refresh_root(SandboxSetup *setup, const char *target) {
        if (target[strspn(target, "/.")] != '\0')
                return 0;
        const int fd = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        (void)fd_close(setup->root_fd);
        setup->root_fd = fd;
        return 0;
}

/* A file system of its own on the target. */
static int setup_mount(SandboxSetup *setup, const SandboxOperation *operation, const char *type,
                       unsigned long flags, const char *options) {
        _cleanup_(fd_closep) int target_fd = -EBADF;

        int r = sandbox_target_make(setup->root_fd, operation->target, SANDBOX_TARGET_DIRECTORY,
                                    setup->channel_fd, &target_fd);
        if (r < 0)
                return r;
        r = mount_filesystem(target_fd, type, flags, options);
        if (r < 0)
                return r;
        return setup_refresh_root(setup, operation->target);
}

/* What setup_mount() has mounted there. */
static int setup_open_mounted(const SandboxSetup *setup, const char *target, int *ret_fd) {
        const int fd = path_open_below(setup->root_fd, target, O_PATH | O_DIRECTORY, 0);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

/* pivot_root(2) wants the current root to be a mount point, which it is not after chroot(2). */
static int root_make_mount_point(void) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        if (mount("/", "/", NULL, MS_BIND | MS_REC, NULL) < 0)
                return -errno;
        root_fd = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0 || fchdir(root_fd) < 0)
                return -errno;
        return chroot(".") < 0 ? -errno : 0;
}

static int root_is_mount_point(void) {
        struct statx status;

        if (statx(AT_FDCWD, "/", AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) < 0)
                return -errno;
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int run_root(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int tree_fd = -EBADF;
        struct statvfs status;

        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return reason_set(reason, -errno, "make mounts private: %m");
        int r = root_is_mount_point();
        if (r == 0)
                r = root_make_mount_point();
        if (r < 0)
                return r;
        r = mount_clone(AT_FDCWD, operation->source, true, &tree_fd);
        if (r < 0)
                return r;
        if (fstatvfs(tree_fd, &status) < 0)
                return -errno;

        if (operation->read_only) {
                /* All that is mounted below becomes read-only now, and the root itself by "root-read-only" when the
                 * mount points are made: until then it stays as it was. */
                r = mount_set_read_only(tree_fd, true);
                if (r < 0)
                        return r;
                struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
                if (!(status.f_flag & ST_RDONLY) &&
                    mount_setattr(tree_fd, "", AT_EMPTY_PATH, &writable, sizeof(writable)) < 0)
                        return -errno;
        }

        /* On top of "/", where it is in nobody's way: paths still begin at the root beneath. */
        if (move_mount(tree_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;
        setup->root_fd = TAKE_FD(tree_fd);
        return 0;
}

static int run_bind(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int source_fd = -EBADF, target_fd = -EBADF;
        struct stat status;

        int r = mount_clone(AT_FDCWD, operation->source, operation->recursive, &source_fd);
        if (r == -ENOENT && operation->optional)
                return 0;
        if (r < 0)
                return r;
        if (fstat(source_fd, &status) < 0)
                return -errno;
        if (operation->read_only) {
                r = mount_set_read_only(source_fd, true);
                if (r < 0)
                        return r;
        }

        r = sandbox_target_make(setup->root_fd, operation->target,
                                S_ISDIR(status.st_mode) ? SANDBOX_TARGET_DIRECTORY : SANDBOX_TARGET_FILE,
                                setup->channel_fd, &target_fd);
        if (r < 0)
                return r;
        r = mount_attach(source_fd, target_fd);
        if (r < 0)
                return r;
        return setup_refresh_root(setup, operation->target);
}

static int run_tmpfs(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(freep) char *options = NULL;
        unsigned long flags = 0;

        int r = mount_options_split(operation->options, &options, &flags);
        if (r < 0)
                return r;
        return setup_mount(setup, operation, "tmpfs", flags, options);
}

static int run_overlay(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(freep) char *options = NULL;
        unsigned long flags = 0;

        int r = mount_options_split(operation->options, &options, &flags);
        if (r < 0)
                return r;
        return setup_mount(setup, operation, "overlay", flags, options);
}

/* The host's nodes, since mknod(2) is not for everyone. */
static int dev_bind_node(int dev_fd, const char *name) {
        _cleanup_(fd_closep) int host_dev_fd = -EBADF, node_fd = -EBADF, target_fd = -EBADF;

        host_dev_fd = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (host_dev_fd < 0)
                return -errno;
        int r = mount_clone(host_dev_fd, name, false, &node_fd);
        if (r < 0)
                return r;
        target_fd = openat(dev_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (target_fd < 0)
                return -errno;
        return mount_attach(node_fd, target_fd);
}

static int dev_mount_directory(int dev_fd, const char *name, const char *type, const char *options) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (mkdirat(dev_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(dev_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return mount_filesystem(fd, type, MS_NOSUID | MS_NOEXEC, options);
}

typedef struct DevLink {
        const char *name, *target;
} DevLink;

static const char *const dev_nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };

static const DevLink dev_links[] = {
        { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};

static int run_dev(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int dev_fd = -EBADF;

        int r = setup_mount(setup, operation, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
        if (r < 0)
                return r;
        r = setup_open_mounted(setup, operation->target, &dev_fd);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(dev_nodes); i++) {
                r = dev_bind_node(dev_fd, dev_nodes[i]);
                if (r < 0)
                        return reason_set(reason, r, "make /dev/%s: %m", dev_nodes[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(dev_links); i++)
                if (symlinkat(dev_links[i].target, dev_fd, dev_links[i].name) < 0)
                        return reason_set(reason, -errno, "make link /dev/%s: %m", dev_links[i].name);

        r = dev_mount_directory(dev_fd, "shm", "tmpfs", "mode=1777");
        if (r < 0)
                return reason_set(reason, r, "mount /dev/shm: %m");
        /* Where group tty (5 everywhere) is not mapped into our user namespace, terminals belong to the opener's group. */
        r = dev_mount_directory(dev_fd, "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5");
        if (r == -EINVAL)
                r = dev_mount_directory(dev_fd, "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620");
        return r < 0 ? reason_set(reason, r, "mount /dev/pts: %m") : 0;
}

/* Of the new /proc, what reaches beyond the sandbox. As nobody's processes are seen there, the rest may be used. */
static const char *const proc_read_only[] = {
        "sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "asound", "scsi", "mtrr",
};
static const char *const proc_hidden[] = { "kcore", "kmsg", "kallsyms", "keys", "timer_list" };

static int proc_protect(int proc_fd, const char *name, bool hide) {
        _cleanup_(fd_closep) int target_fd = -EBADF, mount_fd = -EBADF;

        target_fd = openat(proc_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (target_fd < 0)
                return errno == ENOENT ? 0 : -errno; /* this kernel does not have it */
        int r = mount_clone(hide ? AT_FDCWD : proc_fd, hide ? "/dev/null" : name, false, &mount_fd);
        if (r < 0)
                return r;
        r = mount_set_read_only(mount_fd, false);
        if (r < 0)
                return r;
        return mount_attach(mount_fd, target_fd);
}

static int run_proc(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int proc_fd = -EBADF;

        int r = setup_mount(setup, operation, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
        if (r < 0)
                return r;
        r = setup_open_mounted(setup, operation->target, &proc_fd);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(proc_read_only); i++) {
                r = proc_protect(proc_fd, proc_read_only[i], false);
                if (r < 0)
                        return reason_set(reason, r, "make /proc/%s read-only: %m", proc_read_only[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(proc_hidden); i++) {
                r = proc_protect(proc_fd, proc_hidden[i], true);
                if (r < 0)
                        return reason_set(reason, r, "hide /proc/%s: %m", proc_hidden[i]);
        }
        return 0;
}

static int run_sys(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int target_fd = -EBADF, mount_fd = -EBADF;

        int r = sandbox_target_make(setup->root_fd, operation->target, SANDBOX_TARGET_DIRECTORY,
                                    setup->channel_fd, &target_fd);
        if (r < 0)
                return r;
        r = mount_filesystem(target_fd, "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
        if (r == -EPERM || r == -EBUSY) {
                /* With the host's network: a user namespace may not mount its /sys, and the same may not be mounted twice
                 * in one place, where the host's tree is the root. */
                r = mount_clone(AT_FDCWD, "/sys", true, &mount_fd);
                if (r < 0)
                        return r;
                r = mount_set_read_only(mount_fd, true);
                if (r < 0)
                        return r;
                return mount_attach(mount_fd, target_fd);
        }
        if (r < 0)
                return r;

        /* The mount is made read-only, not the file system: with the host's network that is the host's. */
        r = setup_open_mounted(setup, operation->target, &mount_fd);
        if (r < 0)
                return r;
        return mount_set_read_only(mount_fd, false);
}

static int run_cgroups(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        return setup_mount(setup, operation, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int run_root_read_only(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        return mount_set_read_only(setup->root_fd, false);
}

static int run_enter_root(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int old_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        unsigned n_detached = 0;

        if (old_fd < 0 || fchdir(setup->root_fd) < 0)
                return -errno;
        /* The old root goes on top of the new one, and away from there: pivot_root(2), "pivot_root(".", ".")". */
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return -errno;
        /* What was stacked on it below the new root is unmounted first, one by one, and it with all the rest last. */
        if (fchdir(old_fd) < 0)
                return -errno;
        while (umount2(".", MNT_DETACH) == 0)
                n_detached++;
        if (errno != EINVAL || n_detached == 0)
                return -errno;
        if (chdir("/") < 0)
                return -errno;
        setup->root_fd = fd_close(setup->root_fd);
        return 0;
}

/* clang-format off */
const SandboxOperationType SANDBOX_OPERATION_ROOT           = { "root",           SANDBOX_STAGE_INIT, run_root };
const SandboxOperationType SANDBOX_OPERATION_BIND           = { "bind",           SANDBOX_STAGE_INIT, run_bind };
const SandboxOperationType SANDBOX_OPERATION_BIND_READ_ONLY = { "bind-read-only", SANDBOX_STAGE_INIT, run_bind };
const SandboxOperationType SANDBOX_OPERATION_TMPFS          = { "tmpfs",          SANDBOX_STAGE_INIT, run_tmpfs };
const SandboxOperationType SANDBOX_OPERATION_DEV            = { "dev",            SANDBOX_STAGE_INIT, run_dev };
const SandboxOperationType SANDBOX_OPERATION_PROC           = { "proc",           SANDBOX_STAGE_INIT, run_proc };
const SandboxOperationType SANDBOX_OPERATION_SYS            = { "sys",            SANDBOX_STAGE_INIT, run_sys };
const SandboxOperationType SANDBOX_OPERATION_CGROUPS        = { "cgroups",        SANDBOX_STAGE_INIT, run_cgroups };
const SandboxOperationType SANDBOX_OPERATION_OVERLAY        = { "overlay",        SANDBOX_STAGE_INIT, run_overlay };
const SandboxOperationType SANDBOX_OPERATION_ROOT_READ_ONLY = { "root-read-only", SANDBOX_STAGE_INIT, run_root_read_only };
const SandboxOperationType SANDBOX_OPERATION_ENTER_ROOT     = { "enter-root",     SANDBOX_STAGE_INIT, run_enter_root };
/* clang-format on */
