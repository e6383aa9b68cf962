/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The checks of an image, each of one kind of thing, of which it adds the results. 0, also when things failed; 1 when those
 * behind it have nothing to go by; an error is what verify_disk() has it for. */

#include "verify/verify.h"

int verify_check_table(VerifyDisk *disk);
/* What partitions hold: the superblock or header of each, and its size. */
int verify_check_content(VerifyDisk *disk);
/* The same for a file that is no disk, and holds a file system. */
int verify_check_file_system(VerifyDisk *disk);
/* The EFI system partition, and the extended boot partition, all that there are: file system, boot loader, and all programs
 * with their signatures. */
int verify_check_boot(VerifyDisk *disk);
/* The hash tree of the root partition, by all root hashes that are known, which must be the same. */
int verify_check_root(VerifyDisk *disk);
/* The signature of the root hash. */
int verify_check_root_signature(VerifyDisk *disk);
