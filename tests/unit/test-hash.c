/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/hash.h"

/* FIPS 180-4 and RFC 4231 publish these. */
static void test_known(void **state) {
        static const struct {
                const char *data, *digest;
        } cases[] = {
                { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[2 * SHA256_SIZE + 1];
                Sha256Digest digest;

                assert_int_equal(sha256(cases[i].data, strlen(cases[i].data), &digest), 0);
                sha256_format(&digest, text);
                assert_string_equal(text, cases[i].digest);
        }
}

static void test_parts(void **state) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        Sha256Digest parts, whole;

        assert_int_equal(sha256_new(&hash), 0);
        assert_int_equal(sha256_add(hash, "a", 1), 0);
        assert_int_equal(sha256_add(hash, "bc", 2), 0);
        assert_int_equal(sha256_finish(hash, &parts), 0);
        assert_int_equal(sha256("abc", 3, &whole), 0);
        assert_memory_equal(&parts, &whole, sizeof(parts));
}

static void test_hmac(void **state) {
        char text[2 * SHA256_SIZE + 1];
        Sha256Digest digest;

        assert_int_equal(hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, &digest), 0);
        sha256_format(&digest, text);
        assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_parse(void **state) {
        static const char good[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        char text[sizeof(good) + 1] = {}, again[2 * SHA256_SIZE + 1];
        Sha256Digest digest;

        assert_int_equal(sha256_parse(good, &digest), 0);
        sha256_format(&digest, again);
        assert_string_equal(again, good);

        /* Shorter, longer, and with something else in any place. */
        for (size_t i = 0; i < sizeof(good) - 1; i++) {
                static const char others[] = { 'g', 'A', ' ', '\0', '/', ':', '`' };

                for (size_t k = 0; k < ELEMENTSOF(others); k++) {
                        memcpy(text, good, sizeof(good));
                        text[i] = others[k];
                        assert_int_equal(sha256_parse(text, &digest), -EINVAL);
                }
        }
        memcpy(text, good, sizeof(good));
        text[sizeof(good) - 1] = 'a';
        assert_int_equal(sha256_parse(text, &digest), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_hmac),
                cmocka_unit_test(test_parse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
