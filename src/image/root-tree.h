/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory in which the tree grows, with what must be there before anything is installed: subvolumes, and the places
 * where other partitions are mounted. */

#include "base/macro.h"
#include "base/reason.h"
#include "config/config.h"
#include "format/image-format.h"

/* Directories that are subvolumes of their own in btrfs, parents first (spec 2.5); NULL-terminated. */
extern const char *const root_tree_subvolumes[];

/* Makes the directory `name` below dir_fd, which lies on btrfs if it is to be a subvolume. */
int root_tree_make(int dir_fd, const char *name, const Config *config, const ImageFormat *format,
                   Reason *reason);

/* Marks the subvolumes nested in a subvolume read-only, deepest first; the outermost one stays writable, so that it can
 * still be renamed. */
int root_tree_freeze_nested(const char *path);

/* Whether subvolumes can be made where the output will be (1), or it lies on another file system (0). */
int root_tree_subvolumes_possible(const Config *config);
