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

#include "secureboot/certificate.h"

static void test_load(void **state) {
        static const struct {
                KeyPairType type;
                SignatureAlgorithm algorithm;
                unsigned n_key_bits;
        } cases[] = {
                { KEY_PAIR_RSA_2048, SIGNATURE_RSA, 2048 },
                { KEY_PAIR_EC_P256, SIGNATURE_ECDSA, 256 },
                { KEY_PAIR_EC_P384, SIGNATURE_ECDSA, 384 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(certificate_freep) Certificate *certificate = NULL;
                _cleanup_(freep) char *said = NULL;
                char fingerprint[2 * SHA256_SIZE + 1];

                key_fixture_make("teapot", cases[i].type, NULL);
                assert_int_equal(certificate_load("teapot.crt", &certificate, NULL), 0);
                assert_string_equal(certificate->subject, "CN=teapot");
                assert_int_equal(certificate->algorithm, cases[i].algorithm);
                assert_int_equal(certificate->n_key_bits, cases[i].n_key_bits);
                assert_int_equal(certificate->not_before, KEY_FIXTURE_NOT_BEFORE);
                assert_int_equal(certificate->not_after, KEY_FIXTURE_NOT_AFTER);

                said = FOREIGN_CHECK("openssl", "x509", "-in", "teapot.crt", "-outform", "DER", "-out",
                                     "teapot.der");
                free(TAKE_PTR(said));
                said = FOREIGN_CHECK("sha256sum", "teapot.der");
                sha256_format(&certificate->fingerprint, fingerprint);
                assert_memory_equal(said, fingerprint, sizeof(fingerprint) - 1);
        }
}

/* What is read from its own encoding is the same. */
static void test_parse(void **state) {
        _cleanup_(certificate_freep) Certificate *certificate = NULL, *again = NULL, *longer = NULL;
        _cleanup_(reason_done) Reason reason = {};

        key_fixture_make("teapot", KEY_PAIR_EC_P256, NULL);
        assert_int_equal(certificate_load("teapot.crt", &certificate, NULL), 0);
        const Der *encoding = &certificate->encoding;
        assert_int_equal(certificate_parse(encoding->bytes, encoding->size, &again, NULL), 0);
        assert_int_equal(again->issuer_and_serial.size, certificate->issuer_and_serial.size);
        assert_memory_equal(again->issuer_and_serial.bytes, certificate->issuer_and_serial.bytes,
                            again->issuer_and_serial.size);

        assert_int_equal(certificate_parse(encoding->bytes, encoding->size - 1, &longer, &reason), -EBADMSG);
        assert_null(longer);
        assert_non_null(strstr(reason.text, "no certificate"));
}

static void make_foreign(const char *type, const char *option) {
        _unused_ _cleanup_(freep) char *said =
                FOREIGN_CHECK("openssl", "req", "-x509", "-newkey", type, "-pkeyopt", option, "-nodes",
                              "-subj", "/CN=x", "-keyout", "foreign.key", "-out", "foreign.crt");
}

static void test_refused(void **state) {
        static const struct {
                const char *type, *option, *reason;
        } keys[] = {
                { "rsa:1024", "rsa_keygen_bits:1024", "1024 bits" },
                { "ec", "ec_paramgen_curve:secp521r1", "secp521r1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_(certificate_freep) Certificate *certificate = NULL;
                _cleanup_(reason_done) Reason reason = {};

                make_foreign(keys[i].type, keys[i].option);
                assert_int_equal(certificate_load("foreign.crt", &certificate, &reason), -ENOTSUP);
                assert_non_null(strstr(reason.text, keys[i].reason));
        }

        static const struct {
                const char *path;
                int answer;
                const char *reason;
        } files[] = {
                { "missing.crt", -ENOENT, "missing.crt" },
                { "empty.crt", -EBADMSG, "holds no certificate in PEM form" },
                { "foreign.key", -EBADMSG, "holds no certificate in PEM form" },
        };
        assert_int_equal(file_write_text(AT_FDCWD, "empty.crt", "", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_(certificate_freep) Certificate *certificate = NULL;
                _cleanup_(reason_done) Reason reason = {};

                assert_int_equal(certificate_load(files[i].path, &certificate, &reason), files[i].answer);
                assert_non_null(strstr(reason.text, files[i].reason));
        }
}

/* What signing_key_sign() makes, and nothing else: neither of other bytes, nor by another key, nor in pieces. */
static void test_verify(void **state) {
        for (KeyPairType type = 0; type < KEY_PAIR_TYPE_MAX; type++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", type);
                _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", type);
                _cleanup_(der_done) Der signature = {};

                assert_int_equal(signing_key_sign(fixture.key, "tea", 3, &signature, NULL), 0);
                assert_int_equal(certificate_verify(fixture.certificate, "tea", 3, signature.bytes,
                                                    signature.size),
                                 1);
                assert_int_equal(certificate_verify(fixture.certificate, "sea", 3, signature.bytes,
                                                    signature.size),
                                 0);
                assert_int_equal(
                        certificate_verify(other.certificate, "tea", 3, signature.bytes, signature.size), 0);
                for (size_t size = 0; size < signature.size; size++)
                        assert_int_equal(
                                certificate_verify(fixture.certificate, "tea", 3, signature.bytes, size), 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_load),
                unit_test_in_directory(test_parse),
                unit_test_in_directory(test_refused),
                unit_test_in_directory(test_verify),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
