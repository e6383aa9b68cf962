/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Swap space: a header of one page, in the form that mkswap(8) calls version 1. The structure is union swap_header of the
 * Linux kernel's include/linux/swap.h: 1024 bytes for boot loaders, version, last page, number of bad pages, UUID, label,
 * and in the last ten bytes of the page a signature. Numbers are in the order of the machine that swaps, which is little
 * endian wherever images boot; the page is 4096 bytes there. */

#include <endian.h>

#include "base/fd.h"
#include "base/text.h"
#include "format/filesystem.h"

#define PAGE_SIZE      4096
#define SIZE_MIN       (10 * PAGE_SIZE) /* swapon(2) refuses less */
#define VERSION_OFFSET 1024
#define LABEL_LENGTH   16
#define SIGNATURE      "SWAPSPACE2"

typedef struct SwapHeader {
        uint32_t version;
        uint32_t last_page;
        uint32_t n_bad_pages;
        uint8_t uuid[16];
        char label[LABEL_LENGTH];
} __attribute__((packed)) SwapHeader;

static int swap_make(const Tree *tree, const FilesystemOptions *options, const FilesystemPlace *place,
                     uint64_t *ret_size, Reason *reason) {
        const uint64_t size = place->size > 0 ? place->size : MAX(options->size_grain, (uint64_t)SIZE_MIN);
        SwapHeader header = { .version = htole32(1) };
        uint8_t page[PAGE_SIZE] = {};

        if (size < SIZE_MIN) {
                *ret_size = SIZE_MIN;
                return reason_set(reason, -ENOSPC, "Swap space has %d bytes at least", SIZE_MIN);
        }
        if (size / PAGE_SIZE - 1 > UINT32_MAX)
                return reason_set(reason, -EFBIG, "Swap space has %llu bytes at most",
                                  ((unsigned long long)UINT32_MAX + 1) * PAGE_SIZE);

        header.last_page = htole32((uint32_t)(size / PAGE_SIZE - 1));
        memcpy(header.uuid, options->uuid.bytes, sizeof(header.uuid));
        if (options->label)
                memcpy(header.label, options->label, MIN(strlen(options->label), (size_t)LABEL_LENGTH));
        memcpy(page + VERSION_OFFSET, &header, sizeof(header));
        memcpy(page + PAGE_SIZE - strlen(SIGNATURE), SIGNATURE, strlen(SIGNATURE));

        int r = fd_extend(place->fd, place->offset + size);
        if (r >= 0)
                r = fd_pwrite_all(place->fd, page, sizeof(page), place->offset);
        if (r < 0)
                return r;
        *ret_size = size;
        return 0;
}

/* It holds no files: no tree is needed, and one that is given is not looked at. */
const Filesystem filesystem_swap = {
        .name = "swap",
        .make = swap_make,
};
