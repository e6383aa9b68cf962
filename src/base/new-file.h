/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that have their name only when they are whole: until then they have none, so that whoever is killed leaves nothing
 * behind. Where the file system has no files without a name (NFS, FAT) they have a temporary one, "NAME.XXXXXX". */

#include <sys/types.h>

#include "base/macro.h"

typedef struct NewFile {
        const char *path; /* the caller's */
        int fd;           /* what is written to; only the caller may read it as yet */
        char *temporary;  /* NULL: it has no name, or its own */
} NewFile;

#define NEW_FILE_INIT(file_path) \
        { .path = (file_path), .fd = -EBADF }

/* Opens the file; path and fd as NEW_FILE_INIT() leaves them. */
int new_file_open(NewFile *file);

/* Gives the file this mode, and brings what was written to the disk. */
int new_file_finish(const NewFile *file, mode_t mode);

/* Gives the file its name. -EEXIST when that is taken. */
int new_file_place(NewFile *file);

void new_file_done(NewFile *file);
