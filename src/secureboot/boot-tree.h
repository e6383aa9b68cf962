/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes on the EFI system partition. */

#include "base/macro.h"
#include "base/reason.h"

/* The names EFI gives to an architecture ("x64" in BOOTX64.EFI). NULL when UEFI knows none. The architecture is named as
 * in the Discoverable Partitions Specification. */
const char *efi_architecture(const char *architecture);

/* Makes the directories of a boot partition below dir_fd, mode 0700: EFI/BOOT, EFI/systemd, EFI/Linux, loader; and copies
 * the boot loader to EFI/systemd/systemd-bootx64.efi and EFI/BOOT/BOOTX64.EFI. All boot_tree_… functions are for an
 * existing empty directory; they leave file times to the caller. */
int boot_tree_make(int dir_fd, const char *architecture, int boot_loader_fd, Reason *reason);

/* Opens EFI/Linux/NAME.efi for writing a unified kernel into it, mode 0600. */
int boot_tree_create_kernel(int dir_fd, const char *name, Reason *reason);
