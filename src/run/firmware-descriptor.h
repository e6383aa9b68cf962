/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Descriptions of firmware for virtual machines, one in a file, as docs/interop/firmware.json of qemu lays down. */

#include "run/firmware.h"

/* No descriptor is larger. */
#define FIRMWARE_DESCRIPTOR_SIZE_MAX (64 * KIB)

/* Reads one: 1 when it is UEFI firmware for that target, in flash memory with its variables beside it; 0 when
 * it is something else; -EBADMSG with a reason when it is no descriptor. */
int firmware_descriptor_read(const char *text, size_t size, const FirmwareTarget *target, Firmware *ret,
                             Reason *reason);
