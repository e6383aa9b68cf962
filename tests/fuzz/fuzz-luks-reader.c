/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused with a reason, or all areas lie within the volume, and can be described. What begins
 * with a brace is a JSON text, which gets headers with check sums that fit; anything else is what the volume begins with. */

#include <sys/mman.h>
#include <unistd.h>

#include "../unit/luks-builder.h"
#include "format/luks-reader.h"

#define VOLUME_SIZE (20 * MIB) /* holes behind what was given */
#define HEADER_SIZE (16 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static void check_header(const LuksHeader *header) {
        _cleanup_(freep) char *text = NULL;

        check(header->data->offset < VOLUME_SIZE && header->data->size <= VOLUME_SIZE - header->data->offset);
        check(header->opening && (header->opening & ~header->metadata.has_slots) == 0);
        for (unsigned i = 0; i < LUKS_OBJECTS_MAX; i++) {
                const LuksSlot *slot = &header->metadata.slots[i];

                if (!(header->metadata.has_slots & UINT32_C(1) << i))
                        continue;
                check(slot->offset >= 2 * header->size && slot->offset + slot->size <= header->data->offset);
                check(slot->derivation.type != NULL && slot->derivation.iterations > 0);
        }
        check(luks_header_describe(header, &text) == 0 && text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("volume", MFD_CLOEXEC);
        _cleanup_(reason_done) Reason reason = {};
        LuksHeader header = {};

        check(fd >= 0);
        if (size > 0 && data[0] == '{')
                check(luks_builder_put(fd, HEADER_SIZE, (const char *)data, size));
        else
                check(fd_pwrite_all(fd, data, MIN(size, (size_t)VOLUME_SIZE), 0) == 0);
        check(ftruncate(fd, VOLUME_SIZE) == 0);
        if (luks_header_read(fd, 0, VOLUME_SIZE, &header, &reason) < 0)
                check(reason.text != NULL);
        else
                check_header(&header);
        luks_header_done(&header);
        return 0;
}
