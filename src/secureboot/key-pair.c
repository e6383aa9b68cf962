/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/crypto.h"
#include "base/text.h"
#include "secureboot/key-pair.h"

#define SERIAL_SIZE 16

/* OpenSSL's own 2048 are guessed through quickly; all that read PKCS #8 know PBKDF2, and not all know scrypt. */
#define DERIVATION_ITERATIONS 600000

/* What OpenSSL keeps private keys in: locked, not dumped, and wiped. Making the largest key takes a tenth of it. */
#define SECURE_HEAP_SIZE  ((size_t)(256 * KIB))
#define SECURE_CHUNK_SIZE 16

#define X509_V3 2 /* as it stands in the certificate */

const char *const key_pair_type_words[] = {
        [KEY_PAIR_RSA_2048] = "rsa2048", [KEY_PAIR_RSA_3072] = "rsa3072", [KEY_PAIR_RSA_4096] = "rsa4096",
        [KEY_PAIR_EC_P256] = "p256",     [KEY_PAIR_EC_P384] = "p384",     [KEY_PAIR_TYPE_MAX] = NULL,
};
static_assert(ELEMENTSOF(key_pair_type_words) == KEY_PAIR_TYPE_MAX + 1, "a word is missing");

static const struct {
        size_t n_bits;     /* RSA */
        const char *curve; /* EC */
} types[] = {
        [KEY_PAIR_RSA_2048] = { .n_bits = 2048 },  [KEY_PAIR_RSA_3072] = { .n_bits = 3072 },
        [KEY_PAIR_RSA_4096] = { .n_bits = 4096 },  [KEY_PAIR_EC_P256] = { .curve = "P-256" },
        [KEY_PAIR_EC_P384] = { .curve = "P-384" },
};
static_assert(ELEMENTSOF(types) == KEY_PAIR_TYPE_MAX, "a type is missing");

/* What the certificate is for. It signs programs, and the variables that say so; it is nobody's authority. The
 * identifier of the authority's key is left out, as RFC 5280, 4.2.1.1 allows for what signs itself: OpenSSL would write
 * an empty one. */
static const struct {
        int nid;
        const char *value;
} extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature" },
        { NID_ext_key_usage, "codeSigning" },
        { NID_subject_key_identifier, "hash" },
};

static void pkey_freep(EVP_PKEY **key) {
        EVP_PKEY_free(*key);
}

static void x509_freep(X509 **certificate) {
        X509_free(*certificate);
}

static void bio_freep(BIO **bio) {
        (void)BIO_free(*bio);
}

static void serial_freep(BIGNUM **serial) {
        BN_free(*serial);
}

static int fail(Reason *reason, const char *what) {
        const unsigned long error = ERR_peek_last_error();
        const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;

        ERR_clear_error();
        return reason_set(reason, -EIO, "OpenSSL cannot %s: %s", what, text ? text : "it does not say why");
}

static EVP_PKEY *generate_key(KeyPairType type) {
        return types[type].curve ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", types[type].curve)
                                 : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", types[type].n_bits);
}

/* Random and positive. */
static bool set_serial(X509 *x509) {
        uint8_t bytes[SERIAL_SIZE];

        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return false;
        bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
        _cleanup_(serial_freep) BIGNUM *serial = BN_bin2bn(bytes, sizeof(bytes), NULL);
        return serial && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
}

static bool set_names(X509 *x509, const char *common_name) {
        X509_NAME *name = X509_get_subject_name(x509);

        return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1,
                                          -1, 0) == 1 &&
               X509_set_issuer_name(x509, name) == 1;
}

static bool add_extensions(X509 *x509) {
        X509V3_CTX context;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
        for (size_t i = 0; i < ELEMENTSOF(extensions); i++) {
                X509_EXTENSION *extension =
                        X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
                const bool added = extension && X509_add_ext(x509, extension, -1) == 1;

                X509_EXTENSION_free(extension);
                if (!added)
                        return false;
        }
        return true;
}

static int make_certificate(const KeyPairWish *wish, EVP_PKEY *key, char **ret, Reason *reason) {
        _cleanup_(x509_freep) X509 *x509 = X509_new();
        _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
        char *text;

        if (!x509 || !bio)
                return -ENOMEM;
        if (!set_names(x509, wish->common_name)) {
                ERR_clear_error();
                return reason_set(reason, -EINVAL,
                                  "'%s' cannot be the name in a certificate: 1 to %d characters",
                                  wish->common_name, KEY_PAIR_COMMON_NAME_MAX);
        }
        if (X509_set_version(x509, X509_V3) != 1 || !set_serial(x509) ||
            !ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)wish->not_before) ||
            !ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)wish->not_after) ||
            X509_set_pubkey(x509, key) != 1 || !add_extensions(x509) ||
            X509_sign(x509, key, EVP_sha256()) == 0 || PEM_write_bio_X509(bio, x509) != 1)
                return fail(reason, "make the certificate");
        const long size = BIO_get_mem_data(bio, &text);
        return text_format(ret, "%.*s", (int)size, text);
}

static void plain_freep(PKCS8_PRIV_KEY_INFO **plain) {
        PKCS8_PRIV_KEY_INFO_free(*plain);
}

static void encrypted_freep(X509_SIG **encrypted) {
        X509_SIG_free(*encrypted);
}

static bool write_encrypted(BIO *bio, const EVP_PKEY *key, const Secret *passphrase) {
        _cleanup_(plain_freep) PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
        X509_ALGOR *derivation = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), DERIVATION_ITERATIONS, NULL, 0, NULL,
                                                   NID_hmacWithSHA256);
        _cleanup_(encrypted_freep) X509_SIG *encrypted =
                plain && derivation ? PKCS8_set0_pbe((const char *)passphrase->bytes, (int)passphrase->size,
                                                     plain, derivation)
                                    : NULL;

        /* Only what was encrypted owns it. */
        if (!encrypted)
                X509_ALGOR_free(derivation);
        return encrypted && PEM_write_bio_PKCS8(bio, encrypted) == 1;
}

static bool write_plain(BIO *bio, const EVP_PKEY *key) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
}

static int write_key(const EVP_PKEY *key, const Secret *passphrase, Secret **ret, Reason *reason) {
        /* Memory of such a BIO is wiped when it is freed. */
        _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_secmem());
        char *text;

        if (!bio)
                return -ENOMEM;
        if (!(passphrase ? write_encrypted(bio, key, passphrase) : write_plain(bio, key)))
                return fail(reason, "write the key");
        const long size = BIO_get_mem_data(bio, &text);
        _cleanup_(secret_freep) Secret *secret = NULL;
        const int r = secret_new((size_t)size, &secret);
        if (r < 0)
                return r;
        memcpy(secret->bytes, text, (size_t)size);
        secret->size = (size_t)size;
        *ret = TAKE_PTR(secret);
        return 0;
}

int key_pair_generate(const KeyPairWish *wish, Secret **ret_key, char **ret_certificate, Reason *reason) {
        _cleanup_(pkey_freep) EVP_PKEY *key = NULL;
        _cleanup_(secret_freep) Secret *secret = NULL;
        _cleanup_(freep) char *certificate = NULL;

        assert(wish && wish->type < KEY_PAIR_TYPE_MAX && wish->common_name && ret_key && ret_certificate);

        /* It is there already, or cannot be had: then keys are on the ordinary heap. */
        (void)CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, SECURE_CHUNK_SIZE);
        ERR_clear_error();
        crypto_ensure();
        key = generate_key(wish->type);
        if (!key)
                return fail(reason, "generate a key");
        int r = make_certificate(wish, key, &certificate, reason);
        if (r < 0)
                return r;
        r = write_key(key, wish->passphrase, &secret, reason);
        if (r < 0)
                return r;

        *ret_key = TAKE_PTR(secret);
        *ret_certificate = TAKE_PTR(certificate);
        return 0;
}
