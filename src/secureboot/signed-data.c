/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "secureboot/signed-data.h"

/* Object identifiers: iso.member-body.us.rsadsi (PKCS #1 and #7), NIST's algorithms, ANSI X9.62. */
static const uint8_t id_signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t id_rsa_encryption[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t id_sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
static const uint8_t id_ecdsa_with_sha256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

#define VERSION 1

static void add_algorithm(Der *der, const uint8_t *identifier, size_t size, bool with_null) {
        const size_t start = der_begin(der, DER_SEQUENCE);

        der_add_identifier(der, identifier, size);
        if (with_null)
                der_add(der, DER_NULL, NULL, 0);
        der_end(der, start);
}

void signed_data_add_sha256(Der *der) {
        add_algorithm(der, id_sha256, sizeof(id_sha256), true);
}

static void add_content(const SignedData *data, Der *der) {
        const size_t info = der_begin(der, DER_SEQUENCE);

        der_add_identifier(der, data->content_type, data->content_type_size);
        if (data->content)
                der_add(der, DER_CONTEXT_CONSTRUCTED + 0, data->content->bytes, data->content->size);
        der_end(der, info);
}

/* The SET of attributes, under the tag that it has here; what is signed has the tag of a SET (RFC 2315, 9.3). */
static void add_attributes(const SignedData *data, Der *der) {
        const uint8_t tag = DER_CONTEXT_CONSTRUCTED + 0;

        assert(data->attributes->size > 0 && data->attributes->bytes[0] == DER_SET);
        der_add_raw(der, &tag, sizeof(tag));
        der_add_raw(der, data->attributes->bytes + 1, data->attributes->size - 1);
}

static void add_signer(const SignedData *data, Der *der) {
        const size_t signer = der_begin(der, DER_SEQUENCE);

        der_add_integer(der, VERSION);
        der_add_raw(der, data->certificate->issuer_and_serial.bytes,
                    data->certificate->issuer_and_serial.size);
        signed_data_add_sha256(der);
        if (data->attributes)
                add_attributes(data, der);
        if (data->certificate->algorithm == SIGNATURE_RSA)
                add_algorithm(der, id_rsa_encryption, sizeof(id_rsa_encryption), true);
        else
                add_algorithm(der, id_ecdsa_with_sha256, sizeof(id_ecdsa_with_sha256), false);
        der_add(der, DER_OCTET_STRING, data->signature->bytes, data->signature->size);
        der_end(der, signer);
}

static void add_signed_data(const SignedData *data, Der *der) {
        const size_t sequence = der_begin(der, DER_SEQUENCE);

        der_add_integer(der, VERSION);
        const size_t algorithms = der_begin(der, DER_SET);
        signed_data_add_sha256(der);
        der_end(der, algorithms);
        add_content(data, der);
        der_add(der, DER_CONTEXT_CONSTRUCTED + 0, data->certificate->encoding.bytes,
                data->certificate->encoding.size);
        const size_t signers = der_begin(der, DER_SET);
        add_signer(data, der);
        der_end(der, signers);
        der_end(der, sequence);
}

void signed_data_write(const SignedData *data, Der *der) {
        assert(data && data->content_type && data->certificate && data->signature && der);

        if (data->bare) {
                add_signed_data(data, der);
                return;
        }
        const size_t info = der_begin(der, DER_SEQUENCE);
        der_add_identifier(der, id_signed_data, sizeof(id_signed_data));
        const size_t content = der_begin(der, DER_CONTEXT_CONSTRUCTED + 0);
        add_signed_data(data, der);
        der_end(der, content);
        der_end(der, info);
}

int signed_data_make(const SignedData *data, Der *ret) {
        _cleanup_(der_done) Der der = {};

        signed_data_write(data, &der);
        const int r = der_finish(&der);
        if (r < 0)
                return r;
        *ret = der;
        der = (Der){};
        return 0;
}
