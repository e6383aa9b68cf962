/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes on the EFI system partition. */

#include "base/macro.h"
#include "base/reason.h"

/* The names EFI gives to an architecture ("x64" in BOOTX64.EFI). NULL when UEFI knows none. The architecture is named
 * as in the Discoverable Partitions Specification. */
const char *efi_architecture(const char *architecture);

/* Makes the directories of a boot partition below dir_fd, mode 0700: EFI/BOOT, EFI/systemd, EFI/Linux,
 * loader/entries; and copies the boot loader to EFI/systemd/systemd-bootx64.efi and EFI/BOOT/BOOTX64.EFI.
 * loader/entries and the file loader/entries.srel, which says "type1", are how kernel-install of the running system
 * recognises the partition as the place for the kernels of updates (Boot Loader Specification, systemd's
 * kernel-install(8)); there is no loader.conf, since the boot loader's defaults are what is wanted, unless it is to
 * enroll keys. -EBADMSG when the boot loader is no EFI program of that architecture, -EOPNOTSUPP when UEFI does not
 * know the architecture. All boot_tree_… functions are for an existing empty directory; they leave file times to the
 * caller. */
int boot_tree_make(int dir_fd, const char *architecture, int boot_loader_fd, Reason *reason);

/* Files with authenticated variables that systemd-boot enrolls (systemd-boot(7)). */
#define BOOT_TREE_KEYS_DIRECTORY "loader/keys/auto"

/* Puts a file PK.auth, KEK.auth or db.auth where systemd-boot looks for it. */
int boot_tree_add_key(int dir_fd, const char *name, const void *data, size_t size, Reason *reason);

/* Writes loader/loader.conf, which says when systemd-boot enrolls them: "manual", "if-safe" or "force"
 * (loader.conf(5)). */
int boot_tree_set_enrollment(int dir_fd, const char *when, Reason *reason);

/* Opens EFI/Linux/NAME.efi for writing a unified kernel into it, mode 0600. -EEXIST when it is there already, -EINVAL
 * when FAT cannot have the name. */
int boot_tree_create_kernel(int dir_fd, const char *name, Reason *reason);
