/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/macro.h"

/* Compresses the regular file from_fd, from its start, as one Zstandard frame (RFC 8878) with a checksum, appended at to_fd's
 * position. All processors work on it, and the bytes do not depend on how many there are. -EINTR after an interrupt. */
int compress_zstd(int from_fd, int to_fd, int level);
