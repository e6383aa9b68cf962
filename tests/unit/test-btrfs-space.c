/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

static uint64_t take(BtrfsSpace *space, uint64_t type, uint64_t min, uint64_t max, uint64_t *ret_size) {
        uint64_t start;

        assert_int_equal(btrfs_space_take(space, type, min, max, &start, ret_size), 0);
        assert_true(*ret_size >= min && *ret_size <= max);
        return start;
}

static void test_in_a_row(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space = {};
        uint64_t size;

        assert_int_equal(btrfs_space_end(&space), MIB);
        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 4096, &size), MIB);
        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 3 * MIB, &size), MIB + 4096);
        assert_int_equal(size, 3 * MIB);
        btrfs_space_close(&space, 0);
        assert_int_equal(btrfs_space_end(&space), 5 * MIB);

        /* Another type needs another chunk. */
        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_METADATA, 16384, 16384, &size), 5 * MIB);
        btrfs_space_close(&space, 8 * MIB);
        assert_int_equal(btrfs_space_end(&space), 14 * MIB);
        assert_int_equal(space.n_chunks, 2);
        assert_int_equal(space.n_runs, 2);
        assert_int_equal(space.chunks[0].used, 3 * MIB + 4096);
        assert_int_equal(btrfs_space_used(&space), 3 * MIB + 4096 + 16384);
        assert_int_equal(btrfs_space_allocated(&space), 13 * MIB);
}

/* Nothing is where a copy of the super block may be. */
static void test_mirrors(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space = {};
        uint64_t size, start, sum = 0;
        size_t n = 0;

        while (btrfs_space_end(&space) < 258 * GIB) {
                start = take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 128 * MIB, &size);
                assert_true(start + size <= BTRFS_MIRROR_1 || start >= BTRFS_MIRROR_1 + BTRFS_STRIPE_SIZE);
                assert_true(start + size <= BTRFS_MIRROR_2 || start >= BTRFS_MIRROR_2 + BTRFS_STRIPE_SIZE);
                sum += size;
                n++;
        }
        btrfs_space_close(&space, 0);
        assert_int_equal(btrfs_space_used(&space), sum);
        assert_true(sum > 256 * GIB && n > 2048);

        /* Every chunk has one run, but those around a copy. */
        assert_int_equal(space.n_runs, space.n_chunks + 2);
        for (size_t i = 0; i + 1 < space.n_chunks; i++) {
                assert_int_equal(space.chunks[i].size, GIB);
                assert_int_equal(space.chunks[i].used,
                                 GIB - (space.chunks[i].n_runs == 2 ? BTRFS_STRIPE_SIZE : 0));
                assert_int_equal(space.chunks[i].start, MIB + i * GIB);
        }
}

/* What must be in one piece is not put before a copy, or at the end of a chunk, if there is too little room. */
static void test_gaps(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space = {};
        uint64_t size;

        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 63 * MIB - 4096, &size), MIB);
        assert_int_equal(size, 63 * MIB - 4096);
        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_DATA, 8192, 8192, &size),
                         BTRFS_MIRROR_1 + BTRFS_STRIPE_SIZE);
        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, GIB, &size),
                         BTRFS_MIRROR_1 + BTRFS_STRIPE_SIZE + 8192);
        assert_int_equal(take(&space, BTRFS_BLOCK_GROUP_DATA, 4096, 4096, &size), MIB + GIB);
        assert_int_equal(space.n_chunks, 2);
        assert_int_equal(space.chunks[0].n_runs, 2);
}

static void test_copy(void **state) {
        _cleanup_(btrfs_space_done) BtrfsSpace space = {}, copy = {};
        uint64_t size;

        assert_int_equal(btrfs_space_copy(&space, &copy), 0);
        btrfs_space_done(&copy);
        for (size_t i = 0; i < 5; i++) {
                (void)take(&space, i % 2 ? BTRFS_BLOCK_GROUP_DATA : BTRFS_BLOCK_GROUP_SYSTEM, 4096, 4096,
                           &size);
                btrfs_space_close(&space, 0);
        }
        assert_int_equal(btrfs_space_copy(&space, &copy), 0);
        (void)take(&copy, BTRFS_BLOCK_GROUP_DATA, 4096, 4096, &size);
        assert_int_equal(space.n_chunks, 5);
        assert_int_equal(copy.n_chunks, 6);
        assert_int_equal(copy.n_runs, 6);
        assert_int_equal(btrfs_space_used(&space), 5 * 4096);
        assert_int_equal(btrfs_space_end(&space), 6 * MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_a_row),
                cmocka_unit_test(test_mirrors),
                cmocka_unit_test(test_gaps),
                cmocka_unit_test(test_copy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
