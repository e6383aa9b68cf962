/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "foreign-program.h"
#include "key-fixture.h"
#include "temporary-directory.h"

#include "secureboot/private-key.h"

/* A pair without a passphrase, whose key is here. */
static PrivateKey *make_key(const char *name, KeyPairType type) {
        _cleanup_(freep) char *path = NULL;
        PrivateKey *key = NULL;

        key_fixture_make(name, type, NULL);
        assert_int_equal(text_format(&path, "%s.key", name), 0);
        assert_int_equal(private_key_load(path, NULL, &key, NULL), PRIVATE_KEY_LOADED);
        return key;
}

/* openssl(1) finds the signature good with the certificate's key. */
static void check_signature(const PrivateKey *key) {
        static const char data[] = "what is signed";
        _cleanup_(freep) char *said = NULL;
        _cleanup_(der_done) Der signature = {};

        assert_int_equal(private_key_sign(key, data, strlen(data), &signature, NULL), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "data", data, 0644), 0);
        assert_int_equal(file_write(AT_FDCWD, "signature", signature.bytes, signature.size, 0644), 0);
        said = FOREIGN_CHECK("openssl", "x509", "-in", "teapot.crt", "-noout", "-pubkey", "-out", "public");
        free(TAKE_PTR(said));
        said = FOREIGN_CHECK("openssl", "dgst", "-sha256", "-verify", "public", "-signature", "signature",
                             "data");
}

static void test_sign(void **state) {
        for (KeyPairType type = 0; type < KEY_PAIR_TYPE_MAX; type++) {
                _cleanup_(private_key_freep) PrivateKey *key = make_key("teapot", type);
                _cleanup_(certificate_freep) Certificate *certificate = NULL;

                assert_int_equal(certificate_load("teapot.crt", &certificate, NULL), 0);
                assert_int_equal(private_key_check(key, certificate, NULL), 0);
                check_signature(key);
        }
}

static void test_foreign_certificate(void **state) {
        _cleanup_(private_key_freep) PrivateKey *key = make_key("one", KEY_PAIR_EC_P256);
        _cleanup_(reason_done) Reason reason = {};
        static const KeyPairType others[] = { KEY_PAIR_EC_P256, KEY_PAIR_RSA_2048 };

        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_(certificate_freep) Certificate *certificate = NULL;

                key_fixture_make("other", others[i], NULL);
                assert_int_equal(certificate_load("other.crt", &certificate, NULL), 0);
                assert_int_equal(private_key_check(key, certificate, &reason), -EKEYREJECTED);
                assert_non_null(strstr(reason.text, "CN=other"));
        }
}

/* One secret number is another one: OpenSSL takes the key for one of the certificate. */
static void test_damaged(void **state) {
        _cleanup_(certificate_freep) Certificate *certificate = NULL;
        _cleanup_(private_key_freep) PrivateKey *key = NULL;
        _cleanup_(freep) char *der = NULL;
        _cleanup_(reason_done) Reason reason = {};
        size_t size = 0;

        free(FOREIGN_CHECK("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                           "-noenc", "-subj", "/CN=teapot", "-keyout", "good.key", "-out", "teapot.crt"));
        free(FOREIGN_CHECK("openssl", "ec", "-in", "good.key", "-outform", "DER", "-out", "der"));
        assert_int_equal(file_read(AT_FDCWD, "der", 1000, &der, &size), 0);
        der[20] ^= 1; /* within the number, see RFC 5915, 3 */
        assert_int_equal(file_write(AT_FDCWD, "der", der, size, 0600), 0);
        free(FOREIGN_CHECK("openssl", "ec", "-inform", "DER", "-in", "der", "-out", "bad.key"));
        assert_int_equal(private_key_load("bad.key", NULL, &key, NULL), PRIVATE_KEY_LOADED);
        assert_int_equal(certificate_load("teapot.crt", &certificate, NULL), 0);
        assert_int_equal(private_key_check(key, certificate, &reason), -EKEYREJECTED);
        assert_string_equal(reason.text, "The key is damaged: what it signs is not believed by its "
                                         "certificate 'CN=teapot'");
}

/* From a path and by URI the answers are the same. */
static void test_passphrase(void **state) {
        _cleanup_(secret_freep) Secret *right = key_fixture_secret("open sesame"),
                                       *wrong = key_fixture_secret("open barley");
        _cleanup_(freep) char *directory = getcwd(NULL, 0), *uri = NULL;

        key_fixture_make("teapot", KEY_PAIR_RSA_2048, right);
        assert_int_equal(text_format(&uri, "file:%s/teapot.key", directory), 0);
        const char *const sources[] = { "teapot.key", uri };
        for (size_t i = 0; i < ELEMENTSOF(sources); i++) {
                _cleanup_(private_key_freep) PrivateKey *key = NULL;

                assert_int_equal(private_key_load(sources[i], NULL, &key, NULL), PRIVATE_KEY_LOCKED);
                assert_int_equal(private_key_load(sources[i], wrong, &key, NULL),
                                 PRIVATE_KEY_WRONG_PASSPHRASE);
                assert_null(key);
                assert_int_equal(private_key_load(sources[i], right, &key, NULL), PRIVATE_KEY_LOADED);
                check_signature(key);
        }
}

/* A passphrase that a key does not need does no harm. */
static void test_needless_passphrase(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = key_fixture_secret("open sesame");
        _cleanup_(private_key_freep) PrivateKey *key = NULL;

        key_fixture_make("teapot", KEY_PAIR_EC_P256, NULL);
        assert_int_equal(private_key_load("teapot.key", passphrase, &key, NULL), PRIVATE_KEY_LOADED);
}

static void test_refused(void **state) {
        static const struct {
                const char *source;
                int answer;
                const char *reason;
        } cases[] = {
                { "missing.key", -ENOENT, "missing.key" },
                { "teapot.crt", -EBADMSG, "teapot.crt holds no private key in PEM form" },
                { "directory", -EINVAL, "directory" },
                { "pkcs11:object=key", -ENOTSUP, "pkcs11-provider" },
                { "unheard-of:key", -ENOTSUP, "no provider for unheard-of:" },
                { "file:/proc/self/missing", -ENOENT, "Cannot read /proc/self/missing" },
                { "file:/", -EINVAL, "Cannot read /: Not a regular file" },
                { "file:teapot.key", -EINVAL, "its path has to begin with a slash" },
                { "file://elsewhere", -ENOTSUP, "file://elsewhere" },
        };

        key_fixture_make("teapot", KEY_PAIR_EC_P256, NULL);
        assert_int_equal(mkdir("directory", 0700), 0);
        assert_int_equal(link("teapot.key", "file:teapot.key"), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(private_key_freep) PrivateKey *key = NULL;
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(private_key_load(cases[i].source, NULL, &key, &reason), cases[i].answer);
                assert_null(key);
                assert_non_null(strstr(reason.text, cases[i].reason));
        }
}

/* A store that holds other things than a key. */
static void test_no_key_in_store(void **state) {
        _cleanup_(freep) char *directory = getcwd(NULL, 0), *uri = NULL;
        _cleanup_(private_key_freep) PrivateKey *key = NULL;
        _cleanup_(reason_done) Reason reason = {};

        key_fixture_make("teapot", KEY_PAIR_EC_P256, NULL);
        assert_int_equal(text_format(&uri, "file:%s/teapot.crt", directory), 0);
        assert_int_equal(private_key_load(uri, NULL, &key, &reason), -EBADMSG);
        assert_null(key);
        assert_non_null(strstr(reason.text, "teapot.crt"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_sign),
                unit_test_in_directory(test_foreign_certificate),
                unit_test_in_directory(test_damaged),
                unit_test_in_directory(test_passphrase),
                unit_test_in_directory(test_needless_passphrase),
                unit_test_in_directory(test_refused),
                unit_test_in_directory(test_no_key_in_store),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
