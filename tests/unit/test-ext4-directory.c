/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ext4-fixture.h"

static size_t n_blocks_of(const char *path) {
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        _cleanup_(freep) uint8_t *blocks = NULL;
        size_t n_blocks = 0;

        assert_int_equal(ext4_directory_build(plan, plan_find(plan, path), &blocks, &n_blocks), 0);
        return n_blocks;
}

/* One block has 4096 - 12 - 24 bytes; an entry takes 8 and its name, in steps of 4. */
static void test_one_block(void **state) {
        make_directory("tree/empty");
        make_directory("tree/full");
        make_files("tree/full", 203, 12);
        assert_int_equal(n_blocks_of("empty"), 1);
        assert_int_equal(n_blocks_of("full"), 1);

        /* One more, and there is an index, and a leaf for all of them: 204 * 20 bytes are 4080 of 4084. */
        make_file("tree/full/xxxxxxxxxxxx", 0);
        assert_int_equal(n_blocks_of("full"), 2);
        make_file("tree/full/yyyyyyyyyyyy", 0);
        assert_int_equal(n_blocks_of("full"), 3);
        make_image();
        check_image("image");
}

static void test_entries(void **state) {
        make_directory("tree/d");
        make_directory("tree/d/sub");
        make_file("tree/d/file", 0);
        assert_int_equal(symlink("x", "tree/d/link"), 0);
        assert_int_equal(link("tree/d/file", "tree/d/other"), 0);

        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(ext4_plan_freep) Ext4Plan *plan = make_plan(tree);
        _cleanup_(freep) uint8_t *blocks = NULL;
        const Ext4Inode *d = plan_find(plan, "d");
        const struct {
                const char *name;
                uint32_t number;
                int type;
        } expected[] = {
                { ".", d->number, EXT2_FT_DIR },
                { "..", EXT2_ROOT_INO, EXT2_FT_DIR },
                { "file", plan_find(plan, "d/file")->number, EXT2_FT_REG_FILE },
                { "link", plan_find(plan, "d/link")->number, EXT2_FT_SYMLINK },
                { "other", plan_find(plan, "d/file")->number, EXT2_FT_REG_FILE },
                { "sub", plan_find(plan, "d/sub")->number, EXT2_FT_DIR },
        };
        size_t n_blocks, offset = 0;

        assert_int_equal(ext4_directory_build(plan, d, &blocks, &n_blocks), 0);
        assert_int_equal(n_blocks, 1);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const struct ext2_dir_entry *entry = (const struct ext2_dir_entry *)(blocks + offset);

                assert_int_equal(entry->inode, expected[i].number);
                assert_int_equal(ext2fs_dirent_file_type(entry), expected[i].type);
                assert_int_equal(ext2fs_dirent_name_len(entry), strlen(expected[i].name));
                assert_memory_equal(entry->name, expected[i].name, strlen(expected[i].name));
                offset += entry->rec_len;
        }
        assert_int_equal(offset, EXT4_BLOCK_SIZE - sizeof(struct ext2_dir_entry_tail));
}

/* Two levels of index, and names of all lengths and bytes. e2fsck knows the hashes. */
static void test_big(void **state) {
        make_directory("tree/long");
        make_files("tree/long", 8000, 255);
        make_directory("tree/short");
        make_files("tree/short", 2000, 1);
        make_directory("tree/bytes");
        for (unsigned i = 1; i < 256; i++) {
                char path[32 + 255] = "tree/bytes/";

                if (i == '/')
                        continue;
                memset(path + strlen("tree/bytes/"), (int)i, i);
                make_file(path, 0);
        }
        assert_true(n_blocks_of("long") > 1 + 508);
        make_image();
        check_image("image");

        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        assert_true(read_inode(volume, "long").i_flags & EXT2_INDEX_FL);
        assert_true(read_inode(volume, "short").i_flags & EXT2_INDEX_FL);
        assert_true(find_inode(volume, "short/1999") > 0);
}

static void test_lost_and_found(void **state) {
        make_image();
        {
                _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
                const struct ext2_inode_large inode = read_inode(volume, "lost+found");

                assert_int_equal(find_inode(volume, "lost+found"), EXT2_FIRST_INODE(volume->super));
                assert_int_equal(inode.i_mode, S_IFDIR | 0700);
                assert_int_equal(inode.i_size, 4 * EXT4_BLOCK_SIZE);
                assert_int_equal(inode.i_links_count, 2);
                assert_int_equal(inode.i_flags & EXT2_INDEX_FL, 0);
                assert_int_equal(read_inode(volume, "/").i_links_count, 3);
        }

        /* That of the tree is as good. */
        make_directory("tree/lost+found");
        make_file("tree/lost+found/kept", 1);
        make_image();
        check_image("image");
        _cleanup_(ext4_volume_freep) struct struct_ext2_filsys *volume = open_image();
        assert_int_equal(read_inode(volume, "lost+found").i_mode, S_IFDIR | 0755);
        assert_int_equal(read_inode(volume, "/").i_links_count, 3);
        assert_true(find_inode(volume, "lost+found/kept") > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_one_block),
                unit_test_with_tree(test_entries),
                unit_test_with_tree(test_big),
                unit_test_with_tree(test_lost_and_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
