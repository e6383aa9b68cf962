/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The half of sign-disk.h that is about the EFI system partition: programs, and variables that firmware enrolls. */

#include "image/sign-disk.h"

/* Appends an item for every file with a place that waits for a signature. */
int sign_boot_survey(const SignDisk *disk, SignRequest *request, Reason *reason);

/* sign_disk_attach() for such a file. */
int sign_boot_attach(const SignDisk *disk, const SignItem *item, const Der *signature, SignPatches *patches,
                     SignState *ret, Reason *reason);
