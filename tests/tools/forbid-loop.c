/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a command that has no block device and cannot get one: /dev holds character devices only, block device nodes
 * cannot be made, and the ioctls of loop devices and the device mapper fail with EPERM. Needs root, as what it runs. */

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/macro.h"

#define IOCTL_TYPE_MASK UINT64_C(0xff00)
#define LOOP_IOCTL_TYPE UINT64_C(0x4c00)
#define DM_IOCTL_TYPE   ((uint64_t)DM_IOCTL << 8)

static const char *const device_nodes[] = {
        "full", "fuse", "null", "ptmx", "random", "tty", "urandom", "zero"
};
static const char *const device_directories[] = { "pts", "shm" };

static int keep_node(const char *name) {
        struct stat status;
        char path[64];

        (void)snprintf(path, sizeof(path), "/dev/%s", name);
        if (stat(path, &status) < 0)
                return errno == ENOENT ? 0 : -errno;
        (void)snprintf(path, sizeof(path), "/mnt/%s", name);
        if (mknod(path, S_IFCHR | (status.st_mode & 0777), status.st_rdev) < 0 ||
            chmod(path, status.st_mode & 0777) < 0)
                return -errno;
        return 0;
}

static int keep_directory(const char *name) {
        char from[64], to[64];

        (void)snprintf(from, sizeof(from), "/dev/%s", name);
        (void)snprintf(to, sizeof(to), "/mnt/%s", name);
        if (access(from, F_OK) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (mkdir(to, 0755) < 0 || mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
                return -errno;
        return 0;
}

/* In a mount namespace of our own, puts a /dev together at /mnt and then moves it into place. */
static int replace_devices(void) {
        int r = 0;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("devices", "/mnt", "tmpfs", MS_NOSUID, "mode=0755") < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(device_nodes) && r == 0; i++)
                r = keep_node(device_nodes[i]);
        for (size_t i = 0; i < ELEMENTSOF(device_directories) && r == 0; i++)
                r = keep_directory(device_directories[i]);
        if (r < 0)
                return r;
        if (symlink("/proc/self/fd", "/mnt/fd") < 0 || symlink("fd/0", "/mnt/stdin") < 0 ||
            symlink("fd/1", "/mnt/stdout") < 0 || symlink("fd/2", "/mnt/stderr") < 0 ||
            mount("/mnt", "/dev", NULL, MS_MOVE, NULL) < 0)
                return -errno;
        return 0;
}

static inline void filter_freep(scmp_filter_ctx *filter) {
        seccomp_release(*filter);
}

static int forbid(void) {
        _cleanup_(filter_freep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        const struct {
                int call;
                struct scmp_arg_cmp argument;
        } rules[] = {
                { SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, IOCTL_TYPE_MASK, LOOP_IOCTL_TYPE) },
                { SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, IOCTL_TYPE_MASK, DM_IOCTL_TYPE) },
                { SCMP_SYS(mknod), SCMP_A1(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFBLK) },
                { SCMP_SYS(mknodat), SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFBLK) },
        };
        int r;

        if (!filter)
                return -ENOMEM;
        /* What is run may gain privileges by set-user-ID programs, as it would without us. */
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
        for (size_t i = 0; i < ELEMENTSOF(rules) && r == 0; i++)
                r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), rules[i].call, 1,
                                           &rules[i].argument);
        return r < 0 ? r : seccomp_load(filter);
}

int main(int argc, char **argv) {
        if (argc < 2) {
                (void)fprintf(stderr, "Usage: forbid-loop COMMAND [ARGUMENT...]\n");
                return EXIT_FAILURE;
        }

        int r = replace_devices();
        if (r == 0)
                r = forbid();
        if (r < 0) {
                (void)fprintf(stderr, "Cannot take the block devices away: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        (void)execvp(argv[1], argv + 1);
        (void)fprintf(stderr, "Cannot run %s: %s\n", argv[1], strerror(errno));
        return EXIT_FAILURE;
}
