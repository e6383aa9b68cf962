/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Trees that no disk has to hold. */

#include <stdio.h>
#include <string.h>

#include "base/tree.h"

/* Makes a directory of regular files. The names are kept, not copied; they should be in bytewise order, as
 * tree_load() has them. */
static inline TreeNode *vfat_tree_new(const char *const *names, size_t n) {
        TreeNode *directory = calloc(1, sizeof(TreeNode)), *files = calloc(n + 1, sizeof(TreeNode));

        assert_true(directory && files);
        directory->name = (char *)"";
        directory->status.st_mode = S_IFDIR | 0755;
        directory->n_children = n;
        directory->children = calloc(n + 1, sizeof(TreeNode *));
        assert_non_null(directory->children);
        for (size_t i = 0; i < n; i++) {
                files[i] = (TreeNode){ .name = (char *)names[i], .parent = directory, .index = i + 1 };
                files[i].status.st_mode = S_IFREG | 0644;
                directory->children[i] = &files[i];
        }
        directory->children[n] = files; /* for vfat_tree_free() */
        return directory;
}

static inline void vfat_tree_free(TreeNode *directory) {
        free(directory->children[directory->n_children]);
        free(directory->children);
        free(directory);
}
DEFINE_CLEANUP(TreeNode, vfat_tree_free)
