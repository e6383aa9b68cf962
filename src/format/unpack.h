/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives that are unpacked: every format and compression that libarchive reads (tar, cpio, zip, 7-Zip …). */

#include "base/progress.h"
#include "base/reason.h"

/* Whether the path ends like that of an archive: ".tar", ".tar.gz", ".tgz", ".zip" … */
bool unpack_is_archive_name(const char *path);

/* Unpacks the archive into the directory, which is empty. Owners are what the archive says by number; modes, times, links,
 * devices, holes, extended attributes and access control lists are kept. Nothing is written outside of the directory: members
 * with absolute names, with "..", or behind a link are refused with -EBADMSG and a reason that names them, as is what is
 * no archive. -EINTR after interrupt_check(). */
int unpack_archive(int archive_fd, int directory_fd, Progress *progress, Reason *reason);
