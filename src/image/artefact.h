/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that a build makes: the image, and what lies beside it. A table says which there are, when, and how they are
 * called (spec 2.6). */

#include "base/hash.h"
#include "base/json.h"
#include "base/macro.h"
#include "config/config.h"

typedef enum ArtefactKind {
        ARTEFACT_IMAGE, /* a file, or the directory or subvolume */
        ARTEFACT_ROOT_HASH,
        ARTEFACT_NSPAWN,
        ARTEFACT_BMAP,
        ARTEFACT_MANIFEST,
        ARTEFACT_CHECKSUMS,
        ARTEFACT_SIGNATURE,
        ARTEFACT_SIGN_REQUEST,
        ARTEFACT_MAX,
} ArtefactKind;

/* The names of those that are not named after the image. */
#define CHECKSUMS_NAME           "SHA256SUMS"
#define CHECKSUMS_SIGNATURE_NAME CHECKSUMS_NAME ".gpg"

/* One that was made. */
typedef struct Artefact {
        ArtefactKind kind;
        char *path;   /* where it lies, in the workspace */
        char *output; /* where it will lie */
        bool is_file;
        uint64_t size; /* of files */
        Sha256Digest digest;
        bool hashed; /* the digest is there */
} Artefact;

typedef struct Artefacts {
        Artefact items[ARTEFACT_MAX];
        size_t n_items; /* in the order of kinds */
} Artefacts;

const char *artefact_name(ArtefactKind kind); /* "image", "root-hash" … for JSON and messages */

/* Whether the configuration asks for one of the kind. */
bool artefact_wanted(const Config *config, ArtefactKind kind);

/* Whether anybody asks for check sums. */
bool artefact_hashes_wanted(const Config *config);

/* The path at which it is put. */
int artefact_output(const Config *config, ArtefactKind kind, char **ret);

/* Adds what lies at the path, which is taken over also on failure. The size of a file is looked up; digest may be NULL. */
int artefacts_add(Artefacts *artefacts, const Config *config, ArtefactKind kind, char *path,
                  const Sha256Digest *digest);
void artefacts_done(Artefacts *artefacts);

/* Writes what it is into an object that is open: kind, and of files size and sha256. */
void artefact_print_json(const Artefact *artefact, JsonWriter *json);

/* NULL when there is none of the kind. */
const Artefact *artefacts_find(const Artefacts *artefacts, ArtefactKind kind);
