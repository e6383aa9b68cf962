/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/json-reader.h"
#include "base/text.h"
#include "verity/root-hash.h"
#include "verity/verity-signature.h"

#define PADDED_SIZE 4096

#define DIGEST_TEXT_SIZE (2 * SHA256_SIZE + 1)

static inline void x509_freep(X509 **certificate) {
        X509_free(*certificate);
}

static inline void pkcs7_freep(PKCS7 **pkcs7) {
        PKCS7_free(*pkcs7);
}

static inline void bio_freep(BIO **bio) {
        BIO_free(*bio);
}

static inline void x509_stack_freep(STACK_OF(X509) * *stack) {
        sk_X509_free(*stack);
}

void verity_signature_done(VeritySignature *signature) {
        free(signature->signature);
        *signature = (VeritySignature){};
}

/* What openssl says of its last error; it is forgotten. */
static const char *openssl_reason(void) {
        const unsigned long error = ERR_peek_last_error();
        const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;

        ERR_clear_error();
        return text ? text : "unknown error";
}

static int load_certificate(const uint8_t *der, size_t size, X509 **ret, Reason *reason) {
        const uint8_t *end = der;
        X509 *certificate = size <= LONG_MAX ? d2i_X509(NULL, &end, (long)size) : NULL;

        if (!certificate || end != der + size) {
                X509_free(certificate);
                return reason_set(reason, -EBADMSG, "The certificate is no X.509 certificate: %s",
                                  openssl_reason());
        }
        *ret = certificate;
        return 0;
}

/* A signature that is whole, detached, and of one signer. */
static int load_signature(const uint8_t *der, size_t size, PKCS7 **ret, Reason *reason) {
        const uint8_t *end = der;
        _cleanup_(pkcs7_freep) PKCS7 *pkcs7 = size <= LONG_MAX ? d2i_PKCS7(NULL, &end, (long)size) : NULL;

        if (!pkcs7 || end != der + size || !PKCS7_type_is_signed(pkcs7))
                return reason_set(reason, -EBADMSG, "The signature is no signed PKCS#7 message: %s",
                                  openssl_reason());
        if (!PKCS7_get_detached(pkcs7))
                return reason_set(reason, -EBADMSG,
                                  "The signature has content of its own, and is not detached");

        *ret = TAKE_PTR(pkcs7);
        return 0;
}

int verity_signature_verify(const VeritySignature *signature, const uint8_t *certificate,
                            size_t certificate_size, Reason *reason) {
        _cleanup_(x509_freep) X509 *x509 = NULL;
        _cleanup_(pkcs7_freep) PKCS7 *pkcs7 = NULL;
        _cleanup_(bio_freep) BIO *bio = NULL;
        _cleanup_(x509_stack_freep) STACK_OF(X509) *stack = NULL;
        char text[DIGEST_TEXT_SIZE];
        Sha256Digest fingerprint;

        assert(signature && certificate);

        int r = load_certificate(certificate, certificate_size, &x509, reason);
        if (r < 0)
                return r;
        r = sha256(certificate, certificate_size, &fingerprint);
        if (r < 0)
                return r;
        if (signature->has_fingerprint &&
            memcmp(&fingerprint, &signature->certificate_fingerprint, sizeof(fingerprint)) != 0) {
                (void)reason_set(reason, -EKEYREJECTED, "The signature names another certificate");
                return 0;
        }
        r = load_signature(signature->signature, signature->signature_size, &pkcs7, reason);
        if (r < 0)
                return r;

        sha256_format(&signature->root_hash, text);
        bio = BIO_new_mem_buf(text, DIGEST_TEXT_SIZE - 1);
        stack = sk_X509_new_null();
        if (!bio || !stack || sk_X509_push(stack, x509) <= 0)
                return -ENOMEM;
        /* The signer is looked for in our stack, and there only; nobody vouches for it. */
        if (PKCS7_verify(pkcs7, stack, NULL, bio, NULL, PKCS7_BINARY | PKCS7_NOINTERN | PKCS7_NOVERIFY) == 1)
                return 1;
        (void)reason_set(reason, -EKEYREJECTED, "The certificate does not verify the signature: %s",
                         openssl_reason());
        return 0;
}

int verity_signature_attach(const Sha256Digest *root_hash, const uint8_t *signature, size_t signature_size,
                            const uint8_t *certificate, size_t certificate_size, VeritySignature *ret,
                            Reason *reason) {
        _cleanup_(verity_signature_done) VeritySignature made = {
                .root_hash = *root_hash,
                .signature_size = signature_size,
                .has_fingerprint = true,
        };

        assert(signature && certificate && ret);

        made.signature = malloc(MAX(signature_size, (size_t)1));
        if (!made.signature)
                return -ENOMEM;
        memcpy(made.signature, signature, signature_size);
        int r = sha256(certificate, certificate_size, &made.certificate_fingerprint);
        if (r < 0)
                return r;
        r = verity_signature_verify(&made, certificate, certificate_size, reason);
        if (r < 0)
                return r;
        if (r == 0)
                return -EKEYREJECTED;

        *ret = made;
        made.signature = NULL;
        return 0;
}

int verity_signature_make(const Sha256Digest *root_hash, const VeritySigner *signer, VeritySignature *ret,
                          Reason *reason) {
        _cleanup_(freep) uint8_t *der = NULL;
        char text[DIGEST_TEXT_SIZE];
        size_t size;

        assert(root_hash && signer && ret);

        sha256_format(root_hash, text);
        int r = signer->sign(signer->userdata, text, DIGEST_TEXT_SIZE - 1, &der, &size);
        if (r < 0)
                return reason_set(reason, r, "Cannot sign the root hash: %m");
        return verity_signature_attach(root_hash, der, size, signer->certificate, signer->certificate_size,
                                       ret, reason);
}

/* What stands around the signature: {"rootHash":"…","signature":"…","certificateFingerprint":"…"}. */
#define JSON_SIZE (sizeof("{\"rootHash\":\"\",\"signature\":\"\",\"certificateFingerprint\":\"\"}") - 1)

size_t verity_signature_partition_size(size_t signature_size) {
        return align_up(JSON_SIZE + 2 * (DIGEST_TEXT_SIZE - 1) + (signature_size + 2) / 3 * 4, PADDED_SIZE);
}

int verity_signature_write(const VeritySignature *signature, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *base64 = NULL, *json = NULL, *padded = NULL;
        char root_hash[DIGEST_TEXT_SIZE], fingerprint[DIGEST_TEXT_SIZE];

        assert(signature && ret && ret_size);

        if (signature->signature_size > VERITY_SIGNATURE_SIZE_MAX / 2)
                return -EFBIG;
        int r = base64_encode(signature->signature, signature->signature_size, &base64);
        if (r < 0)
                return r;
        sha256_format(&signature->root_hash, root_hash);
        sha256_format(&signature->certificate_fingerprint, fingerprint);
        r = text_format(&json, "{\"rootHash\":\"%s\",\"signature\":\"%s\"%s%s%s}", root_hash, base64,
                        signature->has_fingerprint ? ",\"certificateFingerprint\":\"" : "",
                        signature->has_fingerprint ? fingerprint : "",
                        signature->has_fingerprint ? "\"" : "");
        if (r < 0)
                return r;

        const size_t size = align_up(strlen(json), PADDED_SIZE);
        padded = calloc(1, size);
        if (!padded)
                return -ENOMEM;
        memcpy(padded, json, strlen(json));
        *ret = TAKE_PTR(padded);
        *ret_size = size;
        return 0;
}

/* What is read, and what of it was there. */
typedef struct Members {
        char *root_hash, *signature, *fingerprint;
} Members;

static void members_done(Members *members) {
        free(members->root_hash);
        free(members->signature);
        free(members->fingerprint);
}

static int read_members(JsonReader *reader, Members *members, Reason *reason) {
        const JsonField fields[] = {
                { "rootHash", .text = &members->root_hash },
                { "signature", .text = &members->signature },
                { "certificateFingerprint", .text = &members->fingerprint, .optional = true },
        };

        int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0)
                r = json_read_end(reader);
        return r < 0 ? reason_set(reason, r, "There is no JSON object of a verity signature: %m") : 0;
}

/* Lower-case digits, and nothing around them. */
static int decode_digest(const char *name, const char *text, Sha256Digest *ret, Reason *reason) {
        char again[DIGEST_TEXT_SIZE];
        Sha256Digest digest;

        if (root_hash_parse(text, &digest) < 0 || (sha256_format(&digest, again), !text_equal(text, again)))
                return reason_set(reason, -EBADMSG,
                                  "The member \"%s\" is not %d lower-case hexadecimal digits", name,
                                  2 * SHA256_SIZE);
        *ret = digest;
        return 0;
}

static int decode_signature(const char *text, VeritySignature *signature, Reason *reason) {
        const int r = base64_decode(text, &signature->signature, &signature->signature_size);

        if (r == -EBADMSG || (r >= 0 && signature->signature_size == 0))
                return reason_set(reason, -EBADMSG, "The member \"signature\" is not base64");
        return r;
}

int verity_signature_read(const char *content, size_t size, VeritySignature *ret, Reason *reason) {
        _cleanup_(members_done) Members members = {};
        _cleanup_(verity_signature_done) VeritySignature signature = {};

        assert(content && ret);

        if (size == 0 || size % PADDED_SIZE != 0 || size > VERITY_SIGNATURE_SIZE_MAX)
                return reason_set(reason, -EBADMSG, "A verity signature has no %zu bytes", size);
        const size_t length = strnlen(content, size);
        for (size_t i = length; i < size; i++)
                if (content[i] != '\0')
                        return reason_set(reason, -EBADMSG, "Something follows the JSON object");
        JsonReader reader = { .position = content, .end = content + length };
        int r = read_members(&reader, &members, reason);
        if (r >= 0)
                r = decode_digest("rootHash", members.root_hash, &signature.root_hash, reason);
        if (r >= 0)
                r = decode_signature(members.signature, &signature, reason);
        signature.has_fingerprint = members.fingerprint != NULL;
        if (r >= 0 && signature.has_fingerprint)
                r = decode_digest("certificateFingerprint", members.fingerprint,
                                  &signature.certificate_fingerprint, reason);
        if (r < 0)
                return r;

        *ret = signature;
        signature.signature = NULL;
        return 0;
}
