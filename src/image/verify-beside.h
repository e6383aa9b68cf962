/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What lies beside a finished image and speaks of it, whoever put it there. */

#include "config/config.h"
#include "image/beside.h"
#include "verify/verify.h"

/* Adds the root hash in the file beside the image (spec 2.6), if there is one. */
int verify_root_hash_file(const Beside *beside, VerifyDisk *disk);

/* SHA256SUMS in the directory of the image: all files that it names. Adds results. 1 when it does not name the image, so that
 * it does not matter who signed it. */
int verify_checksums(Beside *beside, VerifyResults *results);

/* Its signature, by gpg(1) with the keys of the caller. */
int verify_checksums_signature(const Config *config, const Beside *beside, VerifyResults *results);
