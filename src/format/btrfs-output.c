/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "format/btrfs-output.h"

int btrfs_output_init(BtrfsOutput *output, const FilesystemPlace *place) {
        *output = (BtrfsOutput){ .place = place, .buffer = malloc(BTRFS_OUTPUT_BUFFER_SIZE) };
        return output->buffer ? 0 : -ENOMEM;
}

void btrfs_output_done(BtrfsOutput *output) {
        free(output->buffer);
        *output = (BtrfsOutput){};
}

int btrfs_output_flush(BtrfsOutput *output) {
        const FilesystemPlace *place = output->place;
        const size_t size = output->size;

        output->size = 0;
        if (size == 0)
                return 0;
        if (place->size > 0 && (output->address > place->size || size > place->size - output->address))
                return 0;
        return fd_pwrite_all(place->fd, output->buffer, size, place->offset + output->address);
}

int btrfs_output_room(BtrfsOutput *output, uint64_t address, size_t size_max, uint8_t **ret,
                      size_t *ret_size) {
        if (address != output->address + output->size || output->size == BTRFS_OUTPUT_BUFFER_SIZE) {
                const int r = btrfs_output_flush(output);
                if (r < 0)
                        return r;
                output->address = address;
        }

        *ret = output->buffer + output->size;
        *ret_size = MIN(size_max, (size_t)BTRFS_OUTPUT_BUFFER_SIZE - output->size);
        output->size += *ret_size;
        return 0;
}

int btrfs_output_write(BtrfsOutput *output, uint64_t address, const void *data, size_t size) {
        while (size > 0) {
                uint8_t *room;
                size_t part;

                const int r = btrfs_output_room(output, address, size, &room, &part);
                if (r < 0)
                        return r;
                memcpy(room, data, part);
                data = (const uint8_t *)data + part;
                address += part;
                size -= part;
        }
        return 0;
}
