/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What compresses whole outputs, the other way round. */

#include "base/progress.h"
#include "base/reason.h"

/* Whether the file begins as xz, zstd or gzip data do. -errno when it cannot be read. */
int decompress_is_wanted(int fd);

/* Decompresses a file into an empty regular one, in which blocks of zeros become holes. Progress, which may be NULL, is told
 * what was read. -EBADMSG with a reason when the data is damaged or cut off, -EINTR after interrupt_check(). */
int decompress_file(int from_fd, int to_fd, Progress *progress, Reason *reason);
