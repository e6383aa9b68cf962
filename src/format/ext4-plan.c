/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <unistd.h>

#include <ext2fs/ext2fs.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "format/ext4.h"

/* Room for extended attributes. In the inode: what the fields leave, but for a magic number and an end mark of 4 bytes
 * each; in a block: what the header leaves, but for the end mark. */
#define ATTRIBUTES_INODE_SIZE (EXT4_INODE_SIZE - sizeof(struct ext2_inode_large) - 8)
#define ATTRIBUTES_BLOCK_SIZE (EXT4_BLOCK_SIZE - sizeof(struct ext2_ext_attr_header) - 4)

/* A target that is shorter lies where the extents would be. */
#define FAST_LINK_SIZE sizeof(((struct ext2_inode *)NULL)->i_block)

static void inode_done(Ext4Inode *inode) {
        free(inode->wanted.items);
        free(inode->placed.items);
        free(inode->index_blocks);
        tree_attributes_done(&inode->attributes);
}

void ext4_plan_free(Ext4Plan *plan) {
        if (!plan)
                return;
        for (size_t i = 0; i < plan->n_inodes; i++)
                inode_done(&plan->inodes[i]);
        free(plan->inodes);
        free(plan->numbers);
        tree_walk_done(&plan->walk);
        free(plan);
}

int ext4_extents_add(Ext4Extents *extents, uint32_t logical, uint32_t n_blocks, uint64_t physical) {
        if ((extents->n_items & (extents->n_items - 1)) == 0) {
                const size_t room = extents->n_items == 0 ? 1 : 2 * extents->n_items;
                Ext4Extent *more = reallocarray(extents->items, room, sizeof(Ext4Extent));

                if (!more)
                        return -ENOMEM;
                extents->items = more;
        }
        extents->items[extents->n_items++] =
                (Ext4Extent){ .logical = logical, .n_blocks = n_blocks, .physical = physical };
        return 0;
}

static int plan_blocks(Ext4Plan *plan, Ext4Inode *inode, uint64_t first, uint64_t n_blocks) {
        plan->n_blocks += n_blocks;
        return ext4_extents_add(&inode->wanted, (uint32_t)first, (uint32_t)n_blocks, 0);
}

/* What is no hole for the source's file system, in whole blocks. */
static int plan_sparse_file(Ext4Plan *plan, Ext4Inode *inode, int fd, uint64_t size) {
        uint64_t position = 0, first = 0,
                 end = 0; /* the last two in blocks: what was found but is not planned yet */
        int r;

        while (position < size) {
                const off_t data = lseek(fd, (off_t)position, SEEK_DATA);
                if (data < 0 && errno == ENXIO)
                        break;
                if (data < 0)
                        return -errno;
                if ((uint64_t)data >= size)
                        break;
                const off_t hole = lseek(fd, data, SEEK_HOLE);
                if (hole < 0)
                        return -errno;

                position = MIN((uint64_t)hole, size);
                if ((uint64_t)data / EXT4_BLOCK_SIZE > end) {
                        r = end > first ? plan_blocks(plan, inode, first, end - first) : 0;
                        if (r < 0)
                                return r;
                        first = (uint64_t)data / EXT4_BLOCK_SIZE;
                }
                end = divide_round_up(position, EXT4_BLOCK_SIZE);
        }
        return end > first ? plan_blocks(plan, inode, first, end - first) : 0;
}

static int plan_file(Ext4Plan *plan, Ext4Inode *inode) {
        const struct stat *status = &inode->node->status;
        const uint64_t size = (uint64_t)status->st_size;
        _cleanup_(fd_closep) int fd = -EBADF;

        if (size == 0)
                return 0;
        if (size > (uint64_t)UINT32_MAX * EXT4_BLOCK_SIZE)
                return -EFBIG;
        if ((uint64_t)status->st_blocks * 512 >= size)
                return plan_blocks(plan, inode, 0, divide_round_up(size, EXT4_BLOCK_SIZE));

        fd = tree_walk_open(&plan->walk, inode->node);
        if (fd < 0)
                return fd;
        return plan_sparse_file(plan, inode, fd, size);
}

static int plan_directory(Ext4Plan *plan, Ext4Inode *inode) {
        _cleanup_(freep) uint8_t *blocks = NULL;
        size_t n_blocks;

        int r = ext4_directory_build(plan, inode, &blocks, &n_blocks);
        if (r < 0)
                return r;
        return plan_blocks(plan, inode, 0, n_blocks);
}

static bool attribute_is_acl(const TreeAttribute *attribute) {
        return text_equal(attribute->name, "system.posix_acl_access") ||
               text_equal(attribute->name, "system.posix_acl_default");
}

/* How many bytes an access control list takes on disk. The kernel shows it with 8 bytes for each entry; stored are 4,
 * and 4 more for those that name a user or a group. -EINVAL if it is none. */
static int acl_size(const TreeAttribute *attribute, size_t *ret) {
        const uint8_t *entries = attribute->value;
        size_t size = 4;

        if (attribute->size < 4 || (attribute->size - 4) % 8 != 0)
                return -EINVAL;
        for (size_t i = 4; i < attribute->size; i += 8) {
                const unsigned tag = entries[i] | (unsigned)entries[i + 1] << 8;

                size += tag == 0x02 || tag == 0x08 ? 8 : 4;
        }
        *ret = size;
        return 0;
}

/* The length of the name that is stored: a number stands for its prefix. -EOPNOTSUPP for what ext4 has no number for, a
 * property of the file system the tree lies on ("btrfs.compression"). */
static int attribute_name_length(const TreeAttribute *attribute, size_t *ret) {
        static const char *const prefixes[] = { "user.", "trusted.", "security." };

        if (attribute_is_acl(attribute)) {
                *ret = 0;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                const char *rest = text_after_prefix(attribute->name, prefixes[i]);

                if (rest) {
                        *ret = strlen(rest);
                        return 0;
                }
        }
        return -EOPNOTSUPP;
}

static int attribute_size(const TreeAttribute *attribute, size_t *ret) {
        size_t value_size = attribute->size, name_length;

        int r = attribute_name_length(attribute, &name_length);
        if (r < 0)
                return r;
        if (attribute_is_acl(attribute)) {
                r = acl_size(attribute, &value_size);
                if (r < 0)
                        return r;
        }
        *ret = EXT2_EXT_ATTR_LEN(name_length) + EXT2_EXT_ATTR_SIZE(value_size);
        return 0;
}

/* Drops what ext4 cannot store. */
static void attributes_filter(TreeAttributes *attributes) {
        size_t n = 0;

        for (size_t i = 0; i < attributes->n_items; i++) {
                TreeAttribute *item = &attributes->items[i];
                size_t length;

                if (attribute_name_length(item, &length) < 0) {
                        free(item->name);
                        free(item->value);
                        continue;
                }
                attributes->items[n++] = *item;
        }
        attributes->n_items = n;
}

/* Does as libext2fs will: each attribute goes into the inode if it still fits there, else into the block. */
static int plan_attributes(Ext4Plan *plan, Ext4Inode *inode, Reason *reason) {
        size_t in_inode = 0, in_block = 0, size;

        int r = tree_walk_read_attributes(&plan->walk, inode->node, &inode->attributes);
        if (r < 0)
                return r;
        attributes_filter(&inode->attributes);

        for (size_t i = 0; i < inode->attributes.n_items; i++) {
                r = attribute_size(&inode->attributes.items[i], &size);
                if (r < 0)
                        return r;
                if (in_inode + size <= ATTRIBUTES_INODE_SIZE)
                        in_inode += size;
                else
                        in_block += size;
        }

        if (in_block > ATTRIBUTES_BLOCK_SIZE) {
                _cleanup_(freep) char *path = NULL;

                r = tree_node_path(inode->node, &path);
                if (r < 0)
                        return r;
                return reason_set(reason, -E2BIG,
                                  "The extended attributes of '%s' take %zu bytes, ext4 stores at most %zu",
                                  path, in_block, (size_t)ATTRIBUTES_BLOCK_SIZE);
        }
        if (in_block > 0) {
                inode->attribute_block = true;
                plan->n_attribute_blocks++;
        }
        return 0;
}

static bool has_lost_and_found(const TreeNode *root) {
        for (size_t i = 0; i < root->n_children; i++) {
                if (text_equal(root->children[i]->name, "lost+found"))
                        return true;
        }
        return false;
}

static int plan_links(Ext4Inode *inode) {
        const TreeNode *node = inode->node;
        size_t n = 2;

        if (!S_ISDIR(node->status.st_mode)) {
                if (node->n_links > EXT4_LINKS_MAX)
                        return -EMLINK;
                inode->n_links = (uint16_t)node->n_links;
                return 0;
        }

        for (size_t i = 0; i < node->n_children; i++)
                n += S_ISDIR(node->children[i]->status.st_mode);
        if (inode->number == EXT2_ROOT_INO && !has_lost_and_found(node))
                n++;
        inode->n_links = n > EXT4_LINKS_MAX ? 1 : (uint16_t)n; /* the feature dir_nlink: 1 is "many" */
        return 0;
}

static int plan_inode(Ext4Plan *plan, Ext4Inode *inode, Reason *reason) {
        if (!inode->node) {
                inode->n_links = 2;
                return plan_directory(plan, inode);
        }

        int r = interrupt_check();
        if (r < 0)
                return r;
        r = plan_links(inode);
        if (r < 0)
                return r;
        r = plan_attributes(plan, inode, reason);
        if (r < 0)
                return r;

        const mode_t mode = inode->node->status.st_mode;
        if (S_ISREG(mode))
                return plan_file(plan, inode);
        if (S_ISDIR(mode))
                return plan_directory(plan, inode);
        if (S_ISLNK(mode) && strlen(inode->node->target) >= FAST_LINK_SIZE)
                return plan_blocks(plan, inode, 0, 1);
        return 0;
}

/* Gives each inode its number: that of its first name in tree order. */
static int plan_numbers(Ext4Plan *plan) {
        const Tree *tree = plan->tree;
        uint32_t number = EXT4_INODE_NUMBER;

        if (tree->n_nodes > UINT32_MAX - EXT4_INODE_NUMBER)
                return -EFBIG;
        plan->inodes = calloc(tree->n_nodes + 1, sizeof(Ext4Inode));
        plan->numbers = calloc(tree->n_nodes, sizeof(uint32_t));
        if (!plan->inodes || !plan->numbers)
                return -ENOMEM;

        plan->numbers[0] = EXT2_ROOT_INO;
        plan->inodes[plan->n_inodes++] = (Ext4Inode){ .node = tree->nodes[0], .number = EXT2_ROOT_INO };
        if (!has_lost_and_found(tree->nodes[0]))
                plan->inodes[plan->n_inodes++] = (Ext4Inode){ .number = EXT4_INODE_NUMBER - 1 };

        for (size_t i = 1; i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i];

                if (node->original) {
                        plan->numbers[i] = plan->numbers[node->original->index];
                        continue;
                }
                plan->numbers[i] = number;
                plan->inodes[plan->n_inodes++] = (Ext4Inode){ .node = node, .number = number++ };
        }
        return 0;
}

static int plan_reason(const Ext4Inode *inode, Reason *reason, int r) {
        _cleanup_(freep) char *path = NULL;

        if (!inode->node || r == -EINTR || tree_node_path(inode->node, &path) < 0)
                return r;
        return reason_set(reason, r, "Cannot put '%s' into an ext4 file system: %m", path);
}

int ext4_plan_new(const Tree *tree, const FilesystemOptions *options, Ext4Plan **ret, Reason *reason) {
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = calloc(1, sizeof(Ext4Plan));

        if (!plan)
                return -ENOMEM;
        plan->tree = tree;
        plan->walk = tree_walk(tree);
        plan->options = options;

        int r = plan_numbers(plan);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->n_inodes; i++) {
                r = plan_inode(plan, &plan->inodes[i], reason);
                if (r < 0)
                        return plan_reason(&plan->inodes[i], reason, r);
        }

        *ret = TAKE_PTR(plan);
        return 0;
}
