/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manifest beside an image, compared with what is found of the image itself. It is read first, as it knows a root hash,
 * and compared last. */

#include "image/beside.h"
#include "image/manifest-reader.h"
#include "verify/verify.h"

typedef struct VerifyManifest {
        char *name; /* "image.manifest" */
        bool there;
        Reason reason; /* why it cannot be read; no text: it was */
        Manifest manifest;
} VerifyManifest;

/* Reads the manifest, if there is one, and adds its root hash to those that must be the same. */
int verify_manifest_read(const Beside *beside, VerifyManifest *ret, VerifyDisk *disk);

/* Adds one result: the partition table, as far as one was read, and all files beside the image that the manifest names are
 * what it says. The first contradiction is named. */
int verify_manifest(const VerifyManifest *manifest, Beside *beside, VerifyDisk *disk);
void verify_manifest_done(VerifyManifest *manifest);
