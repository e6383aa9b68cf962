/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "format/vfat-directory.h"
#include "vfat-tree.h"

static void test_time(void **state) {
        static const struct {
                int64_t seconds;
                uint16_t date, time;
                uint8_t hundredths;
        } cases[] = {
                { 315532800, 0x0021, 0, 0 }, /* 1980-01-01 00:00:00 */
                { 315532801, 0x0021, 0, 100 },       { 315532802, 0x0021, 1, 0 },
                { 1500000001, 0x4aee, 0x1500, 100 }, /* 2017-07-14 02:40:01 */
                { 1709207999, 0x585d, 0x5f7d, 100 }, /* 2024-02-29 11:59:59 */
                { 4354819199, 0xff9f, 0xbf7d, 100 }, /* 2107-12-31 23:59:59 */
                { 4354819200, 0xff9f, 0xbf7d, 100 }, { INT64_MAX, 0xff9f, 0xbf7d, 100 },
                { 315532799, 0x0021, 0, 0 },         { 0, 0x0021, 0, 0 },
                { INT64_MIN, 0x0021, 0, 0 },
        };

        assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const VfatTime t = vfat_time_encode(cases[i].seconds);

                assert_int_equal(t.date, cases[i].date);
                assert_int_equal(t.time, cases[i].time);
                assert_int_equal(t.hundredths, cases[i].hundredths);
        }
}

/* A directory with one file, in the bytes of the specification. */
static void test_bytes(void **state) {
        static const char *const names[] = { "loader.conf.2024" };
        static const uint8_t expected[] =
                "EFI        \x08\0\x64\0\x15\xee\x4a\xee\x4a\0\0\0\x15\xee\x4a\0\0\0\0\0\0"
                "\x42\x30\0\x32\0\x34\0\0\0\xff\xff\x0f\0\x06"
                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\xff\xff\xff\xff"
                "\x01l\0o\0a\0d\0e\0\x0f\0\x06r\0.\0c\0o\0n\0f\0\0\0.\0\x32\0"
                "LOADER~1202\x20\0\x64\0\x15\xee\x4a\xee\x4a\x34\x12\0\x15\xee\x4a\x78\x56\x78\x56\x34\x12";
        const FilesystemOptions options = { .label = "EFI", .time = 1500000001 };
        _cleanup_(vfat_tree_freep) TreeNode *root = vfat_tree_new(names, 1);
        TreeNode *nodes[] = { root, root->children[0] };
        const Tree tree = { .root_fd = -EBADF, .nodes = nodes, .n_nodes = 2 };
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;
        uint8_t buffer[sizeof(expected)] = {};

        root->children[0]->status.st_size = 0x12345678;
        root->children[0]->status.st_mtim.tv_sec = 1500000002; /* the future is cut off */
        assert_int_equal(vfat_content_new(&tree, &options, 0, &content, NULL), 0);
        assert_int_equal(content->items[0].n_entries, 4);
        content->items[1].first_cluster = 0x12345678;

        vfat_directory_encode(content, root, buffer);
        assert_memory_equal(buffer, expected, sizeof(expected) - 1);
}

/* "." and "..", of which the latter does not name the root's cluster. */
static void test_links(void **state) {
        const FilesystemOptions options = { .time = INT64_MAX };
        TreeNode root = { .name = (char *)"" }, outer = { .name = (char *)"OUTER" },
                 inner = { .name = (char *)"INNER" };
        TreeNode *nodes[] = { &root, &outer, &inner }, *in_root[] = { &outer }, *in_outer[] = { &inner };
        const Tree tree = { .root_fd = -EBADF, .nodes = nodes, .n_nodes = 3 };
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;
        uint8_t buffer[3 * 32] = {};

        for (size_t i = 0; i < 3; i++) {
                nodes[i]->index = i;
                nodes[i]->status.st_mode = S_IFDIR | 0755;
                nodes[i]->status.st_size = 4096;
        }
        root.children = in_root;
        outer.children = in_outer;
        outer.parent = &root;
        inner.parent = &outer;
        root.n_children = outer.n_children = 1;
        assert_int_equal(vfat_content_new(&tree, &options, 0, &content, NULL), 0);
        assert_int_equal(vfat_content_place(content, 512), 5);

        vfat_directory_encode(content, &outer, buffer);
        assert_memory_equal(buffer, ".          \x10", 12);
        assert_memory_equal(buffer + 26, "\x03\0\0\0\0\0", 6);
        assert_memory_equal(buffer + 32, "..         \x10", 12);
        assert_memory_equal(buffer + 32 + 26, "\0\0\0\0\0\0", 6);
        assert_memory_equal(buffer + 64, "INNER      \x10", 12);
        assert_memory_equal(buffer + 64 + 26, "\x04\0\0\0\0\0", 6);

        memset(buffer, 0, sizeof(buffer));
        vfat_directory_encode(content, &inner, buffer);
        assert_memory_equal(buffer + 26, "\x04\0", 2);
        assert_memory_equal(buffer + 32 + 26, "\x03\0", 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_links),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
