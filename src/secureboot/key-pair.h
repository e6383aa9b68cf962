/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* New keys for signatures of firmware, each with a certificate that it signs itself. */

#include "base/macro.h"
#include "base/reason.h"
#include "base/secret.h"

typedef enum KeyPairType {
        KEY_PAIR_RSA_2048, /* what all firmware knows */
        KEY_PAIR_RSA_3072,
        KEY_PAIR_RSA_4096,
        KEY_PAIR_EC_P256,
        KEY_PAIR_EC_P384,
        KEY_PAIR_TYPE_MAX,
} KeyPairType;

extern const char *const key_pair_type_words[]; /* "rsa2048" …, NULL-terminated */

typedef struct KeyPairWish {
        KeyPairType type;
        const char *common_name;       /* of the certificate's subject; 1 to 64 characters */
        int64_t not_before, not_after; /* seconds since 1970 */
        const Secret *passphrase;      /* encrypts the key; NULL: it is not encrypted */
} KeyPairWish;

#define KEY_PAIR_COMMON_NAME_MAX 64 /* RFC 5280, ub-common-name */

/* Makes both as PEM: the key as PKCS #8, in memory that is wiped. -EINVAL for a name that certificates cannot have.
 * */
int key_pair_generate(const KeyPairWish *wish, Secret **ret_key, char **ret_certificate, Reason *reason);
