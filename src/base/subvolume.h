/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Subvolumes of btrfs: directories that are file trees of their own. The kernel's interface is <linux/btrfs.h>. */

#include "base/macro.h"

/* Whether the directory lies on btrfs (1), or on another file system (0). */
int subvolume_supported(int fd);

/* Makes a subvolume with the mode below the directory, where nothing has the name. -ENOTTY on another file system. */
int subvolume_create(int dir_fd, const char *name, mode_t mode);

/* Whether the directory is the root of a subvolume (1), or not (0). */
int subvolume_is(int fd);

/* The property that keeps everything in the subvolume, but not subvolumes nested in it, from being changed. */
int subvolume_get_read_only(int fd);
int subvolume_set_read_only(int fd, bool read_only);

/* Deletes the subvolume with all that is in it, at once. -ENOTEMPTY if subvolumes are nested in it, -ENOTDIR if it is none;
 * -EROFS if it is read-only and who asks may not. */
int subvolume_remove(int dir_fd, const char *name);
