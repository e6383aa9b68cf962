/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <sqfs/block.h>
#include <sqfs/dir.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/table.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_writer.h>

#include "base/access-list.h"
#include "base/interrupt.h"
#include "base/strv.h"
#include "base/text.h"
#include "format/squashfs.h"

/* The super block counts ids in 16 bits, and directories hold positions of inodes in 32 bits. */
#define IDS_MAX              UINT16_MAX
#define INODE_TABLE_SIZE_MAX UINT32_MAX

/* What a header in a directory covers: entries whose inodes are in the same compressed block, and an index has at most
 * so many of them. */
#define DIRECTORY_HEADERS_MAX UINT16_MAX

/* The halves of a device number, as the kernel stores them in 32 bits. */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

struct SquashfsInodes {
        const Tree *tree;
        int64_t time_max;
        SquashfsChannel *channel;
        struct sqfs_compressor_t *compressor;

        /* By TreeNode.index. */
        uint32_t *numbers;    /* of the inode, from 1 on; a further link has its original's */
        uint64_t *references; /* where the inode is in its table; UINT64_MAX: not written yet */
        uint32_t *attributes; /* index of the set, or SQUASHFS_NONE */
        uint16_t *modes;
        uint32_t n_inodes;

        char ***left_out; /* not owned; NULL: nothing is */

        sqfs_id_table_t *ids;
        sqfs_xattr_writer_t *sets;
        uint32_t n_sets;

        sqfs_meta_writer_t *inode_table, *directory_table;
        sqfs_dir_writer_t *directory; /* the one that is being written */
};

int squashfs_refuse(const TreeNode *node, int r, const char *why, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        if (r == -EINTR || r == -ENOMEM || tree_node_path(node, &path) < 0)
                return r;
        if (!why)
                return reason_set(reason, r, "Cannot put '%s' into a squashfs file system: %m", path);
        return reason_set(reason, r, "Cannot put '%s' into a squashfs file system: %s", path, why);
}

void squashfs_inodes_free(SquashfsInodes *inodes) {
        if (!inodes)
                return;
        sqfs_destroy(inodes->directory);
        sqfs_destroy(inodes->directory_table);
        sqfs_destroy(inodes->inode_table);
        sqfs_destroy(inodes->sets);
        sqfs_destroy(inodes->ids);
        free(inodes->numbers);
        free(inodes->references);
        free(inodes->attributes);
        free(inodes->modes);
        free(inodes);
}

static int number_inodes(SquashfsInodes *inodes) {
        const Tree *tree = inodes->tree;

        if (tree->n_nodes >= UINT32_MAX)
                return -EFBIG;
        inodes->numbers = calloc(tree->n_nodes, sizeof(uint32_t));
        inodes->references = malloc(tree->n_nodes * sizeof(uint64_t));
        inodes->attributes = malloc(tree->n_nodes * sizeof(uint32_t));
        inodes->modes = malloc(tree->n_nodes * sizeof(uint16_t));
        if (!inodes->numbers || !inodes->references || !inodes->attributes || !inodes->modes)
                return -ENOMEM;

        for (size_t i = 0; i < tree->n_nodes; i++) {
                const TreeNode *original = tree->nodes[i]->original;

                inodes->numbers[i] = original ? inodes->numbers[original->index] : ++inodes->n_inodes;
                inodes->references[i] = UINT64_MAX;
                inodes->attributes[i] = SQUASHFS_NONE;
                inodes->modes[i] = (uint16_t)tree->nodes[i]->status.st_mode;
        }
        return 0;
}

int squashfs_inodes_new(const Tree *tree, const FilesystemOptions *options, SquashfsChannel *channel,
                        struct sqfs_compressor_t *compressor, SquashfsInodes **ret) {
        _cleanup_(squashfs_inodes_freep) SquashfsInodes *inodes = calloc(1, sizeof(SquashfsInodes));
        sqfs_file_t *file = squashfs_channel_file(channel);

        assert(tree && options && compressor && ret);

        if (!inodes)
                return -ENOMEM;
        inodes->tree = tree;
        inodes->left_out = options->left_out;
        inodes->time_max = options->time;
        inodes->channel = channel;
        inodes->compressor = compressor;
        inodes->ids = sqfs_id_table_create(0);
        inodes->sets = sqfs_xattr_writer_create(0);
        inodes->inode_table = sqfs_meta_writer_create(file, compressor, 0);
        inodes->directory_table = sqfs_meta_writer_create(file, compressor, SQFS_META_WRITER_KEEP_IN_MEMORY);
        if (!inodes->ids || !inodes->sets || !inodes->inode_table || !inodes->directory_table)
                return -ENOMEM;
        inodes->directory = sqfs_dir_writer_create(inodes->directory_table, 0);
        if (!inodes->directory)
                return -ENOMEM;

        const int r = number_inodes(inodes);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(inodes);
        return 0;
}

static int64_t node_time(const SquashfsInodes *inodes, const TreeNode *node) {
        return MIN((int64_t)node->status.st_mtim.tv_sec, inodes->time_max);
}

static int check_node(const SquashfsInodes *inodes, const TreeNode *node, Reason *reason) {
        const struct stat *status = &node->status;
        const int64_t time = node_time(inodes, node);

        if (time < 0)
                return squashfs_refuse(node, -ERANGE,
                                       "its time is before 1970; give it a later one, as touch does", reason);
        if (time > UINT32_MAX)
                return squashfs_refuse(
                        node, -ERANGE,
                        "its time is after 2106; give it an earlier one, or set SOURCE_DATE_EPOCH", reason);
        if ((S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode)) &&
            (major(status->st_rdev) > MAJOR_MAX || minor(status->st_rdev) > MINOR_MAX))
                return squashfs_refuse(node, -EOVERFLOW, "its device number has more than 32 bits", reason);
        return 0;
}

static int add_id(SquashfsInodes *inodes, const TreeNode *node, uint32_t id, Reason *reason) {
        sqfs_u16 index;

        const int error = sqfs_id_table_id_to_index(inodes->ids, id, &index);
        if (error < 0 && error != SQFS_ERROR_OVERFLOW)
                return squashfs_error(error);
        if (error < 0 || index == IDS_MAX)
                return squashfs_refuse(node, -EOVERFLOW,
                                       "the tree has more than 65535 different users and groups", reason);
        return 0;
}

/* The list goes, and what it granted beside the mode; nobody gets more than before. Every Debian with
 * systemd has one, on /var/log/journal, which systemd-tmpfiles gives it anew at every boot. */
static int leave_out_list(SquashfsInodes *inodes, const TreeNode *node, const TreeAttribute *attribute) {
        _cleanup_(freep) char *path = NULL;
        mode_t mode = node->status.st_mode;
        int r = 0;

        if (text_equal(attribute->name, ACCESS_LIST_ATTRIBUTE))
                r = access_list_strip(attribute->value, attribute->size, mode, &mode);
        if (r >= 0)
                r = tree_node_path(node, &path);
        if (r < 0)
                return r;
        inodes->modes[node->index] = (uint16_t)mode;
        return strv_append_format(inodes->left_out,
                                  "squashfs cannot store the access control list of '%s' (%s)", path,
                                  attribute->name);
}

static int add_attribute(SquashfsInodes *inodes, const TreeNode *node, const TreeAttribute *attribute,
                         Reason *reason) {
        _cleanup_(freep) char *why = NULL;

        if (sqfs_get_xattr_prefix_id(attribute->name) >= 0)
                return squashfs_error(sqfs_xattr_writer_add(inodes->sets, attribute->name, attribute->value,
                                                            attribute->size));
        if (inodes->left_out && (text_equal(attribute->name, ACCESS_LIST_ATTRIBUTE) ||
                                 text_equal(attribute->name, ACCESS_LIST_DEFAULT_ATTRIBUTE)))
                return leave_out_list(inodes, node, attribute);

        const int r =
                text_format(&why,
                            "it has the extended attribute %s; only user, trusted and security can be stored",
                            attribute->name);
        return r < 0 ? r : squashfs_refuse(node, -EOPNOTSUPP, why, reason);
}

static int add_attributes(SquashfsInodes *inodes, const TreeNode *node, Reason *reason) {
        _cleanup_(tree_attributes_done) TreeAttributes attributes = {};
        uint32_t *set = &inodes->attributes[node->index];

        int r = tree_read_attributes(inodes->tree, node, &attributes);
        if (r < 0)
                return r;
        if (attributes.n_items == 0)
                return 0;

        r = squashfs_error(sqfs_xattr_writer_begin(inodes->sets, 0));
        if (r < 0)
                return r;
        for (size_t i = 0; i < attributes.n_items; i++) {
                r = add_attribute(inodes, node, &attributes.items[i], reason);
                if (r < 0)
                        return r;
        }
        r = squashfs_error(sqfs_xattr_writer_end(inodes->sets, set));
        if (r < 0)
                return r;
        inodes->n_sets = MAX(inodes->n_sets, *set + 1);
        return 0;
}

int squashfs_inodes_add(SquashfsInodes *inodes, const TreeNode *node, int fd, Reason *reason) {
        assert(inodes && node && !node->original);

        int r = check_node(inodes, node, reason);
        if (r < 0)
                return r;
        r = add_id(inodes, node, node->status.st_uid, reason);
        if (r < 0)
                return r;
        r = add_id(inodes, node, node->status.st_gid, reason);
        if (r < 0)
                return r;
        if (fd >= 0 && flistxattr(fd, NULL, 0) == 0)
                return 0;
        return add_attributes(inodes, node, reason);
}

/* The kind of an inode, and of an entry of a directory. Those with attributes, and others that do not fit into the
 * short form, have a long form. */
static SQFS_INODE_TYPE inode_type(mode_t mode) {
        switch (mode & S_IFMT) {
        case S_IFDIR:
                return SQFS_INODE_DIR;
        case S_IFREG:
                return SQFS_INODE_FILE;
        case S_IFLNK:
                return SQFS_INODE_SLINK;
        case S_IFBLK:
                return SQFS_INODE_BDEV;
        case S_IFCHR:
                return SQFS_INODE_CDEV;
        case S_IFIFO:
                return SQFS_INODE_FIFO;
        default:
                return SQFS_INODE_SOCKET;
        }
}

static sqfs_u32 encode_device(dev_t device) {
        const sqfs_u32 high = major(device), low = minor(device);

        return (low & 0xff) | high << 8 | (low & ~0xffU) << 12;
}

/* Fills what all inodes have. */
static int inode_begin(const SquashfsInodes *inodes, const TreeNode *node, sqfs_inode_t *base) {
        int r = squashfs_error(sqfs_id_table_id_to_index(inodes->ids, node->status.st_uid, &base->uid_idx));
        if (r < 0)
                return r;
        r = squashfs_error(sqfs_id_table_id_to_index(inodes->ids, node->status.st_gid, &base->gid_idx));
        if (r < 0)
                return r;
        base->mode = inodes->modes[node->index];
        base->mod_time = (sqfs_u32)node_time(inodes, node);
        base->inode_number = inodes->numbers[node->index];
        return 0;
}

/* Notes where the inode is, and writes it. */
static int inode_write(SquashfsInodes *inodes, const TreeNode *node, const sqfs_inode_generic_t *inode) {
        sqfs_u64 block;
        sqfs_u32 offset;

        sqfs_meta_writer_get_position(inodes->inode_table, &block, &offset);
        if (block > INODE_TABLE_SIZE_MAX)
                return -EFBIG;
        inodes->references[node->index] = block << 16 | offset;
        return squashfs_error(sqfs_meta_writer_write_inode(inodes->inode_table, inode));
}

/* The sizes are written by hand: libsquashfs has them on the stack meanwhile, which huge files do not fit on. */
static int write_sizes(SquashfsInodes *inodes, const SquashfsContent *content) {
        sqfs_u32 part[256];
        size_t n;

        for (size_t i = 0; i < content->n_sizes; i += n) {
                n = MIN(content->n_sizes - i, ELEMENTSOF(part));
                for (size_t j = 0; j < n; j++)
                        part[j] = htole32(content->sizes[i + j]);
                const int r = squashfs_error(
                        sqfs_meta_writer_append(inodes->inode_table, part, n * sizeof(part[0])));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_file(SquashfsInodes *inodes, const TreeNode *node, const SquashfsContent *content,
                      sqfs_inode_generic_t *inode) {
        const uint64_t size = (uint64_t)node->status.st_size;
        const uint64_t start = content && content->start != UINT64_MAX ? content->start : 0;
        const uint32_t set = inodes->attributes[node->index];

        if (node->n_links > 1 || set != SQUASHFS_NONE || size > UINT32_MAX || start > UINT32_MAX ||
            (content && content->n_zeros > 0)) {
                inode->base.type = SQFS_INODE_EXT_FILE;
                inode->data.file_ext = (sqfs_inode_file_ext_t){
                        .blocks_start = start,
                        .file_size = size,
                        .sparse = content ? content->n_zeros : 0,
                        .nlink = node->n_links,
                        .fragment_idx = content ? content->fragment : SQUASHFS_NONE,
                        .fragment_offset = content ? content->fragment_offset : 0,
                        .xattr_idx = set,
                };
        } else
                inode->data.file = (sqfs_inode_file_t){
                        .blocks_start = (sqfs_u32)start,
                        .file_size = (sqfs_u32)size,
                        .fragment_index = content ? content->fragment : SQUASHFS_NONE,
                        .fragment_offset = content ? content->fragment_offset : 0,
                };

        const int r = inode_write(inodes, node, inode);
        if (r < 0 || !content)
                return r;
        return write_sizes(inodes, content);
}

static int write_link(SquashfsInodes *inodes, const TreeNode *node, const sqfs_inode_generic_t *common) {
        const size_t length = strlen(node->target);
        _cleanup_(freep) sqfs_inode_generic_t *inode = calloc(1, sizeof(sqfs_inode_generic_t) + length);

        if (!inode)
                return -ENOMEM;
        *inode = *common;
        memcpy(inode->extra, node->target, length);
        inode->payload_bytes_available = inode->payload_bytes_used = (sqfs_u32)length;
        inode->data.slink_ext = (sqfs_inode_slink_ext_t){
                .nlink = node->n_links,
                .target_size = (sqfs_u32)length,
                .xattr_idx = inodes->attributes[node->index],
        };
        return inode_write(inodes, node, inode);
}

/* Writes the inode of anything but a directory. In memory a short form is the beginning of the long one. */
static int write_inode(SquashfsInodes *inodes, const TreeNode *node, const SquashfsData *data) {
        const uint32_t set = inodes->attributes[node->index];
        sqfs_inode_generic_t inode = {};

        const int r = inode_begin(inodes, node, &inode.base);
        if (r < 0)
                return r;
        inode.base.type = (sqfs_u16)inode_type(node->status.st_mode);
        if (S_ISREG(node->status.st_mode))
                return write_file(inodes, node, squashfs_data_find(data, node), &inode);

        if (set != SQUASHFS_NONE)
                inode.base.type += SQFS_INODE_EXT_DIR - SQFS_INODE_DIR;
        if (S_ISLNK(node->status.st_mode))
                return write_link(inodes, node, &inode);
        if (S_ISCHR(node->status.st_mode) || S_ISBLK(node->status.st_mode))
                inode.data.dev_ext = (sqfs_inode_dev_ext_t){
                        .nlink = node->n_links,
                        .devno = encode_device(node->status.st_rdev),
                        .xattr_idx = set,
                };
        else
                inode.data.ipc_ext = (sqfs_inode_ipc_ext_t){ .nlink = node->n_links, .xattr_idx = set };
        return inode_write(inodes, node, &inode);
}

/* The index of a directory is a hint, which libsquashfs counts in 16 bits without looking. */
static void drop_long_index(const SquashfsInodes *inodes, const TreeNode *node, sqfs_inode_generic_t *inode) {
        size_t size = sqfs_dir_writer_get_size(inodes->directory);

        for (size_t i = 0; i < node->n_children; i++)
                size -= sizeof(sqfs_dir_entry_t) + strlen(node->children[i]->name);
        if (size / sizeof(sqfs_dir_header_t) > DIRECTORY_HEADERS_MAX) {
                inode->data.dir_ext.inodex_count = 0;
                inode->payload_bytes_used = 0;
        }
}

static int write_directory_inode(SquashfsInodes *inodes, const TreeNode *node) {
        const uint32_t parent = node->parent ? inodes->numbers[node->parent->index] : 0;
        uint32_t n_links = 2;

        for (size_t i = 0; i < node->n_children; i++)
                n_links += S_ISDIR(node->children[i]->status.st_mode);

        _cleanup_(freep) sqfs_inode_generic_t *inode =
                sqfs_dir_writer_create_inode(inodes->directory, 0, inodes->attributes[node->index], parent);
        if (!inode)
                return -ENOMEM;

        /* libsquashfs counts all entries, but a link count says how many directories there are. */
        if (inode->base.type == SQFS_INODE_DIR)
                inode->data.dir.nlink = n_links;
        else {
                inode->data.dir_ext.nlink = n_links;
                drop_long_index(inodes, node, inode);
        }
        const int r = inode_begin(inodes, node, &inode->base);
        return r < 0 ? r : inode_write(inodes, node, inode);
}

/* Writes the inodes of a directory's entries, but for directories, which were written before; then the directory. */
static int write_directory(SquashfsInodes *inodes, const TreeNode *node, const SquashfsData *data) {
        int r = squashfs_error(sqfs_dir_writer_begin(inodes->directory, 0));
        if (r < 0)
                return r;

        for (size_t i = 0; i < node->n_children; i++) {
                const TreeNode *child = node->children[i];
                const TreeNode *first = child->original ? child->original : child;

                if (inodes->references[first->index] == UINT64_MAX) {
                        r = write_inode(inodes, first, data);
                        if (r < 0)
                                return r;
                }
                r = squashfs_error(sqfs_dir_writer_add_entry(inodes->directory, child->name,
                                                             inodes->numbers[child->index],
                                                             inodes->references[first->index],
                                                             (sqfs_u16)child->status.st_mode));
                if (r < 0)
                        return r;
        }

        r = squashfs_error(sqfs_dir_writer_end(inodes->directory));
        if (r < 0)
                return r;
        return write_directory_inode(inodes, node);
}

int squashfs_inodes_write(SquashfsInodes *inodes, const SquashfsData *data, struct sqfs_super_t *super,
                          Reason *reason) {
        const Tree *tree = inodes->tree;
        int r;

        super->inode_table_start = squashfs_channel_size(inodes->channel);
        super->inode_count = inodes->n_inodes;

        /* Backwards, since a directory refers to its entries, and comes before them in the tree. */
        for (size_t i = tree->n_nodes; i-- > 0;) {
                if (!S_ISDIR(tree->nodes[i]->status.st_mode))
                        continue;
                r = interrupt_check();
                if (r < 0)
                        return r;
                r = write_directory(inodes, tree->nodes[i], data);
                if (r < 0)
                        return squashfs_refuse(tree->nodes[i], r, NULL, reason);
        }
        super->root_inode_ref = inodes->references[0];

        r = squashfs_error(sqfs_meta_writer_flush(inodes->inode_table));
        if (r < 0)
                return r;
        super->directory_table_start = squashfs_channel_size(inodes->channel);
        r = squashfs_error(sqfs_meta_writer_flush(inodes->directory_table));
        if (r < 0)
                return r;
        return squashfs_error(sqfs_meta_write_write_to_file(inodes->directory_table));
}

/* The table that finds an inode by its number, for NFS. */
static int write_export_table(SquashfsInodes *inodes, sqfs_super_t *super) {
        _cleanup_(freep) sqfs_u64 *references = calloc(inodes->n_inodes, sizeof(sqfs_u64));

        if (!references)
                return -ENOMEM;
        for (size_t i = 0; i < inodes->tree->n_nodes; i++) {
                if (!inodes->tree->nodes[i]->original)
                        references[inodes->numbers[i] - 1] = htole64(inodes->references[i]);
        }
        super->flags |= SQFS_FLAG_EXPORTABLE;
        return squashfs_error(sqfs_write_table(squashfs_channel_file(inodes->channel), inodes->compressor,
                                               references, inodes->n_inodes * sizeof(sqfs_u64),
                                               &super->export_table_start));
}

/* libsquashfs 1.2 writes beyond its memory when the sets fill the last block of their table to the last byte. Another
 * set, which nothing refers to, keeps it from that. */
static int pad_attributes(SquashfsInodes *inodes) {
        const uint32_t n_sets_per_block = SQFS_META_BLOCK_SIZE / sizeof(sqfs_xattr_id_t);
        uint32_t set = 0;

        if (inodes->n_sets == 0 || inodes->n_sets % n_sets_per_block != 0)
                return 0;

        /* A set that some inode has already is not a new one, and the next value is tried. */
        for (uint32_t value = 0; set < inodes->n_sets; value++) {
                int r = squashfs_error(sqfs_xattr_writer_begin(inodes->sets, 0));
                if (r < 0)
                        return r;
                r = squashfs_error(
                        sqfs_xattr_writer_add(inodes->sets, "user.padding", &value, sizeof(value)));
                if (r < 0)
                        return r;
                r = squashfs_error(sqfs_xattr_writer_end(inodes->sets, &set));
                if (r < 0)
                        return r;
        }
        return 0;
}

int squashfs_inodes_write_tables(SquashfsInodes *inodes, struct sqfs_super_t *super) {
        sqfs_file_t *file = squashfs_channel_file(inodes->channel);

        int r = write_export_table(inodes, super);
        if (r < 0)
                return r;
        r = squashfs_error(sqfs_id_table_write(inodes->ids, file, super, inodes->compressor));
        if (r < 0)
                return r;
        r = pad_attributes(inodes);
        if (r < 0)
                return r;
        return squashfs_error(sqfs_xattr_writer_flush(inodes->sets, file, super, inodes->compressor));
}
