/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/btrfs.h"

/* Directories count their names from 2: "." and ".." would be 0 and 1. */
#define NAME_INDEX_FIRST 2

void btrfs_plan_free(BtrfsPlan *plan) {
        if (!plan)
                return;
        free(plan->volumes);
        free(plan->inodes);
        tree_walk_done(&plan->walk);
        free(plan);
}

struct timespec btrfs_time(const BtrfsPlan *plan, const TreeNode *node) {
        const struct timespec time = node->status.st_mtim;

        return time.tv_sec < plan->options->time ? time : (struct timespec){ .tv_sec = plan->options->time };
}

static int add_volume(BtrfsPlan *plan, const TreeNode *node) {
        _cleanup_(freep) char *path = NULL, *purpose = NULL;
        BtrfsVolume *volume = &plan->volumes[plan->n_volumes];

        int r = tree_node_path(node, &path);
        if (r < 0)
                return r;
        r = text_format(&purpose, "btrfs subvolume %s", path);
        if (r < 0)
                return r;
        r = uuid_derive(plan->options->uuid, purpose, &volume->uuid);
        if (r < 0)
                return r;

        volume->node = node;
        volume->id = plan->n_volumes == BTRFS_VOLUME_TOP ? BTRFS_FS_TREE_OBJECTID
                                                         : BTRFS_FIRST_FREE_OBJECTID + plan->n_volumes - 1;
        plan->inodes[node->index].volume = (uint32_t)plan->n_volumes++;
        return 0;
}

/* Marks the directories that are to be volumes, and counts them; there may be none of a name that was asked for. */
static size_t find_volumes(const BtrfsPlan *plan, bool *marks) {
        size_t n = 1;

        marks[0] = true;
        for (const char *const *path = plan->options->subvolumes; path && *path; path++) {
                const TreeNode *node = tree_find(plan->tree, *path);

                if (!node || !S_ISDIR(node->status.st_mode) || marks[node->index])
                        continue;
                marks[node->index] = true;
                n++;
        }
        return n;
}

/* The first name of the node's inode in the node's volume, which may be the node itself. The chain starts at the first
 * name of all, whose own inode need not be in this volume: the first names of other volumes follow by "others". */
static const TreeNode *find_first(const BtrfsPlan *plan, const TreeNode *node, const TreeNode **others) {
        const uint32_t volume = btrfs_inode(plan, node)->volume;
        const TreeNode *first = node->original;

        for (; first; first = others[first->index])
                if (btrfs_inode(plan, first)->volume == volume)
                        return first;

        others[node->index] = others[node->original->index];
        others[node->original->index] = node;
        return node;
}

static void plan_node(BtrfsPlan *plan, const TreeNode *node, const TreeNode **others) {
        BtrfsInode *inode = btrfs_inode(plan, node);
        BtrfsVolume *volume = &plan->volumes[inode->volume];

        for (size_t i = 0; i < node->n_children; i++)
                btrfs_inode(plan, node->children[i])->index = NAME_INDEX_FIRST + i;

        inode->first = node->original ? find_first(plan, node, others) : node;
        BtrfsInode *first = btrfs_inode(plan, inode->first);
        if (first == inode)
                inode->number = BTRFS_FIRST_FREE_OBJECTID + volume->n_inodes++;
        else {
                inode->number = first->number;
                btrfs_inode(plan, first->last)->next = node;
        }
        first->last = node;
        first->n_names++;
}

static int plan_nodes(BtrfsPlan *plan, const bool *is_volume) {
        const Tree *tree = plan->tree;
        _cleanup_(freep) const TreeNode **others = calloc(tree->n_nodes, sizeof(TreeNode *));

        if (!others)
                return -ENOMEM;
        for (size_t i = 0; i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i];

                if (is_volume[i]) {
                        const int r = add_volume(plan, node);
                        if (r < 0)
                                return r;
                } else
                        plan->inodes[i].volume = btrfs_inode(plan, node->parent)->volume;
                plan_node(plan, node, others);
        }
        return 0;
}

int btrfs_plan_new(const Tree *tree, const FilesystemOptions *options, BtrfsPlan **ret, Reason *reason) {
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = calloc(1, sizeof(BtrfsPlan));
        _cleanup_(freep) bool *is_volume = calloc(tree->n_nodes, sizeof(bool));
        int r;

        if (!plan || !is_volume)
                return -ENOMEM;
        plan->tree = tree;
        plan->walk = tree_walk(tree);
        plan->options = options;
        if (options->label && strlen(options->label) >= BTRFS_LABEL_SIZE)
                return reason_set(reason, -EINVAL, "'%s' is longer than a label of btrfs, which has %d bytes",
                                  options->label, BTRFS_LABEL_SIZE - 1);

        plan->inodes = calloc(tree->n_nodes, sizeof(BtrfsInode));
        plan->volumes = calloc(find_volumes(plan, is_volume), sizeof(BtrfsVolume));
        if (!plan->inodes || !plan->volumes)
                return -ENOMEM;
        r = plan_nodes(plan, is_volume);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(plan);
        return 0;
}
