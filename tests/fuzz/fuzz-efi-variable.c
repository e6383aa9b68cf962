/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused with a reason, or they have a place for a signature, which is within them, and
 * what is signed ends with all that follows it. */

#include <string.h>

#include "secureboot/efi-variable.h"

#define TIME_SIZE         16
#define HEADER_SIZE       24
#define VENDOR_SIZE       16
#define ATTRIBUTES_SIZE   4
#define NAME_LETTER_WIDTH 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX; variable++) {
                const size_t name_size = NAME_LETTER_WIDTH * strlen(efi_variable_names[variable]);
                _cleanup_(efi_variable_parts_done) EfiVariableParts parts = {};
                _cleanup_(reason_done) Reason reason = {};

                if (efi_variable_read(variable, data, size, &parts, &reason) < 0) {
                        check(reason.text != NULL);
                        continue;
                }
                check(parts.signature_offset == TIME_SIZE + HEADER_SIZE && parts.signature_size > 0);
                check(parts.signature_offset + parts.signature_size <= size);
                const size_t end = parts.signature_offset + parts.signature_size;
                const Der *bytes = &parts.signed_bytes;
                check(bytes->size == name_size + VENDOR_SIZE + ATTRIBUTES_SIZE + TIME_SIZE + size - end);
                check(memcmp(bytes->bytes + bytes->size - (size - end), data + end, size - end) == 0);
        }
        return 0;
}
