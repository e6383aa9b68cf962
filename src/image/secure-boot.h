/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is signed for Secure Boot: everything that the firmware runs, and the keys that it is to have. */

#include "image/signer.h"
#include "secureboot/authenticode.h"

/* Signs every EFI program in the tree of the EFI system partition: all files named *.efi; or keeps places for their
 * signatures, if they are signed elsewhere. What is signed already is dealt with as the configuration says. The time is
 * that of the signatures, or AUTHENTICODE_NO_TIME. Failures are logged. */
int secure_boot_sign(const Signer *signer, const Config *config, const char *boot_path, int64_t time);

/* Puts the certificate into the tree as keys of the firmware, to be enrolled when the configuration says so; or keeps
 * places for their signatures. Failures are logged. */
int secure_boot_enroll(const Signer *signer, const Config *config, const char *boot_path, int64_t time);
