/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files of a file system are opened from a moment on, by whatever program in whatever namespace: the kernel tells
 * (fanotify). Looking at names, modes and links is not opening. Needs CAP_SYS_ADMIN. */

#include <sys/stat.h>

#include "base/macro.h"

typedef struct OpenWatch OpenWatch;

/* Begins, for the whole file system on which the directory lies. A negative errno where the kernel does not offer it. */
int open_watch_new(const char *directory, OpenWatch **ret);

/* Ends, and takes down what was opened until now. A negative errno when something has got lost. */
int open_watch_finish(OpenWatch *watch);

/* Whether the inode was opened: after open_watch_finish(). */
bool open_watch_saw(const OpenWatch *watch, const struct stat *status);

void open_watch_free(OpenWatch *watch);
DEFINE_CLEANUP(OpenWatch, open_watch_free)
