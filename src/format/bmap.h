/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Block maps, version 2.0: XML that lists the blocks of an image that have content, with their SHA-256, so that bmaptool(1)
 * can copy an image to a device without the rest, and check what it copies. */

#include "base/macro.h"
#include "base/progress.h"

/* Reads the image, a regular file, once and lists each block that is not all zeros: how the file came by its holes does not
 * show. progress, which may be NULL, is told of all of the image's size. -EINTR after interrupt_check(). */
int bmap_make(int image_fd, Progress *progress, char **ret);
