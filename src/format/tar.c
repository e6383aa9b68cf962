/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/access-list.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "base/tree-walk.h"
#include "format/tar-header.h"
#include "format/tar.h"
#include "format/utf16.h"

#define BUFFER_SIZE (256 * KIB)

/* Shorter holes are written as zeros: where a file system has them is chance, and readers that know nothing of GNU's
 * headers for sparse files shall meet them only where the archive could not do without. */
#define HOLE_SIZE_MIN MIB

/* Tags of an access control list as the kernel shows it: the version, then entries of tag, permissions and id. */
#define ACL_HEADER_SIZE 4
#define ACL_ENTRY_SIZE  8

/* An archive is as long as a number of these: so tar(1) writes to tapes, and reads without a warning. */
#define RECORD_SIZE (20 * TAR_BLOCK_SIZE)

static const uint8_t zero_bytes[64 * 1024];

typedef struct Range {
        uint64_t begin, end;
} Range;

typedef struct Tar {
        TreeWalk walk;
        const TarOptions *options;
        Stream *stream;
        int stream_error;
        uint64_t size;
        bool given_up;
        struct archive *archive;
        struct archive_entry *entry; /* used again for each member */
        uint8_t *buffer;
        locale_t locale, caller_locale;

        /* Of the member under way. */
        const TreeNode *node;
        char *path, *original; /* the latter of a hard link's first name */
        int fd;                /* of a regular file */
        TreeAttributes attributes;
        Range *ranges;
        size_t n_ranges; /* where it has data; all between reads as zeros */
        bool is_plain;   /* the header is ours, without libarchive */
} Tar;

static int put(Tar *tar, const void *data, size_t size) {
        tar->size += size;
        return tar->stream_error = stream_write(tar->stream, data, size);
}

static la_ssize_t on_write(struct archive *archive, void *userdata, const void *data, size_t size) {
        Tar *tar = userdata;

        if (tar->given_up)
                return -1;
        if (put(tar, data, size) < 0) {
                archive_set_error(archive, -tar->stream_error, "Cannot write");
                return -1;
        }
        return (la_ssize_t)size;
}

static void member_done(Tar *tar) {
        free(tar->path);
        free(tar->original);
        free(tar->ranges);
        tree_attributes_done(&tar->attributes);
        tar->path = NULL;
        tar->original = NULL;
        tar->ranges = NULL;
        tar->n_ranges = 0;
        tar->fd = fd_close(tar->fd);
}

static void tar_done(Tar *tar) {
        member_done(tar);
        archive_entry_free(tar->entry);
        /* What is not complete would be completed with zeros now. archive_write_fail() would prevent it, but libarchive
         * then leaks its buffers. */
        tar->given_up = true;
        (void)archive_write_free(tar->archive);
        free(tar->buffer);
        tree_walk_done(&tar->walk);
        if (tar->locale) {
                (void)uselocale(tar->caller_locale);
                freelocale(tar->locale);
        }
}

/* What went wrong inside libarchive: the stream's own error, which says nothing about a file, or that of the file. */
static int archive_failed(const Tar *tar, Reason *reason) {
        const int error = archive_errno(tar->archive);
        const char *text = archive_error_string(tar->archive);

        if (tar->stream_error < 0)
                return tar->stream_error;
        return reason_set(reason, error > 0 ? -error : -EIO, "tar cannot store '%s': %s",
                          tar->path ? tar->path : ".", text ? text : "unknown error");
}

static int refuse(const Tar *tar, int r, const char *why, Reason *reason) {
        return reason_set(reason, r, "tar cannot store '%s': %s", tar->path, why);
}

/* libarchive takes names to be in the encoding of the thread's locale, and writes them in UTF-8. Where none is set that
 * would be ASCII, and each name beyond it would come with a header that makes GNU tar complain. The caller's locale
 * comes back at the end. */
static int use_locale(Tar *tar) {
        tar->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        if (!tar->locale)
                return -errno;
        tar->caller_locale = uselocale(tar->locale);
        return 0;
}

static int tar_init(Tar *tar, Reason *reason) {
        const int r = use_locale(tar);
        if (r < 0)
                return reason_set(reason, r, "Names in UTF-8 need the locale C.UTF-8: %m");

        tar->buffer = malloc(BUFFER_SIZE);
        tar->archive = archive_write_new();
        tar->entry = archive_entry_new();
        if (!tar->buffer || !tar->archive || !tar->entry)
                return -ENOMEM;
        if (archive_write_set_format_pax(tar->archive) != ARCHIVE_OK ||
            archive_write_set_format_option(tar->archive, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK ||
            /* Each byte at once: headers of ours go between them. */
            archive_write_set_bytes_per_block(tar->archive, 0) != ARCHIVE_OK ||
            archive_write_open(tar->archive, tar, NULL, on_write, NULL) != ARCHIVE_OK)
                return archive_failed(tar, reason);
        return 0;
}

/* No file is later than the options say. */
static struct timespec member_time(const Tar *tar) {
        const struct timespec time = tar->node->status.st_mtim;

        return time.tv_sec >= tar->options->time ? (struct timespec){ .tv_sec = tar->options->time } : time;
}

static void set_status(Tar *tar) {
        const struct stat *status = &tar->node->status;
        const struct timespec time = member_time(tar);

        archive_entry_set_mode(tar->entry, status->st_mode);
        archive_entry_set_uid(tar->entry, status->st_uid);
        archive_entry_set_gid(tar->entry, status->st_gid);
        archive_entry_set_mtime(tar->entry, time.tv_sec, time.tv_nsec);
        if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode))
                archive_entry_set_rdev(tar->entry, status->st_rdev);
        archive_entry_set_size(tar->entry,
                               S_ISREG(status->st_mode) && !tar->node->original ? status->st_size : 0);
}

/* libarchive takes a pair of surrogates, which is no UTF-8, for one character and would write another name. */
static int check_encoding(const Tar *tar, const char *name, const char *converted, bool *binary,
                          Reason *reason) {
        if (!name || utf16_from_utf8(name, NULL, SIZE_MAX) >= 0)
                return 0;
        if (converted)
                return refuse(tar, -EILSEQ, "its name or target has surrogates in UTF-8", reason);
        *binary = true;
        return 0;
}

/* Names the member, and says whether a name in it is no UTF-8. */
static int set_names(Tar *tar, bool *ret_binary, Reason *reason) {
        _cleanup_(freep) char *name = NULL, *original = NULL;
        bool binary = false;

        int r = text_format(&name, "%s%s", tar->node->parent ? "./" : "", tar->path);
        if (r < 0)
                return r;
        archive_entry_copy_pathname(tar->entry, name);
        r = check_encoding(tar, name, archive_entry_pathname_utf8(tar->entry), &binary, reason);
        if (r < 0)
                return r;

        if (tar->original) {
                r = text_format(&original, "./%s", tar->original);
                if (r < 0)
                        return r;
                archive_entry_copy_hardlink(tar->entry, original);
                r = check_encoding(tar, original, archive_entry_hardlink_utf8(tar->entry), &binary, reason);
        } else if (tar->node->target) {
                archive_entry_copy_symlink(tar->entry, tar->node->target);
                r = check_encoding(tar, tar->node->target, archive_entry_symlink_utf8(tar->entry), &binary,
                                   reason);
        }
        if (r < 0)
                return r;
        *ret_binary = binary;
        return 0;
}

static unsigned read_number(const uint8_t *bytes, size_t size) {
        unsigned number = 0;

        for (size_t i = size; i > 0; i--)
                number = number << 8 | bytes[i - 1];
        return number;
}

/* libarchive takes numbers of users and groups for signed, and would write those beyond as 0, which is root. As names they
 * look the same as numbers do, which never stand beside a name here. */
static int add_acl_entry(Tar *tar, int type, int permissions, int tag, unsigned id) {
        char name[16];

        if (tag != ARCHIVE_ENTRY_ACL_USER && tag != ARCHIVE_ENTRY_ACL_GROUP)
                return archive_entry_acl_add_entry(tar->entry, type, permissions, tag, -1, NULL);
        if (id <= INT_MAX)
                return archive_entry_acl_add_entry(tar->entry, type, permissions, tag, (int)id, NULL);
        (void)snprintf(name, sizeof(name), "%u", id);
        return archive_entry_acl_add_entry(tar->entry, type, permissions, tag, -1, name);
}

/* An access control list, of linux/posix_acl_xattr.h, becomes text that names users and groups by number. */
static int add_acl(Tar *tar, const TreeAttribute *attribute, int type) {
        static const struct {
                unsigned number;
                int tag;
        } tags[] = {
                { 0x01, ARCHIVE_ENTRY_ACL_USER_OBJ },  { 0x02, ARCHIVE_ENTRY_ACL_USER },
                { 0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ }, { 0x08, ARCHIVE_ENTRY_ACL_GROUP },
                { 0x10, ARCHIVE_ENTRY_ACL_MASK },      { 0x20, ARCHIVE_ENTRY_ACL_OTHER },
        };
        const uint8_t *bytes = attribute->value;

        if (attribute->size < ACL_HEADER_SIZE || (attribute->size - ACL_HEADER_SIZE) % ACL_ENTRY_SIZE != 0 ||
            read_number(bytes, 4) != 2)
                return -EINVAL;

        for (size_t offset = ACL_HEADER_SIZE; offset < attribute->size; offset += ACL_ENTRY_SIZE) {
                const unsigned number = read_number(bytes + offset, 2);
                const int permissions = (int)read_number(bytes + offset + 2, 2);
                const unsigned id = read_number(bytes + offset + 4, 4);
                size_t i = 0;

                while (i < ELEMENTSOF(tags) && tags[i].number != number)
                        i++;
                if (i == ELEMENTSOF(tags))
                        return -EINVAL;
                if (add_acl_entry(tar, type, permissions, tags[i].tag, id) != ARCHIVE_OK)
                        return -EINVAL;
        }
        return 0;
}

/* libarchive writes other characters as %XX, which nobody reads back but for '%' and '=' themselves. */
static bool attribute_name_fits(const char *name) {
        for (; *name; name++)
                if ((unsigned char)*name <= 0x20 || (unsigned char)*name >= 0x7f)
                        return false;
        return true;
}

/* What is in none of these name spaces is a property of the file system that the tree lies on. */
static bool attribute_is_kept(const char *name) {
        static const char *const prefixes[] = { "user.", "trusted.", "security." };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (text_after_prefix(name, prefixes[i]))
                        return true;
        return false;
}

static int add_attribute(Tar *tar, const TreeAttribute *attribute, Reason *reason) {
        if (text_equal(attribute->name, ACCESS_LIST_ATTRIBUTE))
                return add_acl(tar, attribute, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
        if (text_equal(attribute->name, ACCESS_LIST_DEFAULT_ATTRIBUTE))
                return add_acl(tar, attribute, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT);
        if (!attribute_is_kept(attribute->name))
                return 0;
        if (!attribute_name_fits(attribute->name))
                return refuse(tar, -EOPNOTSUPP, "an extended attribute has a name beyond printable ASCII",
                              reason);
        archive_entry_xattr_add_entry(tar->entry, attribute->name, attribute->value, attribute->size);
        return 0;
}

static int set_attributes(Tar *tar, Reason *reason) {
        for (size_t i = 0; i < tar->attributes.n_items; i++) {
                const int r = add_attribute(tar, &tar->attributes.items[i], reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int ranges_append(Tar *tar, uint64_t begin, uint64_t end) {
        if (tar->n_ranges > 0 && begin - tar->ranges[tar->n_ranges - 1].end < HOLE_SIZE_MIN) {
                tar->ranges[tar->n_ranges - 1].end = end;
                return 0;
        }
        if ((tar->n_ranges & (tar->n_ranges - 1)) == 0) {
                Range *more =
                        reallocarray(tar->ranges, tar->n_ranges == 0 ? 1 : 2 * tar->n_ranges, sizeof(Range));
                if (!more)
                        return -ENOMEM;
                tar->ranges = more;
        }
        tar->ranges[tar->n_ranges++] = (Range){ begin, end };
        return 0;
}

/* Finds where the file has data. Most have no room for a hole, and are not asked. */
static int find_ranges(Tar *tar) {
        const uint64_t size = (uint64_t)tar->node->status.st_size;

        if (size < HOLE_SIZE_MIN || (uint64_t)tar->node->status.st_blocks * 512 >= size)
                return size > 0 ? ranges_append(tar, 0, size) : 0;

        for (uint64_t position = 0, data, hole; position < size; position = hole) {
                int r = fd_find_data(tar->fd, position, size, &data, &hole);
                if (r < 0)
                        return r;
                if (data < hole)
                        r = ranges_append(tar, position == 0 && data < HOLE_SIZE_MIN ? 0 : data, hole);
                if (r < 0)
                        return r;
        }
        if (tar->n_ranges > 0 && size - tar->ranges[tar->n_ranges - 1].end < HOLE_SIZE_MIN)
                tar->ranges[tar->n_ranges - 1].end = size;
        return 0;
}

/* Whether it has no hole that shows in the archive. */
static bool is_dense(const Tar *tar) {
        const uint64_t size = tar->fd >= 0 ? (uint64_t)tar->node->status.st_size : 0;

        return size == 0 || (tar->n_ranges == 1 && tar->ranges[0].begin == 0 && tar->ranges[0].end == size);
}

static void set_holes(Tar *tar) {
        if (is_dense(tar))
                return;
        for (size_t i = 0; i < tar->n_ranges; i++)
                archive_entry_sparse_add_entry(tar->entry, (la_int64_t)tar->ranges[i].begin,
                                               (la_int64_t)(tar->ranges[i].end - tar->ranges[i].begin));
        if (tar->n_ranges == 0)
                archive_entry_sparse_add_entry(tar->entry, 0, 0);
}

/* Finds out what is to be known of the member; attributes and content only of the first name of an inode. */
static int read_member(Tar *tar) {
        if (tar->node->original)
                return tree_node_path(tar->node->original, &tar->original);
        if (!S_ISREG(tar->node->status.st_mode))
                return tree_walk_read_attributes(&tar->walk, tar->node, &tar->attributes);

        int r = tar->fd = tree_walk_open(&tar->walk, tar->node);
        if (r >= 0)
                r = tree_read_open_attributes(tar->fd, &tar->attributes);
        return r < 0 ? r : find_ranges(tar);
}

static int write_data(Tar *tar, const void *data, size_t size, Reason *reason) {
        const uint8_t *bytes = data;

        if (tar->is_plain)
                return put(tar, data, size);
        while (size > 0) {
                const la_ssize_t n = archive_write_data(tar->archive, bytes, size);

                if (n <= 0)
                        return archive_failed(tar, reason);
                bytes += n;
                size -= (size_t)n;
        }
        return 0;
}

/* libarchive counts the bytes of a hole, and looks at none. */
static int write_hole(Tar *tar, uint64_t size, Reason *reason) {
        while (size > 0) {
                const size_t part = (size_t)MIN(size, (uint64_t)sizeof(zero_bytes));

                const int r = write_data(tar, zero_bytes, part, reason);
                if (r < 0)
                        return r;
                size -= part;
        }
        return 0;
}

static int write_range(Tar *tar, const Range *range, Reason *reason) {
        for (uint64_t offset = range->begin, part; offset < range->end; offset += part) {
                part = MIN(range->end - offset, (uint64_t)BUFFER_SIZE);

                int r = interrupt_check();
                if (r < 0)
                        return r;
                r = fd_pread_all(tar->fd, tar->buffer, (size_t)part, offset);
                if (r < 0)
                        return r;
                r = write_data(tar, tar->buffer, (size_t)part, reason);
                if (r < 0)
                        return r;
                progress_advance(tar->options->progress, part);
        }
        return 0;
}

static int write_content(Tar *tar, Reason *reason) {
        uint64_t position = 0;

        for (size_t i = 0; i < tar->n_ranges; i++) {
                int r = write_hole(tar, tar->ranges[i].begin - position, reason);
                if (r >= 0)
                        r = write_range(tar, &tar->ranges[i], reason);
                if (r < 0)
                        return r;
                position = tar->ranges[i].end;
        }
        return tar->fd >= 0 ? write_hole(tar, (uint64_t)tar->node->status.st_size - position, reason) : 0;
}

static int write_header(Tar *tar, Reason *reason) {
        bool binary;

        archive_entry_clear(tar->entry);
        set_status(tar);
        int r = set_names(tar, &binary, reason);
        if (r >= 0)
                r = set_attributes(tar, reason);
        if (r < 0)
                return r;
        set_holes(tar);

        /* The one warning that is none for us: a name that is no UTF-8 is written as it is, and declared to be so. */
        const int result = archive_write_header(tar->archive, tar->entry);
        if (result != ARCHIVE_OK && !(result == ARCHIVE_WARN && binary))
                return archive_failed(tar, reason);
        return 0;
}

/* Ends the member under way, which libarchive would do before it begins the next one. */
static int finish_entry(Tar *tar, Reason *reason) {
        return archive_write_finish_entry(tar->archive) == ARCHIVE_OK ? 0 : archive_failed(tar, reason);
}

/* Fills the last of a number of bytes up with zeros. */
static int put_padding(Tar *tar, uint64_t size, size_t multiple) {
        const size_t rest = (size_t)(size % multiple);

        return rest == 0 ? 0 : put(tar, zero_bytes, multiple - rest);
}

static int write_member(Tar *tar, Reason *reason) {
        uint8_t header[TAR_BLOCK_SIZE];

        int r = interrupt_check();
        if (r < 0)
                return r;
        if (S_ISSOCK(tar->node->status.st_mode))
                return refuse(tar, -EOPNOTSUPP, "it is a socket; remove it at the end of the build", reason);
        /* POSIX and GNU tar take -1.5 for a second and a half before the epoch, libarchive for half a second. */
        const struct timespec time = member_time(tar);
        if (time.tv_sec < 0 && time.tv_nsec > 0)
                return refuse(tar, -EOPNOTSUPP, "it was changed before 1970, and not at a whole second",
                              reason);
        r = read_member(tar);
        if (r < 0)
                return r;

        /* Most members are plain, and libarchive takes several times as long for the same header. */
        tar->is_plain = tar->attributes.n_items == 0 && is_dense(tar) &&
                        tar_header_make(&(TarMember){ tar->node, tar->path, tar->original, time }, header);
        r = tar->is_plain ? put(tar, header, sizeof(header)) : write_header(tar, reason);
        if (r >= 0)
                r = write_content(tar, reason);
        if (r < 0)
                return r;
        return tar->is_plain ? put_padding(tar, tar->size, TAR_BLOCK_SIZE) : finish_entry(tar, reason);
}

int tar_write(const Tree *tree, const TarOptions *options, Stream *stream, Reason *reason) {
        _cleanup_(tar_done)
                Tar tar = { .walk = tree_walk(tree), .options = options, .stream = stream, .fd = -EBADF };

        assert(tree && options && stream);

        int r = tar_init(&tar, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < tree->n_nodes; i++) {
                member_done(&tar);
                tar.node = tree->nodes[i];
                r = tree_node_path(tar.node, &tar.path);
                if (r < 0)
                        return r;
                r = write_member(&tar, reason);
                if (r < 0 && r != -EINTR && tar.stream_error == 0)
                        return reason_set(reason, r, "Cannot put '%s' into the archive: %m", tar.path);
                if (r < 0)
                        return r;
        }
        if (archive_write_close(tar.archive) != ARCHIVE_OK)
                return archive_failed(&tar, reason);
        return put_padding(&tar, tar.size, RECORD_SIZE);
}
