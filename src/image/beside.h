/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A finished image in its directory, and the files there that may speak of it. */

#include "base/hash.h"
#include "base/macro.h"
#include "base/progress.h"

/* What a file was found to be. */
typedef struct BesideFile {
        char *name;
        uint64_t size;
        Sha256Digest digest;
} BesideFile;

typedef struct Beside {
        char *path;       /* of the image, without slashes at its end */
        const char *name; /* of it in the directory */
        char *parent;     /* the directory */
        int directory_fd;
        Progress *progress; /* not owned; may be NULL */

        BesideFile *files; /* that were hashed so far */
        size_t n_files;
} Beside;

/* Opens the directory of an image, which need not be there. */
int beside_open(const char *image, Progress *progress, Beside *ret);
void beside_done(Beside *beside);

/* The name of what belongs to the image: its own, without what tells of format and compression, and the suffix. */
int beside_name(const Beside *beside, const char *suffix, char **ret);

/* Hashes a file of the directory, once, however often it is asked for. 1 and what it is; 0 when there is no regular file
 * of that name. */
int beside_hash(Beside *beside, const char *name, BesideFile *ret);
