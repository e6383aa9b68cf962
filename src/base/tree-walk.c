/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/tree-walk.h"

void tree_walk_done(TreeWalk *walk) {
        if (walk->directory)
                (void)fd_close(walk->directory_fd);
        walk->directory = NULL;
        walk->directory_fd = -EBADF;
}

/* Opens the directory that the node lies in, if another one is. */
static int enter_directory(TreeWalk *walk, const TreeNode *node) {
        if (walk->directory == node->parent)
                return 0;

        const int fd = tree_open(walk->tree, node->parent);
        if (fd < 0)
                return fd;
        tree_walk_done(walk);
        walk->directory = node->parent;
        walk->directory_fd = fd;
        return 0;
}

int tree_walk_open(TreeWalk *walk, const TreeNode *node) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (!node->parent)
                return tree_open(walk->tree, node);
        int r = enter_directory(walk, node);
        if (r < 0)
                return r;

        /* A single name, and no link is followed: that cannot leave the directory. The flags are those of tree_open(). */
        fd = openat(walk->directory_fd, node->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = tree_node_verify(node, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

int tree_walk_read_attributes(TreeWalk *walk, const TreeNode *node, TreeAttributes *ret) {
        char path[sizeof("/proc/self/fd//") + 3 * sizeof(int) + NAME_MAX];

        if (!node->parent)
                return tree_read_attributes(walk->tree, node, ret);
        const int r = enter_directory(walk, node);
        if (r < 0)
                return r;

        /* Most have none, which this one call says without opening anything. */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", walk->directory_fd, node->name);
        if (llistxattr(path, NULL, 0) == 0) {
                *ret = (TreeAttributes){};
                return 0;
        }
        return tree_read_attributes(walk->tree, node, ret);
}
