/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of a tree, named by paths below its root. Links in the tree never lead outside of it. What fails is not logged. */

#include "base/macro.h"

/* Opens the tree's directory. */
int distro_open_root(const char *root);

/* Opens a directory, made with this mode if it is not there, and with it its missing parents. */
int distro_make_directory(int root_fd, const char *path, mode_t mode);

/* Writes a file, making missing directories. */
int distro_write_text(int root_fd, const char *path, const char *text, mode_t mode);

/* The names of what lies directly in the directory, sorted; no such directory has none. */
int distro_list(int root_fd, const char *directory, char ***ret);

/* Deletes what lies directly in the directory and matches the pattern: fnmatch(3) with FNM_EXTMATCH, a leading dot is
 * nothing special. No such directory is fine. */
int distro_remove_matching(int root_fd, const char *directory, const char *pattern);

/* What is removed of a directory, as above. */
typedef struct DistroLeftover {
        const char *directory, *pattern;
} DistroLeftover;

int distro_remove_all(int root_fd, const DistroLeftover *leftovers, size_t n_leftovers);
