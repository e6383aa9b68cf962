/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the text is: it is refused with a reason, or is for another machine, or describes firmware with all that a machine
 * needs of it. */

#include "run/firmware-descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static bool is_whole(const FirmwareFile *file) {
        return file->path && file->path[0] == '/' && file->format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const FirmwareTarget target = { .architecture = "x86_64", .machine = "pc-q35-0" };
        Firmware firmware = {};
        Reason reason = {};

        if (size > FIRMWARE_DESCRIPTOR_SIZE_MAX)
                return 0;
        const int r = firmware_descriptor_read((const char *)data, size, &target, &firmware, &reason);
        if (r < 0)
                check(reason.text != NULL);
        if (r > 0)
                check(is_whole(&firmware.code) && is_whole(&firmware.variables));
        else
                check(!firmware.code.path && !firmware.variables.path);
        firmware_done(&firmware);
        reason_done(&reason);
        return 0;
}
