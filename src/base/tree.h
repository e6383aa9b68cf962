/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory with all that lies below it, read into memory in an order that depends on names only. Everything that
 * turns a directory into something else (file systems, archives, copies, sizes) reads this, so that the order of inodes
 * on disk never shows in what we write. */

#include <sys/stat.h>

#include "base/macro.h"
#include "base/reason.h"

typedef struct TreeNode TreeNode;

struct TreeNode {
        char *name;          /* the last component; "" for the root */
        TreeNode *parent;    /* NULL for the root */
        TreeNode **children; /* directories only: sorted bytewise by name */
        size_t n_children;
        const TreeNode *original; /* hard link: the first node, in tree order, of the same inode; else NULL */
        unsigned n_links;         /* names this inode has within the tree; on the first node of it only */
        struct stat status;       /* lstat(): st_mode, st_uid, st_gid, st_rdev, st_size, st_mtim … */
        char *target;             /* symbolic links only */
        size_t index;             /* position in Tree.nodes */
};

typedef struct Tree {
        int root_fd;
        TreeNode **nodes; /* all nodes in tree order: a directory before its children; nodes[0] is the root */
        size_t n_nodes;
} Tree;

typedef struct TreeAttribute {
        char *name; /* "security.capability", "user.x", "system.posix_acl_access" as the kernel shows them */
        void *value;
        size_t size;
} TreeAttribute;

typedef struct TreeAttributes {
        TreeAttribute *items; /* sorted bytewise by name */
        size_t n_items;
} TreeAttributes;

/* Deeper trees than this are refused with -ELOOP: nothing sane is, and every level keeps a descriptor open. */
#define TREE_DEPTH_MAX 500

/* What is to be loaded of a tree: a node that is not wanted is left out with all that lies below it, which is not even
 * looked at. The path is relative to the root; the status is that of lstat(). */
typedef struct TreeFilter {
        bool (*wanted)(const char *path, const struct stat *status, void *userdata);
        void *userdata;
} TreeFilter;

/* Loads the tree below the directory; a symbolic link at the path itself is followed, those below are not. Whatever is
 * mounted below enters as an empty directory. The Tree keeps a descriptor of its own. -EINTR after interrupt_check(). */
int tree_load(int dir_fd, const char *path, Tree **ret, Reason *reason);
/* The same of what the filter wants; NULL: all. */
int tree_load_filtered(int dir_fd, const char *path, const TreeFilter *filter, Tree **ret, Reason *reason);
void tree_free(Tree *tree);
DEFINE_CLEANUP(Tree, tree_free)

/* The node at a relative path ("etc/passwd"), or NULL. Symbolic links are not followed. */
const TreeNode *tree_find(const Tree *tree, const char *path);

/* The node's path relative to the root, "." for the root itself. */
int tree_node_path(const TreeNode *node, char **ret);

/* Opens a regular file or directory of the tree for reading, strictly below the root. -ESTALE if it is another inode
 * than the one that was loaded. */
int tree_open(const Tree *tree, const TreeNode *node);

/* -ESTALE if what the descriptor refers to is another inode than the one that was loaded, or of another kind. */
int tree_node_verify(const TreeNode *node, int fd);

/* All extended attributes of the node (its own, also for symbolic links). A file system without them answers none. */
int tree_read_attributes(const Tree *tree, const TreeNode *node, TreeAttributes *ret);
/* The same for what tree_open() has opened already. */
int tree_read_open_attributes(int fd, TreeAttributes *ret);
void tree_attributes_done(TreeAttributes *attributes);

/* Opens a directory to read it. A symbolic link is -ELOOP or -ENOTDIR, a directory that is mounted over is -EXDEV. */
int tree_open_directory(int dir_fd, const char *name);

/* Takes what lies in the directory at the path, which must be one, out of the tree, and makes a tree of its own of it: the
 * directory stays as an empty one, and becomes the root there. Names of one inode on both sides become two inodes. -ENOENT
 * or -ENOTDIR when there is no such directory; after any other failure the tree is fit for nothing but tree_free(). */
int tree_split(Tree *tree, const char *path, Tree **ret);

/* Deletes what lies at the path, whole, without following symbolic links or entering what is mounted (-EXDEV). Subvolumes
 * of btrfs are deleted too, read-only ones included. Nothing there is fine. */
int tree_remove(int dir_fd, const char *path);
