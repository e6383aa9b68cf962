/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives as tar(1) reads them: the pax interchange format (POSIX.1-2017, pax, "pax Interchange Format"), with extended
 * headers only where the plain ustar header cannot say it. */

#include "base/progress.h"
#include "base/reason.h"
#include "base/tree.h"
#include "format/stream.h"

typedef struct TarOptions {
        int64_t time;       /* no file is later. Seconds since the epoch */
        Progress *progress; /* is told what was read of files; may be NULL */
} TarOptions;

/* Writes the tree, in its order, as members "./", "./etc/" …: owners by number only, times of modification to the
 * nanosecond, hard links, devices, holes of a MiB and more, extended attributes and access control lists. Nothing in it
 * tells of the host. The caller finishes the stream.
 *
 * -EOPNOTSUPP with a reason that names the file for what tar cannot store: sockets, fractions of seconds before 1970, and
 * attributes whose names are not printable ASCII. -ENODATA for a file that shrank since
 * the tree was loaded, -EINTR after interrupt_check(). */
int tar_write(const Tree *tree, const TarOptions *options, Stream *stream, Reason *reason);
