/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of btrfs share: a disk in memory to grow trees on, and a reader of trees, which sees for itself that
 * sums, addresses, levels and the order of keys are right. */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "format/btrfs.h"
#include "temporary-directory.h"

#define TIME_MAX INT64_C(1700000000)

static const FilesystemOptions options = {
        .label = "label",
        .uuid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
        .time = TIME_MAX,
};

typedef struct Found {
        struct btrfs_key key;
        uint8_t *data;
        uint32_t size;
} Found;

/* The items of a tree. */
typedef struct Items {
        Found *items;
        size_t n_items, n_blocks, room;
        uint64_t owner;
} Items;

_unused_ static void items_done(Items *items) {
        for (size_t i = 0; i < items->n_items; i++)
                free(items->items[i].data);
        free(items->items);
        *items = (Items){};
}

static struct btrfs_key decode_key(const struct btrfs_disk_key *key) {
        return (struct btrfs_key){ le64toh(key->objectid), key->type, le64toh(key->offset) };
}

static void add_found(Items *items, struct btrfs_key key, const uint8_t *data, uint32_t size) {
        if (items->n_items == items->room) {
                items->room = 2 * items->room + 16;
                items->items = reallocarray(items->items, items->room, sizeof(Found));
                assert_non_null(items->items);
        }
        if (items->n_items > 0)
                assert_true(btrfs_key_compare(items->items[items->n_items - 1].key, key) < 0);
        Found *found = &items->items[items->n_items++];
        *found = (Found){ .key = key, .data = malloc(size + 1), .size = size };
        assert_non_null(found->data);
        memcpy(found->data, data, size);
}

static void read_block(int fd, uint64_t address, unsigned level, Items *items);

static void read_leaf(const uint8_t *block, Items *items) {
        const BtrfsHeader *header = (const BtrfsHeader *)block;
        const BtrfsItem *item = (const BtrfsItem *)(header + 1);
        uint32_t end = BTRFS_LEAF_ROOM;

        for (uint32_t i = 0; i < le32toh(header->n_items); i++) {
                const uint32_t offset = le32toh(item[i].offset), size = le32toh(item[i].size);

                assert_int_equal(offset + size, end);
                end = offset;
                assert_true(offset >= (i + 1) * sizeof(BtrfsItem));
                add_found(items, decode_key(&item[i].key), block + sizeof(BtrfsHeader) + offset, size);
        }
}

static void read_block(int fd, uint64_t address, unsigned level, Items *items) {
        _cleanup_(freep) uint8_t *block = malloc(BTRFS_NODE_SIZE);
        const BtrfsHeader *header = (const BtrfsHeader *)block;
        uint32_t sum;

        assert_non_null(block);
        assert_int_equal(fd_pread_all(fd, block, BTRFS_NODE_SIZE, address), 0);
        memcpy(&sum, header->checksum, sizeof(sum));
        assert_int_equal(le32toh(sum), ~crc32c(UINT32_MAX, block + 32, BTRFS_NODE_SIZE - 32));
        assert_int_equal(le64toh(header->address), address);
        assert_int_equal(header->level, level);
        assert_int_equal(le64toh(header->owner), items->owner);
        assert_int_equal(le64toh(header->generation), BTRFS_GENERATION);
        items->n_blocks++;
        if (level == 0) {
                read_leaf(block, items);
                return;
        }

        const BtrfsPointer *pointers = (const BtrfsPointer *)(header + 1);
        assert_true(header->n_items > 0);
        for (uint32_t i = 0; i < le32toh(header->n_items); i++) {
                const size_t n = items->n_items;

                read_block(fd, le64toh(pointers[i].address), level - 1, items);
                assert_true(items->n_items > n);
                assert_int_equal(btrfs_key_compare(items->items[n].key, decode_key(&pointers[i].key)), 0);
        }
}

static void read_tree(int fd, uint64_t owner, uint64_t address, unsigned level, Items *ret) {
        *ret = (Items){ .owner = owner };
        read_block(fd, address, level, ret);
}

/* The item with the key; there must be one. */
_unused_ static const Found *find_item(const Items *items, uint64_t objectid, uint8_t type, uint64_t offset) {
        for (size_t i = 0; i < items->n_items; i++)
                if (btrfs_key_compare(items->items[i].key, (struct btrfs_key){ objectid, type, offset }) == 0)
                        return &items->items[i];
        fail_msg("there is no item (%llu %u %llu)", (unsigned long long)objectid, type,
                 (unsigned long long)offset);
        return NULL;
}

_unused_ static size_t count_items(const Items *items, uint64_t objectid, uint8_t type) {
        size_t n = 0;

        for (size_t i = 0; i < items->n_items; i++)
                n += items->items[i].key.objectid == objectid && items->items[i].key.type == type;
        return n;
}

/* Where trees grow. */
typedef struct Ground {
        FilesystemPlace place;
        BtrfsOutput output;
        BtrfsSpace space;
        BtrfsForest forest;
} Ground;

_unused_ static void ground_init(Ground *ground) {
        *ground = (Ground){ .place = { .fd = memfd_create("disk", MFD_CLOEXEC) } };
        assert_true(ground->place.fd >= 0);
        assert_int_equal(btrfs_output_init(&ground->output, &ground->place), 0);
        ground->forest =
                (BtrfsForest){ .uuid = options.uuid, .output = &ground->output, .space = &ground->space };
}

_unused_ static void ground_done(Ground *ground) {
        btrfs_forest_done(&ground->forest);
        btrfs_output_done(&ground->output);
        btrfs_space_done(&ground->space);
        (void)fd_close(ground->place.fd);
}

/* Ends the tree, and reads it again. */
_unused_ static void ground_finish(Ground *ground, BtrfsTree *tree, Items *ret) {
        assert_int_equal(btrfs_tree_finish(tree), 0);
        assert_int_equal(btrfs_output_flush(&ground->output), 0);
        read_tree(ground->place.fd, tree->owner, tree->address, tree->level, ret);
        assert_int_equal(ret->n_blocks, tree->n_blocks);
        btrfs_tree_done(tree);
}

/* What a function fills a tree with. */
_unused_ static void ground_fill(Ground *ground, int (*fill)(const BtrfsImage *, BtrfsTree *),
                                 const BtrfsImage *image, Items *ret) {
        BtrfsTree tree;

        btrfs_tree_init(&tree, &ground->forest, 77, BTRFS_BLOCK_GROUP_METADATA);
        assert_int_equal(fill(image, &tree), 0);
        ground_finish(ground, &tree, ret);
}

_unused_ static Tree *load_tree(void) {
        Tree *tree = NULL;

        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        return tree;
}

_unused_ static BtrfsPlan *make_plan(const Tree *tree, const FilesystemOptions *with) {
        BtrfsPlan *plan = NULL;

        assert_int_equal(btrfs_plan_new(tree, with, &plan, NULL), 0);
        return plan;
}

/* A file with bytes of its own that do not compress, or do. */
_unused_ static void make_file(const char *path, size_t size, bool compressible) {
        _cleanup_(freep) uint8_t *data = malloc(size + 1);
        uint32_t number = (uint32_t)size;

        assert_non_null(data);
        for (size_t i = 0; i < size; i++) {
                number = number * 1664525 + 1013904223;
                data[i] = (uint8_t)(number >> (compressible ? 31 : 24));
        }
        assert_int_equal(file_write(AT_FDCWD, path, data, size, 0644), 0);
}

_unused_ static int enter_with_tree(void **state) {
        return temporary_directory_enter(state) < 0 ? -1 : mkdir("tree", 0755);
}

#define unit_test_with_tree(function) \
        cmocka_unit_test_setup_teardown(function, enter_with_tree, temporary_directory_leave)
