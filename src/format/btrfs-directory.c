/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Items that hold names: of directories, of an inode's names, of extended attributes. The first two exist twice, by the
 * sum of the name and by number, so that a name is found at once and listing has an order. */

#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/text.h"
#include "format/btrfs.h"

/* Kept together under a key: names with the same sum share an item. */
typedef struct Entry {
        uint64_t sort; /* the key's offset */
        size_t order;  /* among those of the same key */
        const void *subject;
} Entry;

static int compare_entries(const void *a, const void *b) {
        const Entry *x = a, *y = b;

        if (x->sort != y->sort)
                return x->sort < y->sort ? -1 : 1;
        return x->order < y->order ? -1 : x->order > y->order;
}

uint32_t btrfs_name_hash(const void *name, size_t size) {
        return crc32c(~UINT32_C(1), name, size);
}

static uint8_t file_type(const TreeNode *node) {
        switch (node->status.st_mode & S_IFMT) {
        case S_IFREG:
                return BTRFS_FT_REG_FILE;
        case S_IFDIR:
                return BTRFS_FT_DIR;
        case S_IFCHR:
                return BTRFS_FT_CHRDEV;
        case S_IFBLK:
                return BTRFS_FT_BLKDEV;
        case S_IFIFO:
                return BTRFS_FT_FIFO;
        case S_IFSOCK:
                return BTRFS_FT_SOCK;
        case S_IFLNK:
                return BTRFS_FT_SYMLINK;
        default:
                return BTRFS_FT_UNKNOWN;
        }
}

/* What a directory says of a name. Returns the end of it. */
static uint8_t *encode_name(const BtrfsPlan *plan, const TreeNode *node, uint8_t *to) {
        const size_t length = strlen(node->name);
        struct btrfs_dir_item item = {
                .transid = htole64(BTRFS_GENERATION),
                .name_len = htole16((uint16_t)length),
                .type = file_type(node),
        };
        struct btrfs_key location = { .objectid = btrfs_inode(plan, node)->number,
                                      .type = BTRFS_INODE_ITEM_KEY };

        if (btrfs_is_volume(plan, node))
                location = (struct btrfs_key){ .objectid = btrfs_volume(plan, node)->id,
                                               .type = BTRFS_ROOT_ITEM_KEY,
                                               .offset = UINT64_MAX };
        btrfs_key_encode(location, &item.location);
        memcpy(to, &item, sizeof(item));
        memcpy(to + sizeof(item), node->name, length);
        return to + sizeof(item) + length;
}

static size_t name_size(const void *subject) {
        const TreeNode *node = subject;

        return sizeof(struct btrfs_dir_item) + strlen(node->name);
}

/* How many entries from i on have the same key, and the size of the item that holds them. -EOVERFLOW when that is more
 * than an item can be. */
static int group_entries(const Entry *entries, size_t n, size_t i, size_t (*size_of)(const void *),
                         size_t *ret_end, size_t *ret_size) {
        size_t size = 0, end = i;

        for (; end < n && entries[end].sort == entries[i].sort; end++)
                size += size_of(entries[end].subject);
        if (size > BTRFS_ITEM_SIZE_MAX)
                return -EOVERFLOW;
        *ret_end = end;
        *ret_size = size;
        return 0;
}

static int add_by_hash(const BtrfsPlan *plan, const TreeNode *node, BtrfsTree *tree) {
        _cleanup_(freep) Entry *entries = calloc(node->n_children, sizeof(Entry));
        const uint64_t number = btrfs_inode(plan, node)->number;

        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < node->n_children; i++) {
                const TreeNode *child = node->children[i];

                entries[i] = (Entry){ btrfs_name_hash(child->name, strlen(child->name)), i, child };
        }
        qsort(entries, node->n_children, sizeof(Entry), compare_entries);

        for (size_t i = 0, end, size; i < node->n_children; i = end) {
                void *data;

                int r = group_entries(entries, node->n_children, i, name_size, &end, &size);
                if (r < 0)
                        return r;
                r = btrfs_tree_add(tree, (struct btrfs_key){ number, BTRFS_DIR_ITEM_KEY, entries[i].sort },
                                   size, &data);
                if (r < 0)
                        return r;
                for (size_t k = i; k < end; k++)
                        data = encode_name(plan, entries[k].subject, data);
        }
        return 0;
}

int btrfs_directory_add(const BtrfsPlan *plan, const TreeNode *node, BtrfsTree *tree) {
        const uint64_t number = btrfs_inode(plan, node)->number;

        if (node->n_children == 0)
                return 0;
        int r = add_by_hash(plan, node, tree);
        if (r < 0)
                return r;
        for (size_t i = 0; i < node->n_children; i++) {
                const TreeNode *child = node->children[i];
                void *data;

                r = btrfs_tree_add(tree,
                                   (struct btrfs_key){ number, BTRFS_DIR_INDEX_KEY,
                                                       btrfs_inode(plan, child)->index },
                                   name_size(child), &data);
                if (r < 0)
                        return r;
                (void)encode_name(plan, child, data);
        }
        return 0;
}

int btrfs_directory_add_self(BtrfsTree *tree, uint64_t number) {
        const struct btrfs_inode_ref reference = { .name_len = htole16(2) };
        void *data;

        const int r = btrfs_tree_add(tree, (struct btrfs_key){ number, BTRFS_INODE_REF_KEY, number },
                                     sizeof(reference) + 2, &data);
        if (r < 0)
                return r;
        memcpy(data, &reference, sizeof(reference));
        memcpy((uint8_t *)data + sizeof(reference), "..", 2);
        return 0;
}

/* The names of an inode in one directory, as far as they fit into an item; returns the first that does not. */
static int add_references(const BtrfsPlan *plan, const Entry *entries, size_t n, uint64_t number,
                          BtrfsTree *tree, size_t *ret_end) {
        size_t end = 0, size = 0;
        void *data;

        for (; end < n && entries[end].sort == entries[0].sort; end++) {
                const TreeNode *node = entries[end].subject;
                const size_t more = sizeof(struct btrfs_inode_ref) + strlen(node->name);

                if (size + more > BTRFS_ITEM_SIZE_MAX)
                        break;
                size += more;
        }
        const int r = btrfs_tree_add(tree, (struct btrfs_key){ number, BTRFS_INODE_REF_KEY, entries[0].sort },
                                     size, &data);
        if (r < 0)
                return r;

        uint8_t *to = data;
        for (size_t i = 0; i < end; i++) {
                const TreeNode *node = entries[i].subject;
                const size_t length = strlen(node->name);
                const struct btrfs_inode_ref reference = {
                        .index = htole64(btrfs_inode(plan, node)->index),
                        .name_len = htole16((uint16_t)length),
                };

                memcpy(to, &reference, sizeof(reference));
                memcpy(to + sizeof(reference), node->name, length);
                to += sizeof(reference) + length;
        }
        *ret_end = end;
        return 0;
}

static size_t extended_size(const void *subject) {
        const TreeNode *node = subject;

        return sizeof(struct btrfs_inode_extref) + strlen(node->name);
}

/* Names that did not fit into the items of their directories are sorted by their own sums. */
static int add_extended(const BtrfsPlan *plan, Entry *entries, size_t n, uint64_t number, BtrfsTree *tree) {
        for (size_t i = 0; i < n; i++) {
                const TreeNode *node = entries[i].subject;

                entries[i].sort = crc32c((uint32_t)entries[i].sort, node->name, strlen(node->name));
        }
        qsort(entries, n, sizeof(Entry), compare_entries);

        for (size_t i = 0, end, size; i < n; i = end) {
                void *data;

                int r = group_entries(entries, n, i, extended_size, &end, &size);
                if (r < 0)
                        return r;
                r = btrfs_tree_add(tree,
                                   (struct btrfs_key){ number, BTRFS_INODE_EXTREF_KEY, entries[i].sort },
                                   size, &data);
                if (r < 0)
                        return r;

                uint8_t *to = data;
                for (size_t k = i; k < end; k++) {
                        const TreeNode *node = entries[k].subject;
                        const size_t length = strlen(node->name);
                        const struct btrfs_inode_extref reference = {
                                .parent_objectid = htole64(btrfs_inode(plan, node->parent)->number),
                                .index = htole64(btrfs_inode(plan, node)->index),
                                .name_len = htole16((uint16_t)length),
                        };

                        memcpy(to, &reference, sizeof(reference));
                        memcpy(to + sizeof(reference), node->name, length);
                        to += sizeof(reference) + length;
                }
        }
        return 0;
}

int btrfs_names_add(const BtrfsPlan *plan, const TreeNode *first, BtrfsTree *tree) {
        const BtrfsInode *inode = btrfs_inode(plan, first);
        _cleanup_(freep) Entry *entries = calloc(inode->n_names, sizeof(Entry));
        size_t n = 0, n_left = 0;

        if (!entries)
                return -ENOMEM;
        for (const TreeNode *node = first; node; node = btrfs_inode(plan, node)->next, n++)
                entries[n] = (Entry){ btrfs_inode(plan, node->parent)->number, n, node };
        qsort(entries, n, sizeof(Entry), compare_entries);

        /* Those that are left move to the front. */
        for (size_t i = 0; i < n;) {
                const uint64_t parent = entries[i].sort;
                size_t end;

                int r = add_references(plan, entries + i, n - i, inode->number, tree, &end);
                if (r < 0)
                        return r;
                for (i += end; i < n && entries[i].sort == parent; i++)
                        entries[n_left++] = entries[i];
        }
        return n_left > 0 ? add_extended(plan, entries, n_left, inode->number, tree) : 0;
}

/* What btrfs can store: the kernel's names of attributes, and its own properties. */
static bool attribute_is_storable(const TreeAttribute *attribute) {
        static const char *const prefixes[] = { "user.",
                                                "trusted.",
                                                "security.",
                                                "btrfs.",
                                                "system.posix_acl_access",
                                                "system.posix_acl_default" };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (text_after_prefix(attribute->name, prefixes[i]))
                        return true;
        return false;
}

static size_t attribute_size(const void *subject) {
        const TreeAttribute *attribute = subject;

        return sizeof(struct btrfs_dir_item) + strlen(attribute->name) + attribute->size;
}

static uint8_t *encode_attribute(const TreeAttribute *attribute, uint8_t *to) {
        const size_t length = strlen(attribute->name);
        const struct btrfs_dir_item item = {
                .transid = htole64(BTRFS_GENERATION),
                .data_len = htole16((uint16_t)attribute->size),
                .name_len = htole16((uint16_t)length),
                .type = BTRFS_FT_XATTR,
        };

        memcpy(to, &item, sizeof(item));
        memcpy(to + sizeof(item), attribute->name, length);
        if (attribute->size > 0)
                memcpy(to + sizeof(item) + length, attribute->value, attribute->size);
        return to + sizeof(item) + length + attribute->size;
}

int btrfs_attributes_add(const TreeAttributes *attributes, uint64_t number, BtrfsTree *tree, Reason *reason) {
        _cleanup_(freep) Entry *entries = calloc(attributes->n_items + 1, sizeof(Entry));
        size_t n = 0;

        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < attributes->n_items; i++) {
                const TreeAttribute *attribute = &attributes->items[i];

                if (attribute_is_storable(attribute))
                        entries[n++] = (Entry){ btrfs_name_hash(attribute->name, strlen(attribute->name)), i,
                                                attribute };
        }
        qsort(entries, n, sizeof(Entry), compare_entries);

        for (size_t i = 0, end, size; i < n; i = end) {
                void *data;

                int r = group_entries(entries, n, i, attribute_size, &end, &size);
                if (r < 0) {
                        const TreeAttribute *attribute = entries[i].subject;

                        return reason_set(reason, r, "its attribute \"%s\" has more than btrfs can store",
                                          attribute->name);
                }
                r = btrfs_tree_add(tree, (struct btrfs_key){ number, BTRFS_XATTR_ITEM_KEY, entries[i].sort },
                                   size, &data);
                if (r < 0)
                        return r;
                for (size_t k = i; k < end; k++)
                        data = encode_attribute(entries[k].subject, data);
        }
        return 0;
}
