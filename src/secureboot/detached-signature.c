/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "secureboot/detached-signature.h"
#include "secureboot/signed-data.h"

/* Object identifier: iso.member-body.us.rsadsi.pkcs-7.data. */
static const uint8_t id_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };

int detached_signature_make(const Certificate *certificate, const Der *signature, Der *ret) {
        const SignedData data = {
                .content_type = id_data,
                .content_type_size = sizeof(id_data),
                .certificate = certificate,
                .signature = signature,
        };

        assert(certificate && signature && ret);

        return signed_data_make(&data, ret);
}

int detached_signature_size(const Certificate *certificate, size_t *ret) {
        static const uint8_t bytes[CERTIFICATE_SIGNATURE_SIZE_MAX];
        _cleanup_(der_done) Der signature = {}, whole = {};

        der_add_raw(&signature, bytes, certificate_signature_size(certificate));
        const int r = detached_signature_make(certificate, &signature, &whole);
        if (r < 0)
                return r;
        *ret = whole.size;
        return 0;
}
