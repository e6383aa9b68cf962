/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "base/text.h"
#include "format/luks-reader.h"
#include "format/squashfs-superblock.h"
#include "verify/content.h"

static uint64_t number_at(const uint8_t *bytes, size_t size) {
        uint64_t number = 0;

        while (size-- > 0)
                number = number << 8 | bytes[size];
        return number;
}

static int read_at(const ContentPlace *place, uint64_t at, void *buffer, size_t size, Reason *reason) {
        if (at > place->size || size > place->size - at)
                return reason_set(reason, -EBADMSG, "There is no room for a superblock");
        return fd_pread_all(place->fd, buffer, size, place->offset + at);
}

/* 1, and the kind and the place's size, if the file system fits. */
static int say_size(const char *kind, const ContentPlace *place, uint64_t size, char **ret, Reason *reason) {
        if (size > place->size)
                return reason_set(reason, -EBADMSG,
                                  "Its %s has %llu bytes, and there is room for no more than %llu", kind,
                                  (unsigned long long)size, (unsigned long long)place->size);
        const int r = text_format(ret, "%s, in %llu bytes", kind, (unsigned long long)place->size);
        return r < 0 ? r : 1;
}

/* Number of blocks, in two halves, and the size of a block (Linux, "ext4 Data Structures and Algorithms", "Super Block"). */
static int read_ext4(const ContentPlace *place, char **ret, Reason *reason) {
        uint8_t superblock[1024];

        const int r = read_at(place, 1024, superblock, sizeof(superblock), reason);
        if (r < 0)
                return r;
        const uint64_t blocks = number_at(superblock + 0x4, 4) | number_at(superblock + 0x150, 4) << 32;
        const unsigned log = 10 + (superblock[0x18] & 7);
        return say_size("ext4", place, blocks > UINT64_MAX >> log ? UINT64_MAX : blocks << log, ret, reason);
}

/* Total bytes ("btrfs On-disk Format", "Superblock"). */
static int read_btrfs(const ContentPlace *place, char **ret, Reason *reason) {
        uint8_t total[8];

        const int r = read_at(place, 64 * KIB + 0x70, total, sizeof(total), reason);
        return r < 0 ? r : say_size("btrfs", place, number_at(total, sizeof(total)), ret, reason);
}

static int read_squashfs(const ContentPlace *place, char **ret, Reason *reason) {
        SquashfsSuperblock superblock;

        int r = squashfs_superblock_read(place->fd, place->offset, place->size, &superblock, reason);
        if (r >= 0)
                r = text_format(ret, "squashfs, %s in blocks of %u KiB, in %llu bytes", superblock.compressor,
                                superblock.block_size / (unsigned)KIB, (unsigned long long)place->size);
        return r < 0 ? r : 1;
}

/* The two versions share no more than how they begin. */
static int read_luks(const ContentPlace *place, char **ret, Reason *reason) {
        LuksHeader header = {};
        uint8_t begin[8];

        int r = read_at(place, 0, begin, sizeof(begin), reason);
        if (r < 0)
                return r;
        if (memcmp(begin, "LUKS\xba\xbe\0\1", sizeof(begin)) == 0)
                return text_format(ret,
                                   "LUKS1, which is not looked into; cryptsetup convert makes LUKS2 of it");
        r = luks_header_read(place->fd, place->offset, place->size, &header, reason);
        if (r >= 0)
                r = luks_header_describe(&header, ret);
        luks_header_done(&header);
        return r < 0 ? r : 1;
}

static const struct {
        const char *kind;
        int (*read)(const ContentPlace *place, char **ret, Reason *reason);
} readers[] = {
        { "ext4", read_ext4 },
        { "btrfs", read_btrfs },
        { "squashfs", read_squashfs },
        { "crypto_LUKS", read_luks },
};

int content_read(const char *kind, const ContentPlace *place, char **ret, Reason *reason) {
        for (size_t i = 0; i < ELEMENTSOF(readers); i++)
                if (text_equal(readers[i].kind, kind))
                        return readers[i].read(place, ret, reason);
        return say_size(kind, place, 0, ret, reason);
}
