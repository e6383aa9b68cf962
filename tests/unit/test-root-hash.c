/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verity/root-hash.h"

/* The example of the specification of 2017. */
#define HASH      "c6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a1"
#define DATA_UUID "c6aaacf6-54ed-7505-0465-7228b2b8826a"
#define HASH_UUID "20bf83c6-0bb5-9856-e5c6-ba59d7c0b6a1"

static void test_parse(void **state) {
        static const char *const good[] = {
                HASH,
                HASH "\n",
                "C6AAACF654ED750504657228B2B8826A20BF83C60BB59856E5C6BA59D7C0B6A1",
        };
        static const char *const bad[] = {
                "",
                "\n",
                HASH "\n\n",
                HASH " ",
                " " HASH,
                HASH "0",
                "c6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a",
                "c6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6\n1",
                "g6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a1",
                "c6aaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6ag",
                "0xaaacf654ed750504657228b2b8826a20bf83c60bb59856e5c6ba59d7c0b6a1",
                DATA_UUID HASH_UUID,
        };
        char text[2 * SHA256_SIZE + 1];

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                Sha256Digest hash = {};

                assert_int_equal(root_hash_parse(good[i], &hash), 0);
                sha256_format(&hash, text);
                assert_string_equal(text, HASH);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Sha256Digest hash = {};

                assert_int_equal(root_hash_parse(bad[i], &hash), -EINVAL);
                assert_memory_equal(&hash, &(Sha256Digest){}, sizeof(hash));
        }
}

static void test_uuids(void **state) {
        char text[UUID_TEXT_SIZE];
        Sha256Digest hash, again;
        Uuid data, tree;

        assert_int_equal(root_hash_parse(HASH, &hash), 0);
        root_hash_to_uuids(&hash, &data, &tree);
        uuid_format(data, text);
        assert_string_equal(text, DATA_UUID);
        uuid_format(tree, text);
        assert_string_equal(text, HASH_UUID);
        root_hash_from_uuids(data, tree, &again);
        assert_memory_equal(&again, &hash, sizeof(hash));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_uuids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
