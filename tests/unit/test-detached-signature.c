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

#include "secureboot/detached-signature.h"

#define DATA "what is signed"

/* openssl(1) knows it as one of its own, by both of its programs, and refuses it for anything else. */
static void test_make(void **state) {
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_RSA_4096, KEY_PAIR_EC_P256,
                                             KEY_PAIR_EC_P384 };
        static const char *const programs[] = { "smime", "cms" };

        assert_int_equal(file_write_text(AT_FDCWD, "data", DATA, 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "other", "what is not", 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", types[i]);
                _cleanup_(der_done) Der signature = {}, whole = {};
                size_t size_max;

                assert_int_equal(signing_key_sign(fixture.key, DATA, strlen(DATA), &signature, NULL), 0);
                assert_int_equal(detached_signature_make(fixture.certificate, &signature, &whole), 0);
                assert_int_equal(detached_signature_size(fixture.certificate, &size_max), 0);
                assert_in_range(whole.size, size_max - 8, size_max);
                if (fixture.certificate->algorithm == SIGNATURE_RSA)
                        assert_int_equal(whole.size, size_max);
                assert_int_equal(file_write(AT_FDCWD, "signed", whole.bytes, whole.size, 0644), 0);

                for (size_t k = 0; k < ELEMENTSOF(programs); k++) {
                        _cleanup_(freep) char *refused = NULL;

                        free(FOREIGN_CHECK("openssl", programs[k], "-verify", "-inform", "DER", "-in",
                                           "signed", "-content", "data", "-binary", "-purpose", "any",
                                           "-partial_chain", "-CAfile", "teapot.crt"));
                        assert_int_not_equal(FOREIGN_RUN(&refused, "openssl", programs[k], "-verify",
                                                         "-inform", "DER", "-in", "signed", "-content",
                                                         "other", "-binary", "-purpose", "any",
                                                         "-partial_chain", "-CAfile", "teapot.crt"),
                                             0);
                }
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_make),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
