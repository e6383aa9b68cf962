/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures by gpg(1) of the host, with the keys of whoever builds ($GNUPGHOME, $HOME). */

#include "base/macro.h"
#include "config/config.h"

/* Appends what stands against signing: there is no gpg, or no such secret key. */
int gnupg_check(const Config *config, char ***problems);

/* Writes a binary detached signature of what is read from one descriptor to the other. Failures are logged. */
int gnupg_sign(const Config *config, int from_fd, int to_fd);

/* What gpg says of a signature. */
typedef enum GnupgAnswer {
        GNUPG_GOOD,
        GNUPG_GOOD_KEY_EXPIRED, /* since */
        GNUPG_BAD,              /* the file was changed since, or is another one */
        GNUPG_KEY_REVOKED,
        GNUPG_EXPIRED,
        GNUPG_KEY_MISSING, /* so that nothing can be said */
        GNUPG_UNREADABLE,  /* it is no signature */
        GNUPG_ANSWER_MAX,
} GnupgAnswer;

typedef struct GnupgVerdict {
        GnupgAnswer answer;
        bool trusted; /* of good ones: the caller trusts the signer's key; any other may be anybody's */
        char *signer; /* as gpg names it: key and user; NULL: unknown */
} GnupgVerdict;

/* Has gpg look at a detached signature of the file, with the public keys of the caller. -ENOENT when there is no gpg. */
int gnupg_verify(const Config *config, const char *signature, const char *path, GnupgVerdict *ret);
void gnupg_verdict_done(GnupgVerdict *verdict);
