/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes to the place of the file system, gathered into large writes. What would lie behind the end of the place is
 * dropped without a word: then all that is wanted is how much room there should have been. */

#include "format/filesystem.h"

#define BTRFS_OUTPUT_BUFFER_SIZE MIB

typedef struct BtrfsOutput {
        const FilesystemPlace *place;
        uint8_t *buffer;
        uint64_t address; /* of the buffer's first byte, in the file system */
        size_t size;      /* what is in the buffer */
} BtrfsOutput;

int btrfs_output_init(BtrfsOutput *output, const FilesystemPlace *place);
void btrfs_output_done(BtrfsOutput *output);

/* Where to put the bytes of an address, and how many of them, up to size_max; they are written some time later, and must
 * be there by the next call. */
int btrfs_output_room(BtrfsOutput *output, uint64_t address, size_t size_max, uint8_t **ret,
                      size_t *ret_size);

int btrfs_output_write(BtrfsOutput *output, uint64_t address, const void *data, size_t size);
int btrfs_output_flush(BtrfsOutput *output);
