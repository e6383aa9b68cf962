/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opens the nodes of a tree one after another. The directory of the last one stays open, so that most are looked up by a
 * single name, and not by their whole path: made for tree order, right in any. */

#include "base/tree.h"

typedef struct TreeWalk {
        const Tree *tree;
        const TreeNode *directory; /* NULL: none is open yet */
        int directory_fd;
} TreeWalk;

static inline TreeWalk tree_walk(const Tree *tree) {
        return (TreeWalk){ .tree = tree, .directory_fd = -EBADF };
}

/* One of zeros only is fine. */
void tree_walk_done(TreeWalk *walk);

/* As tree_open() and tree_read_attributes(). Where there are no attributes, it is not looked whether the node is the
 * inode that was loaded. */
int tree_walk_open(TreeWalk *walk, const TreeNode *node);
int tree_walk_read_attributes(TreeWalk *walk, const TreeNode *node, TreeAttributes *ret);
