/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a build was made of and what it made, as a JSON object:
 *
 *   manifest_version  1; a number that changes when a member gets another meaning
 *   generator         name and version of the program
 *   distribution, release, architecture, format
 *   time              seconds since 1970, the upper bound of all times in the image; null where SOURCE_DATE_EPOCH was not set
 *   packages          name, version, architecture of each, as the tree's package database has them, sorted
 *   artefacts         kind, name, size, sha256 of each file that was made before the manifest; of what changes when
 *                     signatures are put into an image no more than stays the same
 *   disk              of disk images: UUID and size, and of each partition type, UUIDs, name, offset, size, attributes
 *   settings          section, name, values of each setting that has any; paths as seen from the working directory
 *
 * Nothing in it depends on when or where the build ran. */

#include "image/image.h"

/* Failures are logged. */
int manifest_format(const Image *image, char **ret);
