/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "sandbox/view-devices.h"
#include "sandbox/view-tree.h"

/* Nobody but root can make anything in there, and this is enough for the directory itself. */
#define DEVICES_OPTIONS "mode=0755,size=4m,nr_inodes=64k,nosuid,noexec,strictatime"

/* What is taken from the host. */
typedef struct DeviceNode {
        const char *name;
        mode_t type;   /* what it must be; 0: what it is */
        bool required; /* the others are passed over where the host has none */
} DeviceNode;

/* clang-format off */
static const DeviceNode nodes[] = {
        { "null",      S_IFCHR, true },
        { "zero",      S_IFCHR, true },
        { "full",      S_IFCHR, true },
        { "random",    S_IFCHR, true },
        { "urandom",   S_IFCHR, true },
        { "tty",       S_IFCHR, true },
        { "pts",       S_IFDIR },
        { "shm",       S_IFDIR },
        { "mqueue",    S_IFDIR },
        { "hugepages", S_IFDIR },
        { "log" },  /* the socket of syslog(3), or a link to it */
};

/* The other end of terminals: a device, or a link into "pts". The kernel looks for "pts" beside the device, and not
 * where it is bound to, so it has to be made. */
#define TERMINALS "ptmx"
#define TERMINALS_LINK "pts/ptmx"

static const struct {
        const char *name, *target;
} links[] = {
        { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" },
};
/* clang-format on */
static_assert(ELEMENTSOF(nodes) <= VIEW_DEVICES_MAX, "every node has a descriptor");

void view_devices_init(ViewDevices *devices) {
        devices->tree_fd = -EBADF;
        for (size_t i = 0; i < ELEMENTSOF(devices->node_fds); i++)
                devices->node_fds[i] = -EBADF;
}

void view_devices_done(ViewDevices *devices) {
        devices->tree_fd = fd_close(devices->tree_fd);
        for (size_t i = 0; i < ELEMENTSOF(devices->node_fds); i++)
                devices->node_fds[i] = fd_close(devices->node_fds[i]);
}

static int link_copy(int dev_fd, const char *name, int tree_fd) {
        char target[PATH_MAX];

        const ssize_t n = readlinkat(dev_fd, name, target, sizeof(target));
        if (n < 0)
                return -errno;
        if (n >= (ssize_t)sizeof(target))
                return -ENAMETOOLONG;
        target[n] = '\0';
        return symlinkat(target, tree_fd, name) < 0 ? -errno : 0;
}

static int node_open(int dev_fd, const DeviceNode *node, int tree_fd, int *ret_fd) {
        struct stat status;

        if (fstatat(dev_fd, node->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT && !node->required ? 0 : -errno;
        if (node->type == 0 && S_ISLNK(status.st_mode))
                return link_copy(dev_fd, node->name, tree_fd);
        if (node->type != 0 && (status.st_mode & S_IFMT) != node->type)
                return node->required ? -ENODEV : 0;

        int r = view_tree_make_target(tree_fd, node->name, S_ISDIR(status.st_mode));
        if (r < 0)
                return r;
        return view_tree_clone(dev_fd, node->name, S_ISDIR(status.st_mode), ret_fd);
}

/* Who may make no devices, as in many containers, has what "pts" has: that may be for root alone. */
static int terminals_make(int dev_fd, int tree_fd) {
        struct stat status;

        if (fstatat(dev_fd, TERMINALS, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISLNK(status.st_mode))
                return link_copy(dev_fd, TERMINALS, tree_fd);
        if (mknodat(tree_fd, TERMINALS, S_IFCHR, makedev(5, 2)) < 0) {
                if (errno != EPERM)
                        return -errno;
                return symlinkat(TERMINALS_LINK, tree_fd, TERMINALS) < 0 ? -errno : 0;
        }
        return fchmodat(tree_fd, TERMINALS, 0666, 0) < 0 ? -errno : 0;
}

int view_devices_open(int root_fd, ViewDevices *ret, Reason *reason) {
        _cleanup_(view_devices_done) ViewDevices devices;
        _cleanup_(fd_closep) int dev_fd = openat(root_fd, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);

        view_devices_init(&devices);
        if (dev_fd < 0)
                return reason_set(reason, -errno, "the host's /dev: %m");
        int r = view_tree_tmpfs(DEVICES_OPTIONS, &devices.tree_fd, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                r = node_open(dev_fd, &nodes[i], devices.tree_fd, &devices.node_fds[i]);
                if (r < 0)
                        return reason_set(reason, r, "the host's /dev/%s: %m", nodes[i].name);
        }
        r = terminals_make(dev_fd, devices.tree_fd);
        if (r < 0)
                return reason_set(reason, r, "%s in the new /dev: %m", TERMINALS);
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlinkat(links[i].target, devices.tree_fd, links[i].name) < 0)
                        return reason_set(reason, -errno, "link %s in the new /dev: %m", links[i].name);

        *ret = devices;
        view_devices_init(&devices);
        return 0;
}

int view_devices_attach(const ViewDevices *devices, int target_fd, Reason *reason) {
        int r = view_tree_attach(devices->tree_fd, target_fd);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                _cleanup_(fd_closep) int fd = -EBADF;

                if (devices->node_fds[i] < 0)
                        continue;
                fd = openat(devices->tree_fd, nodes[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return reason_set(reason, -errno, "%s in the new /dev: %m", nodes[i].name);
                r = view_tree_attach(devices->node_fds[i], fd);
                if (r < 0)
                        return reason_set(reason, r, "%s in the new /dev: %m", nodes[i].name);
        }
        return 0;
}
