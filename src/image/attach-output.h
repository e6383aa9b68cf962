/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What signatures change in an image, and beside it. Everything new is made in a workspace, and put into place when all
 * of it is there: the image first, SHA256SUMS behind it. Whoever is killed between the two leaves check sums that do not
 * fit, and doing the same again mends that. */

#include "base/progress.h"
#include "config/config.h"
#include "image/given-signatures.h"
#include "image/sign-disk.h"

typedef struct AttachOutput {
        const Config *config;
        const char *path; /* of the image */
        int fd;           /* the image, open for reading */
        const SignRequest *request;
        const char *request_path;
        const SignPatches *patches;
        const GivenSignature *signature; /* of SHA256SUMS; NULL: none was given */
        const char *workspace;           /* an empty directory on the same file system */
        Progress *progress;
} AttachOutput;

typedef struct AttachResult {
        bool changed;         /* anything */
        bool has_checksums;   /* SHA256SUMS names the image */
        bool checksums_stale; /* no signature of SHA256SUMS is there */
} AttachResult;

/* Writes the patches into a copy of the image, which but for the ranges must be what the request is of, and brings its
 * block map and its line in SHA256SUMS up to date, if there are such. A signature of SHA256SUMS that is not of the new one
 * goes away; one that is given must be. Failures are logged. */
int attach_output(const AttachOutput *output, AttachResult *ret);
