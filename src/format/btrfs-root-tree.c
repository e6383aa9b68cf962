/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The root tree says where all other trees are, and which subvolume lies in which directory. */

#include <string.h>
#include <sys/stat.h>

#include "format/btrfs.h"

/* The root tree has a directory of its own, with the name of the subvolume that is mounted by default. */
#define DEFAULT_NAME "default"

static int add(BtrfsTree *tree, struct btrfs_key key, const void *head, size_t head_size, const char *name) {
        const size_t length = strlen(name);
        void *to;

        const int r = btrfs_tree_add(tree, key, head_size + length, &to);
        if (r < 0)
                return r;
        memcpy(to, head, head_size);
        memcpy((uint8_t *)to + head_size, name, length);
        return 0;
}

static const BtrfsVolume *find_volume(const BtrfsPlan *plan, uint64_t id) {
        for (size_t i = 0; i < plan->n_volumes; i++)
                if (plan->volumes[i].id == id)
                        return &plan->volumes[i];
        return NULL;
}

static void encode_volume(const BtrfsPlan *plan, const BtrfsVolume *volume, struct btrfs_root_item *item) {
        if (plan->options->read_only)
                item->flags = htole64(BTRFS_ROOT_SUBVOL_RDONLY);
        memcpy(item->uuid, volume->uuid.bytes, sizeof(item->uuid));
        item->ctransid = item->otransid = htole64(BTRFS_GENERATION);
        btrfs_inode_encode_time(btrfs_time(plan, volume->node), &item->ctime);
        item->otime = item->ctime;
}

/* The inode in it is of no use but for the flag that says that the flags of the root are valid. */
static int add_root(const BtrfsImage *image, const BtrfsRoot *root, BtrfsTree *tree) {
        const BtrfsVolume *volume = find_volume(image->plan, root->id);
        const bool has_files = volume || root->id == BTRFS_DATA_RELOC_TREE_OBJECTID;
        struct btrfs_root_item item = {
                .inode = {
                        .generation = htole64(BTRFS_GENERATION),
                        .size = htole64(3),
                        .nbytes = htole64(BTRFS_NODE_SIZE),
                        .nlink = htole32(1),
                        .mode = htole32(S_IFDIR | 0755),
                        .flags = htole64(BTRFS_INODE_IS_OF_ROOT),
                },
                .generation = htole64(BTRFS_GENERATION),
                .root_dirid = htole64(has_files ? BTRFS_FIRST_FREE_OBJECTID : 0),
                .bytenr = htole64(root->address),
                .bytes_used = htole64(root->n_blocks * BTRFS_NODE_SIZE),
                .refs = htole32(1),
                .level = root->level,
                .generation_v2 = htole64(BTRFS_GENERATION),
        };

        if (volume)
                encode_volume(image->plan, volume, &item);
        return add(tree, (struct btrfs_key){ root->id, BTRFS_ROOT_ITEM_KEY, 0 }, &item, sizeof(item), "");
}

/* The same from both sides: the type says whether the key starts with the volume or with the one that it lies in. */
static int add_reference(const BtrfsPlan *plan, const BtrfsVolume *volume, uint8_t type, BtrfsTree *tree) {
        const TreeNode *directory = volume->node->parent;
        const uint64_t parent = btrfs_volume(plan, directory)->id;
        const struct btrfs_root_ref item = {
                .dirid = htole64(btrfs_inode(plan, directory)->number),
                .sequence = htole64(btrfs_inode(plan, volume->node)->index),
                .name_len = htole16((uint16_t)strlen(volume->node->name)),
        };

        return add(tree,
                   type == BTRFS_ROOT_REF_KEY ? (struct btrfs_key){ parent, type, volume->id }
                                              : (struct btrfs_key){ volume->id, type, parent },
                   &item, sizeof(item), volume->node->name);
}

static int add_references(const BtrfsPlan *plan, uint64_t id, BtrfsTree *tree) {
        const BtrfsVolume *volume = find_volume(plan, id);

        if (!volume)
                return 0;
        if (volume->node->parent) {
                const int r = add_reference(plan, volume, BTRFS_ROOT_BACKREF_KEY, tree);
                if (r < 0)
                        return r;
        }
        for (size_t i = 1; i < plan->n_volumes; i++) {
                const BtrfsVolume *other = &plan->volumes[i];

                if (btrfs_volume(plan, other->node->parent) != volume)
                        continue;
                const int r = add_reference(plan, other, BTRFS_ROOT_REF_KEY, tree);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The directory of the root tree, with the top volume under the name of the default. */
static int add_directory(const BtrfsImage *image, BtrfsTree *tree) {
        struct btrfs_inode_item inode = {
                .generation = htole64(BTRFS_GENERATION),
                .nbytes = htole64(BTRFS_NODE_SIZE),
                .nlink = htole32(1),
                .mode = htole32(S_IFDIR | 0755),
        };
        struct btrfs_dir_item entry = {
                .name_len = htole16(strlen(DEFAULT_NAME)),
                .type = BTRFS_FT_DIR,
        };

        btrfs_inode_encode_time((struct timespec){ .tv_sec = image->plan->options->time }, &inode.mtime);
        inode.atime = inode.ctime = inode.otime = inode.mtime;
        int r = add(tree, (struct btrfs_key){ BTRFS_ROOT_TREE_DIR_OBJECTID, BTRFS_INODE_ITEM_KEY, 0 }, &inode,
                    sizeof(inode), "");
        if (r < 0)
                return r;
        r = btrfs_directory_add_self(tree, BTRFS_ROOT_TREE_DIR_OBJECTID);
        if (r < 0)
                return r;

        btrfs_key_encode((struct btrfs_key){ BTRFS_FS_TREE_OBJECTID, BTRFS_ROOT_ITEM_KEY, UINT64_MAX },
                         &entry.location);
        return add(tree,
                   (struct btrfs_key){ BTRFS_ROOT_TREE_DIR_OBJECTID, BTRFS_DIR_ITEM_KEY,
                                       btrfs_name_hash(DEFAULT_NAME, strlen(DEFAULT_NAME)) },
                   &entry, sizeof(entry), DEFAULT_NAME);
}

int btrfs_fill_root_tree(const BtrfsImage *image, BtrfsTree *tree) {
        for (size_t i = 0; i < image->n_roots; i++) {
                const BtrfsRoot *root = &image->roots[i];
                const bool is_top = root->id == BTRFS_FS_TREE_OBJECTID;
                int r;

                if (root->id == BTRFS_ROOT_TREE_OBJECTID || root->id == BTRFS_CHUNK_TREE_OBJECTID)
                        continue; /* the super block tells of them */
                if (is_top) {
                        const struct btrfs_inode_ref name = { .name_len = htole16(strlen(DEFAULT_NAME)) };

                        r = add(tree,
                                (struct btrfs_key){ root->id, BTRFS_INODE_REF_KEY,
                                                    BTRFS_ROOT_TREE_DIR_OBJECTID },
                                &name, sizeof(name), DEFAULT_NAME);
                        if (r < 0)
                                return r;
                }
                r = add_root(image, root, tree);
                if (r < 0)
                        return r;
                r = add_references(image->plan, root->id, tree);
                if (r < 0)
                        return r;
                if (is_top) {
                        r = add_directory(image, tree);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
