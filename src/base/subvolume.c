/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "base/tree.h"

int subvolume_supported(int fd) {
        struct statfs status;

        if (fstatfs(fd, &status) < 0)
                return -errno;
        return status.f_type == BTRFS_SUPER_MAGIC;
}

static int call(int dir_fd, unsigned long request, const char *name) {
        struct btrfs_ioctl_vol_args arguments = {};
        const size_t length = strlen(name);

        if (length == 0 || length >= sizeof(arguments.name) || strchr(name, '/'))
                return -EINVAL;
        memcpy(arguments.name, name, length);
        return ioctl(dir_fd, request, &arguments) < 0 ? -errno : 0;
}

int subvolume_create(int dir_fd, const char *name, mode_t mode) {
        _cleanup_(fd_closep) int fd = -EBADF;

        const int r = call(dir_fd, BTRFS_IOC_SUBVOL_CREATE, name);
        if (r < 0)
                return r;
        fd = tree_open_directory(dir_fd, name);
        if (fd < 0)
                return fd;
        return fchmod(fd, mode) < 0 ? -errno : 0;
}

int subvolume_is(int fd) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISDIR(status.st_mode) || status.st_ino != BTRFS_FIRST_FREE_OBJECTID)
                return 0;
        return subvolume_supported(fd);
}

int subvolume_get_read_only(int fd) {
        uint64_t flags;

        if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
                return -errno;
        return (flags & BTRFS_SUBVOL_RDONLY) != 0;
}

int subvolume_set_read_only(int fd, bool read_only) {
        uint64_t flags;

        if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
                return -errno;
        flags = read_only ? flags | BTRFS_SUBVOL_RDONLY : flags & ~(uint64_t)BTRFS_SUBVOL_RDONLY;
        return ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0 ? -errno : 0;
}

int subvolume_remove(int dir_fd, const char *name) {
        _cleanup_(fd_closep) int fd = tree_open_directory(dir_fd, name);

        if (fd < 0)
                return fd;
        const int r = subvolume_is(fd);
        if (r <= 0)
                return r < 0 ? r : -ENOTDIR;
        return call(dir_fd, BTRFS_IOC_SNAP_DESTROY, name);
}
