/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PKCS #7 signatures of data that is elsewhere (RFC 2315, 9, with the content type data and no attributes): what is
 * signed is the data itself, so that signing_key_sign(), or whoever has the key, makes the signature of it. */

#include "secureboot/certificate.h"
#include "secureboot/der.h"

/* Makes the structure around a signature by the certificate's key. */
int detached_signature_make(const Certificate *certificate, const Der *signature, Der *ret);

/* The most bytes that it has for this certificate. */
int detached_signature_size(const Certificate *certificate, size_t *ret);
