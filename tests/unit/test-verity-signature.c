/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

#include "foreign-program.h"
#include "temporary-directory.h"
#include "verity/root-hash.h"
#include "verity/verity-signature.h"

#define HASH       "c6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a1"
#define OTHER_HASH "c6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a2"

/* A key with a certificate, and how it signs. */
typedef struct Owner {
        EVP_PKEY *key;
        X509 *x509;
        int flags;
        VeritySigner signer;
} Owner;

static int sign(void *userdata, const void *data, size_t size, uint8_t **ret_der, size_t *ret_size) {
        const Owner *owner = userdata;
        BIO *bio = BIO_new_mem_buf(data, (int)size);
        PKCS7 *pkcs7 = PKCS7_sign(owner->x509, owner->key, NULL, bio, PKCS7_BINARY | owner->flags);
        uint8_t *der = NULL;
        const int length = i2d_PKCS7(pkcs7, &der);

        assert_true(length > 0);
        *ret_der = malloc((size_t)length);
        assert_non_null(*ret_der);
        memcpy(*ret_der, der, (size_t)length);
        *ret_size = (size_t)length;
        OPENSSL_free(der);
        PKCS7_free(pkcs7);
        BIO_free(bio);
        return 0;
}

static void *read_pem(const char *path, bool key) {
        FILE *file = fopen(path, "re");
        void *result;

        assert_non_null(file);
        result = key ? (void *)PEM_read_PrivateKey(file, NULL, NULL, NULL)
                     : (void *)PEM_read_X509(file, NULL, NULL, NULL);
        assert_non_null(result);
        assert_int_equal(fclose(file), 0);
        return result;
}

/* Makes NAME.key and NAME.crt by openssl(1). */
static void owner_init(const char *name, const char *algorithm, Owner *ret) {
        char key[64], certificate[64];
        uint8_t *der = NULL;

        (void)snprintf(key, sizeof(key), "%s.key", name);
        (void)snprintf(certificate, sizeof(certificate), "%s.crt", name);
        free(FOREIGN_CHECK("openssl", "req", "-x509", "-newkey", algorithm, "-pkeyopt",
                           strcmp(algorithm, "ec") == 0 ? "ec_paramgen_curve:P-256" : "rsa_keygen_bits:2048",
                           "-nodes", "-subj", "/CN=test", "-days", "3", "-keyout", key, "-out", certificate));
        *ret = (Owner){
                .key = read_pem(key, true),
                .x509 = read_pem(certificate, false),
                .flags = PKCS7_DETACHED | PKCS7_NOCERTS | PKCS7_NOATTR | PKCS7_NOSMIMECAP,
        };
        const int size = i2d_X509(ret->x509, &der);
        assert_true(size > 0);
        ret->signer = (VeritySigner){
                .certificate = der,
                .certificate_size = (size_t)size,
                .sign = sign,
                .userdata = ret,
        };
}

static void owner_done(Owner *owner) {
        EVP_PKEY_free(owner->key);
        X509_free(owner->x509);
        OPENSSL_free((void *)owner->signer.certificate);
}

static Sha256Digest parse(const char *text) {
        Sha256Digest digest;

        assert_int_equal(root_hash_parse(text, &digest), 0);
        return digest;
}

static int verify(const VeritySignature *signature, const Owner *owner, Reason *reason) {
        return verity_signature_verify(signature, owner->signer.certificate, owner->signer.certificate_size,
                                       reason);
}

static void expect_reason(const Reason *reason, const char *expected) {
        if (!reason->text || !strstr(reason->text, expected))
                fail_msg("\"%s\" does not say \"%s\"", reason->text ? reason->text : "", expected);
}

/* With both kinds of keys, with and without attributes and certificates: made, written, read, verified, and by
 * openssl(1). */
static void test_round_trip(void **state) {
        static const struct {
                const char *algorithm;
                int flags;
        } cases[] = {
                { "rsa", PKCS7_DETACHED | PKCS7_NOCERTS | PKCS7_NOATTR | PKCS7_NOSMIMECAP },
                { "rsa", PKCS7_DETACHED },
                { "ec", PKCS7_DETACHED | PKCS7_NOCERTS | PKCS7_NOATTR },
        };
        const Sha256Digest hash = parse(HASH);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(owner_done) Owner owner = {};
                _cleanup_(verity_signature_done) VeritySignature made = {}, read = {};
                _cleanup_(freep) char *content = NULL, *said = NULL;
                size_t size;

                owner_init("owner", cases[i].algorithm, &owner);
                owner.flags = cases[i].flags;
                assert_int_equal(verity_signature_make(&hash, &owner.signer, &made, NULL), 0);
                assert_int_equal(verity_signature_write(&made, &content, &size), 0);
                assert_int_equal(size, 4096);
                assert_int_equal(verity_signature_read(content, size, &read, NULL), 0);
                assert_memory_equal(&read.root_hash, &hash, sizeof(hash));
                assert_true(read.has_fingerprint);
                assert_memory_equal(&read.certificate_fingerprint, &made.certificate_fingerprint,
                                    sizeof(Sha256Digest));
                assert_int_equal(read.signature_size, made.signature_size);
                assert_memory_equal(read.signature, made.signature, made.signature_size);
                assert_int_equal(verify(&read, &owner, NULL), 1);

                assert_int_equal(file_write(AT_FDCWD, "der", read.signature, read.signature_size, 0600), 0);
                assert_int_equal(file_write_text(AT_FDCWD, "hash", HASH, 0600), 0);
                said = FOREIGN_CHECK("openssl", "smime", "-verify", "-binary", "-inform", "DER", "-in", "der",
                                     "-content", "hash", "-certfile", "owner.crt", "-nointern", "-noverify");
        }
}

static void test_content(void **state) {
        _cleanup_(owner_done) Owner owner = {};
        _cleanup_(verity_signature_done) VeritySignature made = {};
        _cleanup_(freep) char *content = NULL, *said = NULL;
        const Sha256Digest hash = parse(HASH);
        char fingerprint[2 * SHA256_SIZE + 1], colons[3 * SHA256_SIZE + 1];
        size_t size;

        owner_init("owner", "rsa", &owner);
        assert_int_equal(verity_signature_make(&hash, &owner.signer, &made, NULL), 0);
        assert_int_equal(verity_signature_write(&made, &content, &size), 0);
        assert_true(strncmp(content, "{\"rootHash\":\"" HASH "\",\"signature\":\"MII", 90) == 0);
        assert_true(content[size - 1] == '\0');
        sha256_format(&made.certificate_fingerprint, fingerprint);
        assert_non_null(strstr(content, fingerprint));
        assert_string_equal(content + strlen(content) - 2, "\"}");

        /* The fingerprint is what openssl(1) says, in its own notation. */
        said = FOREIGN_CHECK("openssl", "x509", "-in", "owner.crt", "-noout", "-fingerprint", "-sha256");
        for (size_t i = 0; i < SHA256_SIZE; i++)
                (void)snprintf(colons + 3 * i, 4, "%02X:", made.certificate_fingerprint.bytes[i]);
        colons[3 * SHA256_SIZE - 1] = '\0';
        assert_non_null(strstr(said, colons));
}

static void test_not_verified(void **state) {
        _cleanup_(owner_done) Owner owner = {}, other = {};
        _cleanup_(verity_signature_done) VeritySignature made = {};
        const Sha256Digest hash = parse(HASH);

        owner_init("owner", "rsa", &owner);
        owner_init("other", "rsa", &other);
        assert_int_equal(verity_signature_make(&hash, &owner.signer, &made, NULL), 0);

        _cleanup_(reason_done) Reason names = {}, foreign = {}, changed = {}, broken = {}, junk = {};
        assert_int_equal(verify(&made, &other, &names), 0);
        expect_reason(&names, "another certificate");
        made.has_fingerprint = false;
        assert_int_equal(verify(&made, &owner, NULL), 1);
        assert_int_equal(verify(&made, &other, &foreign), 0);
        expect_reason(&foreign, "does not verify");
        made.root_hash = parse(OTHER_HASH);
        assert_int_equal(verify(&made, &owner, &changed), 0);
        expect_reason(&changed, "does not verify");
        made.root_hash = hash;
        made.signature[made.signature_size - 1] ^= 1;
        assert_int_equal(verify(&made, &owner, &broken), 0);
        expect_reason(&broken, "does not verify");
        made.signature[made.signature_size - 1] ^= 1;
        made.signature[0] ^= 1;
        assert_int_equal(verify(&made, &owner, &junk), -EBADMSG);
        expect_reason(&junk, "no signed PKCS#7");
}

/* What does not fit is not written: a key of another certificate, content within, bytes behind, a certificate that is
 * none. */
static void test_refused_to_make(void **state) {
        _cleanup_(owner_done) Owner owner = {}, other = {};
        _cleanup_(verity_signature_done) VeritySignature made = {}, none = {};
        _cleanup_(reason_done) Reason foreign = {}, within = {}, behind = {}, certificate = {};
        const Sha256Digest hash = parse(HASH);

        owner_init("owner", "rsa", &owner);
        owner_init("other", "rsa", &other);
        VeritySigner mixed = owner.signer;
        mixed.userdata = &other;
        assert_int_equal(verity_signature_make(&hash, &mixed, &none, &foreign), -EKEYREJECTED);
        expect_reason(&foreign, "does not verify");

        assert_int_equal(verity_signature_make(&hash, &owner.signer, &made, NULL), 0);
        _cleanup_(freep) uint8_t *longer = calloc(1, made.signature_size + 1);
        assert_non_null(longer);
        memcpy(longer, made.signature, made.signature_size);
        assert_int_equal(verity_signature_attach(&hash, longer, made.signature_size + 1,
                                                 owner.signer.certificate, owner.signer.certificate_size,
                                                 &none, &behind),
                         -EBADMSG);
        assert_int_equal(verity_signature_attach(&hash, made.signature, made.signature_size,
                                                 owner.signer.certificate, owner.signer.certificate_size - 1,
                                                 &none, &certificate),
                         -EBADMSG);
        expect_reason(&certificate, "no X.509");

        owner.flags = 0;
        assert_int_equal(verity_signature_make(&hash, &owner.signer, &none, &within), -EBADMSG);
        expect_reason(&within, "not detached");
        assert_null(none.signature);
}

static int fail_to_sign(void *userdata, const void *data, size_t size, uint8_t **ret_der, size_t *ret_size) {
        return -ENOKEY;
}

static void test_signer_fails(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        const VeritySigner signer = { .certificate = (const uint8_t *)"", .sign = fail_to_sign };
        const Sha256Digest hash = parse(HASH);
        VeritySignature none = {};

        assert_int_equal(verity_signature_make(&hash, &signer, &none, &reason), -ENOKEY);
        expect_reason(&reason, "Cannot sign the root hash");
}

static int read_text(const char *text, size_t size, VeritySignature *ret, Reason *reason) {
        _cleanup_(freep) char *content = calloc(1, MAX(size, strlen(text)) + 1);

        assert_non_null(content);
        memcpy(content, text, strlen(text));
        return verity_signature_read(content, size, ret, reason);
}

#define MEMBERS "\"rootHash\":\"" HASH "\",\"signature\":\"TUlJ\""

static void test_read(void **state) {
        static const char *const good[] = {
                "{" MEMBERS "}",
                " {\n\t" MEMBERS " }\n",
                "{\"more\":[1,{\"rootHash\":2}]," MEMBERS ",\"other\":null}",
                "{\"signature\":\"TUl\\u004a\",\"rootHash\":\"" HASH "\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(verity_signature_done) VeritySignature read = {};
                const Sha256Digest hash = parse(HASH);

                assert_int_equal(read_text(good[i], 4096, &read, NULL), 0);
                assert_memory_equal(&read.root_hash, &hash, sizeof(hash));
                assert_int_equal(read.signature_size, 3);
                assert_memory_equal(read.signature, "MII", 3);
                assert_false(read.has_fingerprint);
        }
}

static void test_read_refused(void **state) {
        static const struct {
                const char *text, *reason;
        } cases[] = {
                { "", "no JSON object" },
                { "[]", "no JSON object" },
                { "{" MEMBERS, "no JSON object" },
                { "{" MEMBERS "}x", "no JSON object" },
                { "{}", "\"rootHash\" is missing" },
                { "{\"rootHash\":\"" HASH "\"}", "\"signature\" is missing" },
                { "{\"rootHash\":1}", "\"rootHash\" is no text" },
                { "{" MEMBERS "," MEMBERS "}", "two members \"rootHash\"" },
                { "{\"rootHash\":\"" HASH "\\n\",\"signature\":\"TUlJ\"}", "\"rootHash\" is not 64" },
                { "{\"rootHash\":\"C6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a1\","
                  "\"signature\":\"TUlJ\"}",
                  "not 64" },
                { "{" MEMBERS ",\"certificateFingerprint\":\"00\"}", "\"certificateFingerprint\" is not 64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"====\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"=\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"TUl\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"TUlJ\\n\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\" TUlJ\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"TU=J\"}", "not base64" },
                { "{\"rootHash\":\"" HASH "\",\"signature\":\"TUk*\"}", "not base64" },
        };
        VeritySignature none = {};
        char content[4096] = "{" MEMBERS "}";

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(read_text(cases[i].text, 4096, &none, &reason), -EBADMSG);
                expect_reason(&reason, cases[i].reason);
        }
        assert_int_equal(read_text("{" MEMBERS "}", 0, &none, NULL), -EBADMSG);
        assert_int_equal(read_text("{" MEMBERS "}", 4095, &none, NULL), -EBADMSG);
        assert_int_equal(read_text("{" MEMBERS "}", VERITY_SIGNATURE_SIZE_MAX + 4096, &none, NULL), -EBADMSG);
        for (size_t i = strlen(content) + 1; i < sizeof(content); i += 797) {
                content[i] = ' ';
                assert_int_equal(verity_signature_read(content, sizeof(content), &none, NULL), -EBADMSG);
                content[i] = '\0';
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_round_trip),   unit_test_in_directory(test_content),
                unit_test_in_directory(test_not_verified), unit_test_in_directory(test_refused_to_make),
                cmocka_unit_test(test_signer_fails),       cmocka_unit_test(test_read),
                cmocka_unit_test(test_read_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
