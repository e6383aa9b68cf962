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

#include "secureboot/signed-data.h"

static const uint8_t id_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };

/* openssl(1) verifies what is signed directly, with the content elsewhere. */
static void test_detached(void **state) {
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_EC_P256, KEY_PAIR_EC_P384 };
        static const char data[] = "what is signed";

        assert_int_equal(file_write_text(AT_FDCWD, "data", data, 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "other", "what is not", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", types[i]);
                _cleanup_(freep) char *said = NULL, *refused = NULL, *shown = NULL;
                _cleanup_(der_done) Der signature = {}, der = {};

                assert_int_equal(signing_key_sign(fixture.key, data, strlen(data), &signature, NULL), 0);
                signed_data_write(&(const SignedData){ .content_type = id_data,
                                                       .content_type_size = sizeof(id_data),
                                                       .certificate = fixture.certificate,
                                                       .signature = &signature },
                                  &der);
                assert_int_equal(der_finish(&der), 0);
                assert_int_equal(file_write(AT_FDCWD, "signed", der.bytes, der.size, 0644), 0);

                said = FOREIGN_CHECK("openssl", "smime", "-verify", "-inform", "DER", "-in", "signed",
                                     "-content", "data", "-binary", "-purpose", "any", "-partial_chain",
                                     "-CAfile", "teapot.crt");
                assert_int_not_equal(FOREIGN_RUN(&refused, "openssl", "smime", "-verify", "-inform", "DER",
                                                 "-in", "signed", "-content", "other", "-binary", "-purpose",
                                                 "any", "-partial_chain", "-CAfile", "teapot.crt"),
                                     0);
                shown = FOREIGN_CHECK("openssl", "asn1parse", "-inform", "DER", "-in", "signed");
                assert_non_null(strstr(shown, ":pkcs7-signedData"));
        }
}

/* Without ContentInfo it is the same, less what stands around it. */
static void test_bare(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        _cleanup_(der_done) Der signature = {}, whole = {}, bare = {};
        SignedData data = {
                .content_type = id_data,
                .content_type_size = sizeof(id_data),
                .certificate = fixture.certificate,
                .signature = &signature,
        };

        der_add_raw(&signature, "signature", 9);
        signed_data_write(&data, &whole);
        data.bare = true;
        signed_data_write(&data, &bare);
        assert_int_equal(der_finish(&bare), 0);
        assert_true(whole.size > bare.size);
        assert_memory_equal(whole.bytes + whole.size - bare.size, bare.bytes, bare.size);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_detached),
                unit_test_in_directory(test_bare),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
