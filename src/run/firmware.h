/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UEFI firmware for virtual machines, as distributions install it: a program, and a file with its variables
 * that is the template of each machine's own. Firmware that keeps no variables, or keeps them elsewhere, is not
 * looked for. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct FirmwareFile {
        char *path, *format; /* as qemu calls it: "raw", "qcow2" */
} FirmwareFile;

typedef struct Firmware {
        FirmwareFile code, variables;
        bool secure_boot;   /* it can refuse what is not signed */
        bool enrolled_keys; /* it has keys, and does */
        bool requires_smm;  /* of its machine: system management mode */
} Firmware;

/* The machine that it is for. */
typedef struct FirmwareTarget {
        const char *architecture; /* as qemu calls it: "x86_64" */
        const char *machine; /* a machine type, which the patterns of descriptors have to match: "pc-q35-0" */
} FirmwareTarget;

typedef struct FirmwarePlaces {
        const char *root; /* "" for the host's; in front of all paths but that of the user's directory */
        const char *user_directory; /* of the user's descriptors; NULL: none */
} FirmwarePlaces;

/* Finds one without keys: with secure_boot one that can get some, without it one that cannot if there is any
 * such. It is looked for in the descriptors of qemu (docs/interop/firmware.json there), in their order, then in
 * a table of places where distributions put it. Firmware whose files cannot be read is passed over. 1, or 0
 * when there is none. What was wrong with descriptors that had to be passed over is added to problems. */
int firmware_find(const FirmwareTarget *target, bool secure_boot, const FirmwarePlaces *places, Firmware *ret,
                  char ***problems);
void firmware_done(Firmware *firmware);

/* A copy of the variables that nobody else has, in memory: it is gone with its last user, however that ends. */
int firmware_copy_variables(const Firmware *firmware, int *ret_fd, Reason *reason);
