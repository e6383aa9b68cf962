/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "base/fd.h"
#include "base/text.h"
#include "secureboot/certificate.h"

#define FILE_SIZE_MAX (1 * MIB)

static void x509_freep(X509 **certificate) {
        X509_free(*certificate);
}

static void bio_freep(BIO **bio) {
        (void)BIO_free(*bio);
}

static void digest_context_freep(EVP_MD_CTX **context) {
        EVP_MD_CTX_free(*context);
}

static int read_subject(const X509 *x509, Certificate *certificate) {
        _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
        char *text;

        if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0, XN_FLAG_RFC2253) < 0)
                return -ENOMEM;
        const long size = BIO_get_mem_data(bio, &text);
        const int r = text_format(&certificate->subject, "%.*s", (int)size, text ? text : "");
        if (r < 0)
                return r;
        text_tame(certificate->subject);
        return 0;
}

static int read_time(const ASN1_TIME *time, int64_t *ret) {
        struct tm parts;

        if (ASN1_TIME_to_tm(time, &parts) != 1)
                return -EBADMSG;
        *ret = timegm(&parts);
        return 0;
}

static int read_key(const X509 *x509, Certificate *certificate, Reason *reason) {
        static const char *const curves[] = { "prime256v1", "secp384r1" };
        const EVP_PKEY *key = X509_get0_pubkey(x509);
        char curve[64] = "";

        if (!key)
                return reason_set(reason, -ENOTSUP, "The certificate has a key of an unknown kind");
        certificate->n_key_bits = (unsigned)EVP_PKEY_get_bits(key);
        if (EVP_PKEY_is_a(key, "RSA")) {
                certificate->algorithm = SIGNATURE_RSA;
                if (certificate->n_key_bits >= CERTIFICATE_RSA_BITS_MIN &&
                    certificate->n_key_bits <= CERTIFICATE_RSA_BITS_MAX)
                        return 0;
                return reason_set(reason, -ENOTSUP,
                                  "The certificate has an RSA key of %u bits; %d to %d are supported",
                                  certificate->n_key_bits, CERTIFICATE_RSA_BITS_MIN,
                                  CERTIFICATE_RSA_BITS_MAX);
        }
        if (EVP_PKEY_is_a(key, "EC")) {
                certificate->algorithm = SIGNATURE_ECDSA;
                (void)EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
                for (size_t i = 0; i < ELEMENTSOF(curves); i++)
                        if (text_equal(curve, curves[i]))
                                return 0;
                return reason_set(reason, -ENOTSUP,
                                  "The certificate has a key on the curve %s; P-256 and P-384 are supported",
                                  curve);
        }
        return reason_set(reason, -ENOTSUP, "The certificate has a key that is neither RSA nor EC");
}

static void take_encoding(Der *der, unsigned char *encoding, int size) {
        if (size > 0)
                der_add_raw(der, encoding, (size_t)size);
        else
                der->error = -ENOMEM;
        OPENSSL_free(encoding);
}

static int write_encodings(X509 *x509, Certificate *certificate) {
        unsigned char *encoding = NULL, *issuer = NULL, *serial = NULL;
        Der *name = &certificate->issuer_and_serial;

        int size = i2d_X509(x509, &encoding);
        take_encoding(&certificate->encoding, encoding, size);

        const size_t start = der_begin(name, DER_SEQUENCE);
        size = i2d_X509_NAME(X509_get_issuer_name(x509), &issuer);
        take_encoding(name, issuer, size);
        size = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &serial);
        take_encoding(name, serial, size);
        der_end(name, start);

        int r = der_finish(&certificate->encoding);
        if (r >= 0)
                r = der_finish(name);
        if (r < 0)
                return r;
        return sha256(certificate->encoding.bytes, certificate->encoding.size, &certificate->fingerprint);
}

static int describe(X509 *x509, Certificate **ret, Reason *reason) {
        _cleanup_(certificate_freep) Certificate *certificate = calloc(1, sizeof(*certificate));

        if (!certificate)
                return -ENOMEM;
        int r = read_subject(x509, certificate);
        if (r < 0)
                return r;
        r = read_time(X509_get0_notBefore(x509), &certificate->not_before);
        if (r >= 0)
                r = read_time(X509_get0_notAfter(x509), &certificate->not_after);
        if (r < 0)
                return reason_set(reason, r, "The times of the certificate make no sense");
        r = read_key(x509, certificate, reason);
        if (r < 0)
                return r;
        r = write_encodings(x509, certificate);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(certificate);
        return 0;
}

int certificate_parse(const void *encoding, size_t size, Certificate **ret, Reason *reason) {
        const unsigned char *bytes = encoding;

        assert(encoding && ret && size <= LONG_MAX);

        _cleanup_(x509_freep) X509 *x509 = d2i_X509(NULL, &bytes, (long)size);
        if (!x509 || bytes != (const unsigned char *)encoding + size)
                return reason_set(reason, -EBADMSG, "These bytes are no certificate");
        return describe(x509, ret, reason);
}

/* A certificate is no secret: nobody is asked for anything. */
static int refuse_passphrase(char *buffer, int size, int writing, void *userdata) {
        return -1;
}

int certificate_load(const char *path, Certificate **ret, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;

        assert(path && ret);

        const int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return reason_set(reason, r, "Cannot read %s: %s", path, file_read_error(r));
        crypto_ensure();
        _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(text, (int)size);
        if (!bio)
                return -ENOMEM;
        _cleanup_(x509_freep) X509 *x509 = PEM_read_bio_X509(bio, NULL, refuse_passphrase, NULL);
        if (!x509)
                return reason_set(reason, -EBADMSG, "%s holds no certificate in PEM form", path);
        return describe(x509, ret, reason);
}

/* ECDSA-Sig-Value is a SEQUENCE of two numbers, each of which may need a byte more for its sign. */
size_t certificate_signature_size(const Certificate *certificate) {
        const size_t number_size = (certificate->n_key_bits + 7) / 8;

        return certificate->algorithm == SIGNATURE_RSA ? number_size : 2 * (number_size + 3) + 2;
}

int certificate_verify(const Certificate *certificate, const void *data, size_t size, const void *signature,
                       size_t signature_size) {
        const unsigned char *encoding = certificate->encoding.bytes;
        _cleanup_(x509_freep) X509 *x509 = d2i_X509(NULL, &encoding, (long)certificate->encoding.size);
        _cleanup_(digest_context_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();

        assert(data && signature);

        if (!x509 || !context ||
            EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(x509)) != 1)
                return -ENOMEM;
        /* Negative is what no signature can look like, which is no failure here. */
        const int r = EVP_DigestVerify(context, signature, signature_size, data, size);
        ERR_clear_error();
        return r == 1;
}

void certificate_free(Certificate *certificate) {
        if (!certificate)
                return;
        free(certificate->subject);
        der_done(&certificate->encoding);
        der_done(&certificate->issuer_and_serial);
        free(certificate);
}
