/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ext4-fixture.h"

static void test_super_block(void **state) {
        _cleanup_(tree_freep) Tree *tree = load_tree();

        make(tree, "image", 256 * MIB);
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        const struct ext2_super_block *super = volume->super;

        assert_string_equal((const char *)super->s_volume_name, "label");
        assert_string_equal((const char *)super->s_last_mounted, "/");
        assert_memory_equal(super->s_uuid, options.uuid.bytes, 16);
        assert_int_equal(super->s_mkfs_time, TIME_MAX);
        assert_int_equal(super->s_wtime, TIME_MAX);
        assert_int_equal(super->s_lastcheck, TIME_MAX);
        assert_int_equal(super->s_inode_size, 256);
        assert_int_equal(super->s_kbytes_written, 0);
        assert_int_equal(super->s_journal_inum, EXT2_JOURNAL_INO);
        assert_true(super->s_reserved_gdt_blocks > 0); /* it can grow while it is mounted */
        assert_true(ext2fs_has_feature_metadata_csum(volume->super));
        assert_int_equal(ext2fs_r_blocks_count(volume->super), ext2fs_blocks_count(volume->super) / 100);
        assert_true(volume->super->s_state & EXT2_VALID_FS);
}

/* Times that the super block cannot hold, and zero, which libext2fs would take for "ask the clock". */
static void test_times(void **state) {
        static const struct {
                int64_t time;
                uint32_t expected;
        } cases[] = {
                { 0, 1 }, { -5, 1 }, { INT64_C(1) << 40, UINT32_MAX }, { INT64_C(3000000000), 3000000000 }
        };
        _cleanup_(tree_freep) Tree *tree = load_tree();
        uint64_t made;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                FilesystemOptions other = options;
                _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

                other.time = cases[i].time;
                assert_int_equal(filesystem_ext4.make(tree, &other,
                                                      &(FilesystemPlace){ .fd = fd, .size = 8 * MIB }, &made,
                                                      NULL),
                                 0);
                _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
                assert_int_equal(volume->super->s_mkfs_time, cases[i].expected);
                assert_int_equal(volume->super->s_wtime, cases[i].expected);
                check_image("image");
        }
}

/* Texts fill their fields to the last byte, and no more. */
static void test_texts(void **state) {
        FilesystemOptions other = options;
        _cleanup_(tree_freep) Tree *tree = load_tree();

        other.label = "exactly-16-bytes";
        other.last_mounted = NULL;
        assert_int_equal(make_with(tree, "image", 8 * MIB, &other), 8 * MIB);
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        assert_memory_equal(volume->super->s_volume_name, other.label, 16);
        assert_int_equal(volume->super->s_last_mounted[0], 0);
}

static void test_errors(void **state) {
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(ext4_error(0, NULL), 0);
        assert_int_equal(ext4_error(ENOSPC, NULL), -ENOSPC);
        assert_int_equal(ext4_error(EXT2_ET_NO_MEMORY, NULL), -ENOMEM);
        assert_int_equal(ext4_error(EXT2_ET_BLOCK_ALLOC_FAIL, NULL), -ENOSPC);
        assert_int_equal(ext4_error(EXT2_ET_BAD_MAGIC, &reason), -EIO);
        assert_string_equal(reason.text, "libext2fs: Bad magic number in super-block");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_super_block),
                unit_test_with_tree(test_times),
                unit_test_with_tree(test_texts),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
