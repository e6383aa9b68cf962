/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the words of Compress= and CompressOutput= mean to those who compress. */

#include "base/macro.h"
#include "config/config.h"
#include "format/compress.h"
#include "format/image-format.h"

/* How the root file system compresses what is in it: zstd where Compress=yes leaves the choice, and in squashfs unless
 * Compress= says otherwise. */
Compression compression_choice_inside(const Config *config);

/* What the finished output is compressed by, NULL: nothing. */
const Compressor *compression_choice_outside(const Config *config);

/* Appends what stands against it: algorithms that a file system does not know, levels that there are not. */
int compression_choice_check(const Config *config, const ImageFormat *format, char ***problems);
