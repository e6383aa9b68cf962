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

static void test_certificate(void **state) {
        for (KeyPairType type = 0; type < KEY_PAIR_TYPE_MAX; type++) {
                _cleanup_(freep) char *said = NULL, *verified = NULL;

                key_fixture_make("teapot of the kitchen", type, NULL);
                said = FOREIGN_CHECK("openssl", "x509", "-in", "teapot of the kitchen.crt", "-noout",
                                     "-text");
                assert_non_null(strstr(said, "Version: 3"));
                assert_non_null(strstr(said, "Issuer: CN = teapot of the kitchen"));
                assert_non_null(strstr(said, "Subject: CN = teapot of the kitchen"));
                assert_non_null(strstr(said, "Not Before: Jul 14 02:40:00 2017 GMT"));
                assert_non_null(strstr(said, "Not After : Oct  2 07:06:40 2096 GMT"));
                assert_non_null(strstr(said, "CA:FALSE"));
                assert_non_null(strstr(said, "Digital Signature"));
                assert_non_null(strstr(said, "Code Signing"));
                assert_non_null(strstr(said, "Subject Key Identifier"));
                assert_null(strstr(said, "Authority Key Identifier"));
                verified = FOREIGN_CHECK("openssl", "verify", "-partial_chain", "-trusted",
                                         "teapot of the kitchen.crt", "teapot of the kitchen.crt");
        }
}

/* Two certificates with one name are told apart by their serial numbers. */
static void test_serial(void **state) {
        _cleanup_(key_fixture_done) KeyFixture one = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        const Der *a = &one.certificate->issuer_and_serial, *b = &other.certificate->issuer_and_serial;

        assert_int_equal(a->size, b->size);
        assert_memory_not_equal(a->bytes, b->bytes, a->size);
}

static void test_passphrase(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = key_fixture_secret("open sesame");
        _cleanup_(freep) char *text = NULL, *said = NULL;

        key_fixture_make("teapot", KEY_PAIR_RSA_2048, passphrase);
        assert_int_equal(file_read(AT_FDCWD, "teapot.key", 8192, &text, NULL), 0);
        assert_non_null(text_after_prefix(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        said = FOREIGN_CHECK("openssl", "pkey", "-in", "teapot.key", "-passin", "pass:open sesame", "-noout",
                             "-check");
        _cleanup_(freep) char *structure = FOREIGN_CHECK("openssl", "asn1parse", "-in", "teapot.key");
        assert_non_null(strstr(structure, "PBKDF2"));
        assert_non_null(strstr(structure, "hmacWithSHA256"));
        assert_non_null(strstr(structure, ":0927C0")); /* 600000 */
}

static void test_bad_names(void **state) {
        char long_name[KEY_PAIR_COMMON_NAME_MAX + 2] = "";
        const char *const names[] = { "", long_name, "\xff\xfe" };

        memset(long_name, 'x', sizeof(long_name) - 1);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const KeyPairWish wish = { .type = KEY_PAIR_EC_P256,
                                           .common_name = names[i],
                                           .not_after = 1 };
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(freep) char *certificate = NULL;
                _cleanup_(secret_freep) Secret *key = NULL;

                assert_int_equal(key_pair_generate(&wish, &key, &certificate, &reason), -EINVAL);
                assert_non_null(strstr(reason.text, "1 to 64 characters"));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_certificate),
                unit_test_in_directory(test_serial),
                unit_test_in_directory(test_passphrase),
                cmocka_unit_test(test_bad_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
