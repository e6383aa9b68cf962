/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who signs: the keys and certificates that the configuration names, one pair for each purpose. Failures are logged. */

#include "base/macro.h"
#include "config/config.h"
#include "secureboot/certificate.h"
#include "secureboot/signing-key.h"

typedef enum SignerRole {
        SIGNER_SECURE_BOOT, /* what the firmware runs */
        SIGNER_VERITY,      /* the root hash */
        SIGNER_ROLE_MAX,
} SignerRole;

typedef struct SignerRow {
        const char *name;    /* "secure-boot": for JSON and arguments */
        const char *purpose; /* "SecureBoot=": for messages */
        size_t key, certificate,
                passphrase_file; /* Config members, each a path or NULL; the key may be a URI */
        const char *key_name, *certificate_name,
                *passphrase_name; /* where they are when the settings name none */
        const char *common_name;  /* in certificates that genkey makes */
        const char *not_valid;    /* what it means that a certificate has expired */
        bool (*wanted)(const Config *config);
} SignerRow;

extern const SignerRow signer_rows[SIGNER_ROLE_MAX];

/* Whether the image has anything that is signed so. */
bool signer_wanted(const Config *config, SignerRole role);

/* Where key, certificate and passphrase are: as the settings say, else under the names that builds look for. The
 * passphrase is NULL when no file with it is there. */
typedef struct SignerSource {
        const char *key, *certificate, *passphrase_file;
} SignerSource;

SignerSource signer_source(const Config *config, SignerRole role);

typedef struct Signer {
        SigningKey *key; /* NULL: nothing is left to be signed, or it is elsewhere (Config.sign_offline) */
        Certificate *certificate;
} Signer;

/* Appends what stands against signing, as far as it can be seen without the key: files that others may read, a
 * certificate that is none. Nothing is asked yet. */
int signer_check(const Config *config, SignerRole role, char ***problems);

/* Loads certificate and key, which have to fit, and asks for the passphrase if there is no file with it; only the
 * certificate for what is signed elsewhere. Warns of a certificate that is not valid now. */
int signer_new(const Config *config, SignerRole role, Signer **ret);
void signer_free(Signer *signer);
DEFINE_CLEANUP(Signer, signer_free)

/* Frees the key, once everything is signed: it is not kept for longer than it is needed. */
void signer_forget_key(Signer *signer);
