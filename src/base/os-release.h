/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* os-release(5): which operating system lies in a tree. Read with libiniparser. */

#include "base/macro.h"

typedef struct OsRelease {
        char *path;             /* the file that was read, relative to the root, "usr/lib/os-release" */
        char *id;               /* ID=, "linux" if unset as the specification says */
        char *id_like;          /* ID_LIKE= or NULL: words, what it is derived from, the closest first */
        char *version_id;       /* VERSION_ID= or NULL */
        char *version_codename; /* VERSION_CODENAME= or NULL */
        char *pretty_name;      /* PRETTY_NAME= or NULL */
} OsRelease;

/* Reads etc/os-release, else usr/lib/os-release, below root ("/" for the host); links stay below the root. -ENOENT when
 * there is neither. */
int os_release_load(const char *root, OsRelease *ret);
void os_release_done(OsRelease *os_release);

/* Any one field by its name ("IMAGE_ID"); -ENODATA when the file does not have it, otherwise errors as above. */
int os_release_field(const char *root, const char *name, char **ret);
