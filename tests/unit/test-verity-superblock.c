/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/uuid.h"
#include "verity-fixture.h"
#include "verity/verity-superblock.h"

static const VeritySuperblock example = {
        .uuid.bytes = { 0x6a, 0x5b, 0x1c, 0x5e, 0x3f, 0x0d, 0x4c, 0x4b, 0x8e, 0x41, 0x0d, 0x7a, 0x6a, 0x1f,
                        0xbb, 1 },
        .salt = { .bytes = "salt", .size = 4 },
        .n_data_blocks = 0x123456,
};

/* Byte for byte, as the documentation of veritysetup has the members. */
static void test_encode(void **state) {
        uint8_t expected[VERITY_BLOCK_SIZE] = "verity\0\0\1\0\0\0\1\0\0", block[VERITY_BLOCK_SIZE];

        memcpy(expected + 16, example.uuid.bytes, 16);
        memcpy(expected + 32, "sha256", 6);
        memcpy(expected + 64, "\0\x10\0\0\0\x10\0\0\x56\x34\x12\0\0\0\0\0\4\0", 18);
        memcpy(expected + 88, "salt", 4);
        memset(block, 0xee, sizeof(block));
        verity_superblock_encode(&example, block);
        assert_memory_equal(block, expected, sizeof(block));
}

static void test_decode(void **state) {
        uint8_t block[VERITY_BLOCK_SIZE], again[VERITY_BLOCK_SIZE];
        VeritySuperblock superblock;

        for (size_t size = 0; size <= VERITY_SALT_SIZE_MAX; size += 32) {
                VeritySuperblock wish = example;

                memset(wish.salt.bytes, 0x5a, size);
                wish.salt.size = size;
                verity_superblock_encode(&wish, block);
                assert_int_equal(verity_superblock_decode(block, &superblock, NULL), 0);
                assert_true(uuid_equal(superblock.uuid, wish.uuid));
                assert_int_equal(superblock.n_data_blocks, wish.n_data_blocks);
                assert_int_equal(superblock.salt.size, size);
                assert_memory_equal(superblock.salt.bytes, wish.salt.bytes, size);
                verity_superblock_encode(&superblock, again);
                assert_memory_equal(again, block, sizeof(block));
        }
}

static void test_refused(void **state) {
        static const struct {
                size_t offset, size;
                const char *bytes, *reason;
        } cases[] = {
                { 0, 6, "verify", "no superblock" },
                { 7, 1, "x", "no superblock" },
                { 8, 4, "\2\0\0\0", "format 2" },
                { 12, 4, "\0\0\0\0", "hash type 0" },
                { 32, 7, "sha512\0", "algorithm \"sha512\"" },
                { 32, 32, "sha256sha256sha256sha256sha256sh", "algorithm \"sha256sha256" },
                { 32, 7, "sha\n56\0", "algorithm \"sha?56\"" },
                { 64, 4, "\0\2\0\0", "blocks of 512 and 4096" },
                { 68, 4, "\0\0\1\0", "blocks of 4096 and 65536" },
                { 72, 8, "\0\0\0\0\0\0\0\0", "0 data blocks" },
                { 72, 8, "\377\377\377\377\377\377\377\377", "18446744073709551615 data blocks" },
                { 80, 2, "\1\1", "salt of 257 bytes" },
                { 39, 1, "x", "unused places" },  /* behind the algorithm */
                { 82, 1, "x", "unused places" },  /* behind the salt's size */
                { 92, 1, "x", "unused places" },  /* behind the salt */
                { 344, 1, "x", "unused places" }, /* behind the room for a salt */
                { 512, 1, "x", "unused places" }, /* behind the superblock */
                { 4095, 1, "x", "unused places" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                uint8_t block[VERITY_BLOCK_SIZE];
                VeritySuperblock superblock;

                verity_superblock_encode(&example, block);
                memcpy(block + cases[i].offset, cases[i].bytes, cases[i].size);
                assert_int_equal(verity_superblock_decode(block, &superblock, &reason), -EBADMSG);
                if (!strstr(reason.text, cases[i].reason))
                        fail_msg("\"%s\" does not say \"%s\"", reason.text, cases[i].reason);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_encode),
                cmocka_unit_test(test_decode),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
