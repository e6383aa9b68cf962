/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>

#include "base/fd.h"
#include "format/squashfs-superblock.h"

#define MAGIC          0x73717368
#define VERSION_MAJOR  4
#define VERSION_MINOR  0
#define BLOCK_SIZE_MIN (4 * KIB)
#define BLOCK_SIZE_MAX (1 * MIB)
#define NO_TABLE       UINT64_MAX

/* What a block of metadata holds at most, before it is compressed. */
#define METADATA_SIZE 8192

/* Little-endian. */
typedef struct Superblock {
        uint32_t magic, n_inodes, time, block_size, n_fragments;
        uint16_t compressor, block_log, flags, n_ids, major, minor;
        uint64_t
                root; /* where the inode of the root is: a block of the table, shifted by 16, and the place in it */
        uint64_t size;
        uint64_t ids, attributes, inodes, directories, fragments, exports; /* offsets of tables */
} __attribute__((packed)) Superblock;
static_assert(sizeof(Superblock) == SQUASHFS_SUPERBLOCK_SIZE, "The superblock has another size");

static const char *const compressors[] = { NULL, "gzip", "lzma", "lzo", "xz", "lz4", "zstd" };

static int bad(Reason *reason, const char *what) {
        return reason_set(reason, -EBADMSG, "The superblock of the squashfs %s", what);
}

static int check_form(const Superblock *superblock, Reason *reason) {
        const uint32_t block_size = le32toh(superblock->block_size);
        const uint16_t block_log = le16toh(superblock->block_log),
                       compressor = le16toh(superblock->compressor);

        if (le32toh(superblock->magic) != MAGIC)
                return bad(reason, "is not there");
        if (le16toh(superblock->major) != VERSION_MAJOR || le16toh(superblock->minor) != VERSION_MINOR)
                return bad(reason, "is of another version than 4.0");
        if (block_size < BLOCK_SIZE_MIN || block_size > BLOCK_SIZE_MAX || block_log > 20 ||
            block_size != UINT32_C(1) << block_log)
                return bad(reason, "tells of blocks of an impossible size");
        if (compressor == 0 || compressor >= ELEMENTSOF(compressors))
                return bad(reason, "tells of a compression that is not known");
        if (superblock->n_inodes == 0 || superblock->n_ids == 0)
                return bad(reason, "tells of no inodes or of no owners");
        return 0;
}

/* Tables come in one order, and those that are optional may be left out (Linux, fs/squashfs/super.c). */
static int check_places(const Superblock *superblock, Reason *reason) {
        const struct {
                uint64_t at;
                bool optional;
        } tables[] = {
                { le64toh(superblock->inodes), false },
                { le64toh(superblock->directories), false },
                /* There must be one, and it means nothing, where there are none. */
                { superblock->n_fragments != 0 ? le64toh(superblock->fragments) : NO_TABLE,
                  superblock->n_fragments == 0 },
                { le64toh(superblock->exports), true },
                { le64toh(superblock->ids), false },
                { le64toh(superblock->attributes), true },
        };
        const uint64_t size = le64toh(superblock->size), root = le64toh(superblock->root);
        uint64_t behind = sizeof(*superblock);

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                if (tables[i].optional && tables[i].at == NO_TABLE)
                        continue;
                if (tables[i].at < behind || tables[i].at >= size)
                        return bad(reason, "has its tables in disorder, or outside of the file system");
                behind = tables[i].at;
        }
        const uint64_t inodes_size = le64toh(superblock->directories) - le64toh(superblock->inodes);
        if (root >> 16 >= inodes_size || (root & 0xffff) >= METADATA_SIZE)
                return bad(reason, "has no place for the root directory");
        return 0;
}

int squashfs_superblock_read(int fd, uint64_t offset, uint64_t room, SquashfsSuperblock *ret,
                             Reason *reason) {
        Superblock superblock;

        assert(fd >= 0 && ret);

        if (room < sizeof(superblock))
                return reason_set(reason, -EBADMSG, "There is no room for a squashfs");
        int r = fd_pread_all(fd, &superblock, sizeof(superblock), offset);
        if (r == -ENODATA)
                return reason_set(reason, -EBADMSG, "The squashfs is cut off");
        if (r >= 0)
                r = check_form(&superblock, reason);
        if (r < 0)
                return r;
        const uint64_t size = le64toh(superblock.size);
        if (size > room)
                return reason_set(
                        reason, -EBADMSG,
                        "The squashfs has %llu bytes, and there is room for no more than %llu: it is cut off",
                        (unsigned long long)size, (unsigned long long)room);
        r = check_places(&superblock, reason);
        if (r < 0)
                return r;
        *ret = (SquashfsSuperblock){
                .compressor = compressors[le16toh(superblock.compressor)],
                .block_size = le32toh(superblock.block_size),
                .n_inodes = le32toh(superblock.n_inodes),
                .size = size,
        };
        return 0;
}
