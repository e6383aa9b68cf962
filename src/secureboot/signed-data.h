/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PKCS #7 SignedData (RFC 2315, 9) with one signer, put together around a signature that was made elsewhere. Digests
 * are SHA-256. */

#include "secureboot/certificate.h"
#include "secureboot/der.h"

typedef struct SignedData {
        const uint8_t *content_type; /* object identifier of the content, without tag and length */
        size_t content_type_size;
        const Der *content;    /* the value itself; NULL: it is elsewhere */
        const Der *attributes; /* what was signed: a SET of attributes; NULL: the content was signed */
        const Certificate *certificate; /* of the signer, which goes into the result */
        const Der *signature;
        bool bare; /* not wrapped into a ContentInfo */
} SignedData;

/* Appends the AlgorithmIdentifier of SHA-256. */
void signed_data_add_sha256(Der *der);

/* Appends it all. Failures stay in der. */
void signed_data_write(const SignedData *data, Der *der);

/* The same, alone. */
int signed_data_make(const SignedData *data, Der *ret);
