/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures that come back from another machine, each with the ID that a request (sign-request.h) has for what was
 * signed: in a file ID.sig, as `openssl dgst -sign` and `gpg --detach-sign` write them, in a directory of such files, or
 * in a JSON object whose members are IDs and whose values are signatures in base64. */

#include "base/reason.h"
#include "image/sign-request.h"
#include "secureboot/der.h"

#define GIVEN_SIGNATURE_SIZE_MAX (64 * KIB)

typedef struct GivenSignature {
        char *id;
        char *source; /* the file that it is from */
        Der bytes;
} GivenSignature;

typedef struct GivenSignatures {
        GivenSignature *items;
        size_t n_items;
} GivenSignatures;

void given_signatures_done(GivenSignatures *given);

/* NULL when there is none for the ID. */
const GivenSignature *given_signatures_find(const GivenSignatures *given, const char *id);

/* Adds those of a JSON object, whatever the text is; the source is kept with them. -EBADMSG with a reason, and the line
 * that was reached, when it is no such object, an ID can be none, or a signature is there twice, empty or too large. */
int given_signatures_parse(GivenSignatures *given, const char *source, const char *text, size_t size,
                           unsigned *ret_line, Reason *reason);

/* Adds what is at each of the paths: a directory, a file *.sig or *.gpg, or anything else as JSON. Failures are logged. */
int given_signatures_load(GivenSignatures *given, const char *const *paths);
