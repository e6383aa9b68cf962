/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "verity-fixture.h"
#include "verity/verity-check.h"

enum { N_BLOCKS = 128 * 128 + 129, BEFORE = 512 };

/* Data and its tree in one file each, behind some other bytes, and everything that a check needs. */
typedef struct Example {
        VerityCheck check;
        VerityLayout layout;
} Example;

static Example *example_new(size_t n_blocks) {
        const size_t size = n_blocks * VERITY_BLOCK_SIZE;
        _cleanup_(freep) uint8_t *bytes = make_bytes(size);
        Example *example = calloc(1, sizeof(Example));
        const VerityOptions options = { .salt = test_salt };

        assert_non_null(example);
        example->check.data =
                (VerityData){ .fd = data_file(bytes, size, BEFORE), .offset = BEFORE, .size = size };
        example->check.area =
                (VerityArea){ .fd = memory_file(), .offset = BEFORE, .size = verity_size(size) };
        assert_int_equal(verity_hash_file(&example->check.data, &options,
                                          &(VerityPlace){ .fd = example->check.area.fd, .offset = BEFORE },
                                          &example->check.root_hash, NULL),
                         0);
        assert_int_equal(verity_layout_init(n_blocks, &example->layout), 0);
        return example;
}

static void example_free(Example *example) {
        (void)fd_close(example->check.data.fd);
        (void)fd_close(example->check.area.fd);
        free(example);
}

DEFINE_CLEANUP(Example, example_free)

static void flip(int fd, uint64_t offset) {
        uint8_t byte;

        assert_int_equal(fd_pread_all(fd, &byte, 1, BEFORE + offset), 0);
        byte ^= 0x10;
        assert_int_equal(fd_pwrite_all(fd, &byte, 1, BEFORE + offset), 0);
}

static void expect_fault(const Example *example, VerityFaultKind kind, size_t level, uint64_t block) {
        VerityFault fault = {};

        assert_int_equal(verity_check(&example->check, &fault, NULL), kind != VERITY_FAULT_NONE);
        assert_int_equal(fault.kind, kind);
        assert_int_equal(fault.level, level);
        assert_int_equal(fault.block, block);
}

static void test_fits(void **state) {
        static const size_t n_blocks[] = { 1, 2, 128, 129, 128 * 128, N_BLOCKS };

        for (size_t i = 0; i < ELEMENTSOF(n_blocks); i++) {
                _cleanup_(example_freep) Example *example = example_new(n_blocks[i]);

                for (example->check.n_threads = 0; example->check.n_threads < 4; example->check.n_threads++)
                        expect_fault(example, VERITY_FAULT_NONE, 0, 0);
                /* Both may be larger than what the superblock tells of. */
                example->check.area.size += 4096;
                assert_int_equal(ftruncate(example->check.area.fd, BEFORE + (off_t)example->check.area.size),
                                 0);
                example->check.data.size += 5000;
                expect_fault(example, VERITY_FAULT_NONE, 0, 0);
        }
}

static void test_data_faults(void **state) {
        static const uint64_t blocks[] = { 0, 1, 127, 128, 16383, 16384, N_BLOCKS - 1 };
        _cleanup_(example_freep) Example *example = example_new(N_BLOCKS);

        for (size_t i = 0; i < ELEMENTSOF(blocks); i++) {
                const uint64_t offset = blocks[i] * VERITY_BLOCK_SIZE + (i * 1000) % VERITY_BLOCK_SIZE;

                flip(example->check.data.fd, offset);
                expect_fault(example, VERITY_FAULT_DATA, 0, blocks[i]);
                flip(example->check.data.fd, offset);
        }
        /* Of two it is the first. */
        flip(example->check.data.fd, 9000 * VERITY_BLOCK_SIZE);
        flip(example->check.data.fd, 500 * VERITY_BLOCK_SIZE);
        expect_fault(example, VERITY_FAULT_DATA, 0, 500);
}

/* A change of a hash block shows as that, and not as changed data below it; also in its unused room. */
static void test_tree_faults(void **state) {
        _cleanup_(example_freep) Example *example = example_new(N_BLOCKS);

        assert_int_equal(example->layout.n_levels, 3);
        for (size_t level = 0; level < example->layout.n_levels; level++)
                for (uint64_t block = 0; block < example->layout.levels[level].n_blocks; block += 43) {
                        const uint64_t offset =
                                example->layout.levels[level].offset + block * VERITY_BLOCK_SIZE;

                        flip(example->check.area.fd, offset + block % VERITY_BLOCK_SIZE);
                        expect_fault(example, VERITY_FAULT_TREE, level, block);
                        flip(example->check.area.fd, offset + block % VERITY_BLOCK_SIZE);
                        flip(example->check.area.fd, offset + VERITY_BLOCK_SIZE - 1);
                        expect_fault(example, VERITY_FAULT_TREE, level, block);
                        flip(example->check.area.fd, offset + VERITY_BLOCK_SIZE - 1);
                }
        expect_fault(example, VERITY_FAULT_NONE, 0, 0);
}

static void test_wrong_root_hash(void **state) {
        _cleanup_(example_freep) Example *example = example_new(129), *single = example_new(1);

        example->check.root_hash.bytes[31] ^= 1;
        expect_fault(example, VERITY_FAULT_TREE, 1, 0);
        single->check.root_hash.bytes[0] ^= 1;
        expect_fault(single, VERITY_FAULT_DATA, 0, 0);
}

/* A tree whose root hash is right, and which has something in the room behind its digests. */
static void test_unused_room(void **state) {
        _cleanup_(example_freep) Example *example = example_new(100);
        Sha256Digest root_hash;
        uint8_t block[VERITY_BLOCK_SIZE];

        flip(example->check.area.fd, 2 * VERITY_BLOCK_SIZE - 1);
        assert_int_equal(
                fd_pread_all(example->check.area.fd, block, sizeof(block), BEFORE + VERITY_BLOCK_SIZE), 0);
        root_hash = simple_digest(&test_salt, block);
        example->check.root_hash = root_hash;
        expect_fault(example, VERITY_FAULT_TREE, 0, 0);
}

/* Another salt is another tree; the UUID is not part of it. */
static void test_superblock(void **state) {
        _cleanup_(example_freep) Example *example = example_new(129);

        flip(example->check.area.fd, 16);
        expect_fault(example, VERITY_FAULT_NONE, 0, 0);
        flip(example->check.area.fd, 88);
        expect_fault(example, VERITY_FAULT_TREE, 1, 0);
}

static void expect_refusal(const Example *example, const char *expected) {
        _cleanup_(reason_done) Reason reason = {};
        VerityFault fault;

        assert_true(verity_check(&example->check, &fault, &reason) < 0);
        if (!strstr(reason.text, expected))
                fail_msg("\"%s\" does not say \"%s\"", reason.text, expected);
}

static void test_refused(void **state) {
        _cleanup_(example_freep) Example *example = example_new(129);
        const VerityCheck check = example->check;

        example->check.area.size = 4095;
        expect_refusal(example, "4095 bytes are too few");
        example->check.area.size = 3 * 4096;
        expect_refusal(example, "has 16384 bytes, and there is room for 12288");
        example->check.area.size = UINT64_MAX;
        expect_refusal(example, "No file has");
        example->check = check;
        example->check.data.size -= 1;
        expect_refusal(example, "for 528384 bytes of data, and there are 528383");
        example->check = check;
        assert_int_equal(ftruncate(example->check.data.fd, BEFORE + 5), 0);
        expect_refusal(example, "ends at 517");
        assert_int_equal(ftruncate(example->check.data.fd, BEFORE + 129 * 4096), 0);
        flip(example->check.area.fd, 0);
        expect_refusal(example, "no superblock");
        assert_int_equal(ftruncate(example->check.area.fd, BEFORE + 3 * 4096), 0);
        expect_refusal(example, "hash tree ends at 12800, not at 16896");
        example->check.area.fd = fd_close(example->check.area.fd);
        expect_refusal(example, "Bad file descriptor");
}

static void test_fault_text(void **state) {
        static const struct {
                VerityFault fault;
                const char *text;
        } cases[] = {
                { { .kind = VERITY_FAULT_DATA, .block = 5 }, "data block 5 (bytes 20480 to 24575)" },
                { { .kind = VERITY_FAULT_TREE, .level = 1, .block = 7 },
                  "block 7 of level 1 of the hash tree" },
                { {}, "nothing" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(verity_fault_format(&cases[i].fault, &text), 0);
                assert_string_equal(text, cases[i].text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fits),        cmocka_unit_test(test_data_faults),
                cmocka_unit_test(test_tree_faults), cmocka_unit_test(test_wrong_root_hash),
                cmocka_unit_test(test_unused_room), cmocka_unit_test(test_superblock),
                cmocka_unit_test(test_refused),     cmocka_unit_test(test_fault_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
