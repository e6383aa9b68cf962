/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Directories as the kernel writes them: one block of entries, or, for more, leaves in the order of the names' hashes
 * below an index of one or two levels ("hash tree directories"). */

#include <stddef.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

#include "base/text.h"
#include "format/ext4.h"

/* The tail with the checksum of a block of entries; those of index blocks are 8 bytes. */
#define LEAF_SIZE (EXT4_BLOCK_SIZE - sizeof(struct ext2_dir_entry_tail))
#define DOTS_SIZE 24 /* "." and ".." */

#define ROOT_OFFSET (DOTS_SIZE + sizeof(struct ext2_dx_root_info))
#define ROOT_LIMIT \
        ((EXT4_BLOCK_SIZE - ROOT_OFFSET - sizeof(struct ext2_dx_tail)) / sizeof(struct ext2_dx_entry))
#define NODE_OFFSET 8 /* an entry without a name */
#define NODE_LIMIT \
        ((EXT4_BLOCK_SIZE - NODE_OFFSET - sizeof(struct ext2_dx_tail)) / sizeof(struct ext2_dx_entry))

/* e2fsck moves what it finds into lost+found, and must not have to allocate for it: mke2fs leaves as much room. */
#define LOST_AND_FOUND_BLOCKS 4

typedef struct Entry {
        const char *name;
        size_t length;
        uint32_t inode;
        uint8_t type;
        uint32_t hash, minor_hash;
} Entry;

typedef struct Directory {
        Entry *entries;
        size_t n_entries;
        uint32_t inode, parent;

        uint8_t *blocks;
        size_t n_blocks;

        uint32_t *hashes; /* of the first entry of each leaf */
        size_t n_leaves;
} Directory;

static void directory_done(Directory *directory) {
        free(directory->entries);
        free(directory->blocks);
        free(directory->hashes);
}

static uint8_t entry_type(mode_t mode) {
        switch (mode & S_IFMT) {
        case S_IFREG:
                return EXT2_FT_REG_FILE;
        case S_IFDIR:
                return EXT2_FT_DIR;
        case S_IFCHR:
                return EXT2_FT_CHRDEV;
        case S_IFBLK:
                return EXT2_FT_BLKDEV;
        case S_IFIFO:
                return EXT2_FT_FIFO;
        case S_IFSOCK:
                return EXT2_FT_SOCK;
        case S_IFLNK:
                return EXT2_FT_SYMLINK;
        default:
                return EXT2_FT_UNKNOWN;
        }
}

static size_t entry_size(size_t name_length) {
        return align_up(8 + name_length, 4);
}

static int directory_add(Directory *directory, const char *name, uint32_t inode, mode_t mode) {
        const size_t length = strlen(name);

        if (length > EXT2_NAME_LEN)
                return -ENAMETOOLONG;
        directory->entries[directory->n_entries++] = (Entry){
                .name = name,
                .length = length,
                .inode = inode,
                .type = entry_type(mode),
        };
        return 0;
}

static int directory_collect(const Ext4Plan *plan, const Ext4Inode *inode, Directory *directory) {
        const TreeNode *node = inode->node;
        const size_t n_children = node ? node->n_children : 0;
        int r;

        directory->inode = inode->number;
        directory->parent = node && node->parent ? plan->numbers[node->parent->index] : EXT2_ROOT_INO;
        directory->entries = calloc(n_children + 1, sizeof(Entry));
        if (!directory->entries)
                return -ENOMEM;

        /* The lost+found that the tree does not have is the inode after the root. */
        if (inode->number == EXT2_ROOT_INO && plan->n_inodes > 1 && !plan->inodes[1].node) {
                r = directory_add(directory, "lost+found", plan->inodes[1].number, S_IFDIR);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n_children; i++) {
                const TreeNode *child = node->children[i];

                r = directory_add(directory, child->name, plan->numbers[child->index], child->status.st_mode);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int directory_add_blocks(Directory *directory, size_t n) {
        uint8_t *more = realloc(directory->blocks, (directory->n_blocks + n) * EXT4_BLOCK_SIZE);

        if (!more)
                return -ENOMEM;
        memset(more + directory->n_blocks * EXT4_BLOCK_SIZE, 0, n * EXT4_BLOCK_SIZE);
        directory->blocks = more;
        directory->n_blocks += n;
        return 0;
}

static void write_entry(uint8_t *at, uint32_t inode, const char *name, size_t length, uint8_t type,
                        size_t size) {
        struct ext2_dir_entry *entry = (struct ext2_dir_entry *)at;

        entry->inode = inode;
        entry->rec_len = (uint16_t)size;
        ext2fs_dirent_set_name_len(entry, (int)length);
        ext2fs_dirent_set_file_type(entry, type);
        memcpy(entry->name, name, length);
}

static void write_tail(uint8_t *block) {
        struct ext2_dir_entry_tail *tail = (struct ext2_dir_entry_tail *)(block + LEAF_SIZE);

        tail->det_rec_len = sizeof(*tail);
        tail->det_reserved_name_len = EXT2_DIR_NAME_LEN_CSUM;
}

static void write_dots(const Directory *directory, uint8_t *block, size_t end) {
        write_entry(block, directory->inode, ".", 1, EXT2_FT_DIR, 12);
        write_entry(block + 12, directory->parent, "..", 2, EXT2_FT_DIR, end - 12);
}

/* Puts as many of the entries as fit behind the first used bytes of a block, and returns their number. */
static size_t fill_block(uint8_t *block, size_t used, const Entry *entries, size_t n_entries) {
        struct ext2_dir_entry *last = NULL;
        size_t n = 0;

        for (; n < n_entries; n++) {
                const Entry *entry = &entries[n];
                const size_t size = entry_size(entry->length);

                if (size > LEAF_SIZE - used)
                        break;
                last = (struct ext2_dir_entry *)(block + used);
                write_entry(block + used, entry->inode, entry->name, entry->length, entry->type, size);
                used += size;
        }

        /* The last entry owns what is left. */
        if (last)
                last->rec_len = (uint16_t)(block + LEAF_SIZE - (uint8_t *)last);
        write_tail(block);
        return n;
}

static int compare_entries(const void *a, const void *b) {
        const Entry *x = a, *y = b;

        if (x->hash != y->hash)
                return x->hash < y->hash ? -1 : 1;
        if (x->minor_hash != y->minor_hash)
                return x->minor_hash < y->minor_hash ? -1 : 1;
        return strcmp(x->name, y->name);
}

static int directory_sort(Directory *directory, Uuid hash_seed) {
        uint32_t seed[4];

        memcpy(seed, hash_seed.bytes, sizeof(seed));
        for (size_t i = 0; i < ELEMENTSOF(seed); i++)
                seed[i] = ext2fs_le32_to_cpu(seed[i]);

        for (size_t i = 0; i < directory->n_entries; i++) {
                Entry *entry = &directory->entries[i];

                if (ext2fs_dirhash2(EXT2_HASH_HALF_MD4, entry->name, (int)entry->length, NULL, 0, seed,
                                    &entry->hash, &entry->minor_hash) != 0)
                        return -EINVAL;
        }
        qsort(directory->entries, directory->n_entries, sizeof(Entry), compare_entries);
        return 0;
}

/* Counts the leaves that the sorted entries take, and notes where each begins. A hash that goes on from the leaf before
 * is marked by its lowest bit, which no hash has. */
static int directory_cut(Directory *directory) {
        size_t used = LEAF_SIZE;

        /* Even the longest names make 15 entries of a leaf; there are never more leaves than entries. */
        directory->hashes = calloc(directory->n_entries, sizeof(uint32_t));
        if (!directory->hashes)
                return -ENOMEM;

        for (size_t i = 0; i < directory->n_entries; i++) {
                const Entry *entry = &directory->entries[i];
                const size_t size = entry_size(entry->length);

                if (size > LEAF_SIZE - used) {
                        const bool goes_on = i > 0 && entry[-1].hash == entry->hash;

                        directory->hashes[directory->n_leaves++] = entry->hash | goes_on;
                        used = 0;
                }
                used += size;
        }
        return 0;
}

/* Index entries: the first one has no hash, but the limit and count in its place. */
static void write_index(uint8_t *block, size_t offset, size_t limit, const uint32_t *hashes, size_t stride,
                        size_t n, uint32_t first_block) {
        struct ext2_dx_entry *entries = (struct ext2_dx_entry *)(block + offset);
        struct ext2_dx_countlimit *count = (struct ext2_dx_countlimit *)entries;

        for (size_t i = 0; i < n; i++) {
                entries[i].hash = ext2fs_cpu_to_le32(hashes[i * stride]);
                entries[i].block = ext2fs_cpu_to_le32(first_block + (uint32_t)i);
        }
        count->limit = ext2fs_cpu_to_le16((uint16_t)limit);
        count->count = ext2fs_cpu_to_le16((uint16_t)n);
}

static void write_root(const Directory *directory, size_t n_nodes) {
        struct ext2_dx_root_info *info = (struct ext2_dx_root_info *)(directory->blocks + DOTS_SIZE);

        write_dots(directory, directory->blocks, EXT4_BLOCK_SIZE);
        info->hash_version = EXT2_HASH_HALF_MD4;
        info->info_length = sizeof(*info);
        info->indirect_levels = n_nodes > 0;
        if (n_nodes > 0)
                write_index(directory->blocks, ROOT_OFFSET, ROOT_LIMIT, directory->hashes, NODE_LIMIT,
                            n_nodes, 1);
        else
                write_index(directory->blocks, ROOT_OFFSET, ROOT_LIMIT, directory->hashes, 1,
                            directory->n_leaves, 1);
}

/* The root of the index, then its inner nodes if there are any, then the leaves. */
static int directory_build_index(Directory *directory, Uuid hash_seed) {
        int r = directory_sort(directory, hash_seed);
        if (r < 0)
                return r;
        r = directory_cut(directory);
        if (r < 0)
                return r;

        const size_t n_leaves = directory->n_leaves;
        const size_t n_nodes = n_leaves > ROOT_LIMIT ? divide_round_up(n_leaves, NODE_LIMIT) : 0;
        if (n_nodes > ROOT_LIMIT)
                return -EFBIG;
        r = directory_add_blocks(directory, 1 + n_nodes + n_leaves);
        if (r < 0)
                return r;

        write_root(directory, n_nodes);
        for (size_t i = 0; i < n_nodes; i++) {
                uint8_t *block = directory->blocks + (1 + i) * EXT4_BLOCK_SIZE;
                const size_t first = i * NODE_LIMIT;

                write_entry(block, 0, "", 0, 0, EXT4_BLOCK_SIZE);
                write_index(block, NODE_OFFSET, NODE_LIMIT, directory->hashes + first, 1,
                            MIN(n_leaves - first, NODE_LIMIT), (uint32_t)(1 + n_nodes + first));
        }

        const Entry *entries = directory->entries;
        size_t n_left = directory->n_entries;
        for (size_t i = 0; i < n_leaves; i++) {
                const size_t n = fill_block(directory->blocks + (1 + n_nodes + i) * EXT4_BLOCK_SIZE, 0,
                                            entries, n_left);
                entries += n;
                n_left -= n;
        }
        assert(n_left == 0);
        return 0;
}

static int directory_build_lost_and_found(Directory *directory) {
        int r = directory_add_blocks(directory, LOST_AND_FOUND_BLOCKS);
        if (r < 0)
                return r;

        write_dots(directory, directory->blocks, LEAF_SIZE);
        write_tail(directory->blocks);
        for (size_t i = 1; i < LOST_AND_FOUND_BLOCKS; i++) {
                uint8_t *block = directory->blocks + i * EXT4_BLOCK_SIZE;

                write_entry(block, 0, "", 0, 0, LEAF_SIZE);
                write_tail(block);
        }
        return 0;
}

static int directory_build(Directory *directory, Uuid hash_seed) {
        size_t size = DOTS_SIZE;

        for (size_t i = 0; i < directory->n_entries; i++)
                size += entry_size(directory->entries[i].length);
        if (size > LEAF_SIZE)
                return directory_build_index(directory, hash_seed);

        int r = directory_add_blocks(directory, 1);
        if (r < 0)
                return r;
        const bool empty = directory->n_entries == 0;
        write_dots(directory, directory->blocks, empty ? LEAF_SIZE : DOTS_SIZE);
        (void)fill_block(directory->blocks, DOTS_SIZE, directory->entries, directory->n_entries);
        return 0;
}

int ext4_directory_build(const Ext4Plan *plan, const Ext4Inode *inode, uint8_t **ret, size_t *ret_n_blocks) {
        _cleanup_(directory_done) Directory directory = {};

        int r = directory_collect(plan, inode, &directory);
        if (r < 0)
                return r;
        if (inode->node)
                r = directory_build(&directory, plan->options->hash_seed);
        else
                r = directory_build_lost_and_found(&directory);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(directory.blocks);
        *ret_n_blocks = directory.n_blocks;
        return 0;
}
