/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/subvolume.h"
#include "base/text.h"
#include "btrfs-mount.h"
#include "image/root-tree.h"

static mode_t mode_of(const char *path) {
        struct stat status;

        return lstat(path, &status) < 0 ? 0 : status.st_mode;
}

static bool is_subvolume(const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return subvolume_is(fd) > 0;
}

/* For an image of btrfs the directories are there, as directories. */
static void test_plain(void **state) {
        static const struct {
                const char *path;
                mode_t mode;
        } expected[] = { { "root", 0755 },
                         { "root/home", 0755 },
                         { "root/srv", 0755 },
                         { "root/var", 0755 },
                         { "root/var/tmp", 01777 },
                         { "root/var/lib", 0755 },
                         { "root/var/lib/machines", 0700 } };
        const mode_t umask_before = umask(0077);

        assert_int_equal(root_tree_make(AT_FDCWD, "root",
                                        &(const Config){ .format = OUTPUT_FORMAT_GPT_BTRFS },
                                        image_format_find("gpt_btrfs"), NULL),
                         0);
        (void)umask(umask_before);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                assert_int_equal(mode_of(expected[i].path), S_IFDIR | expected[i].mode);
        assert_int_equal(root_tree_make(AT_FDCWD, "root/none/x", &(const Config){},
                                        image_format_find("gpt_btrfs"), NULL),
                         -ENOENT);
}

/* Where partitions of their own are mounted, a directory is; nothing else is made. */
static void test_mount_points(void **state) {
        const Config config = { .format = OUTPUT_FORMAT_GPT_EXT4, .srv_size = GIB };

        assert_int_equal(root_tree_make(AT_FDCWD, "root", &config, image_format_find("gpt_ext4"), NULL), 0);
        assert_int_equal(mode_of("root/srv"), S_IFDIR | 0755);
        assert_int_equal(mode_of("root/home"), 0);
        assert_int_equal(mode_of("root/var"), 0);
        assert_int_equal(root_tree_make(AT_FDCWD, "tree", &config, image_format_find("directory"), NULL), 0);
        assert_int_equal(mode_of("tree/srv"), 0);
}

static int check_subvolumes(void) {
        static const char *const made[] = { "mounted/root",         "mounted/root/home",
                                            "mounted/root/srv",     "mounted/root/var",
                                            "mounted/root/var/tmp", "mounted/root/var/lib/machines" };
        _cleanup_(fd_closep) int top = open("mounted", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const Config config = { .format = OUTPUT_FORMAT_SUBVOLUME,
                                .output_directory = (char *)"mounted/not/yet" };

        EXPECT(root_tree_subvolumes_possible(&config) == 1);
        EXPECT(root_tree_make(top, "root", &config, image_format_find("subvolume"), NULL) == 0);
        for (size_t i = 0; i < ELEMENTSOF(made); i++)
                EXPECT(is_subvolume(made[i]));
        EXPECT(!is_subvolume("mounted/root/var/lib"));
        EXPECT(mode_of("mounted/root/var/tmp") == (S_IFDIR | 01777));
        EXPECT(mode_of("mounted/root/var/lib/machines") == (S_IFDIR | 0700));

        /* Something that was installed stands in the place of one. */
        EXPECT(rmdir("mounted/root/srv") == 0 && symlink("home", "mounted/root/srv") == 0);
        EXPECT(root_tree_freeze_nested("mounted/root") == 0);
        EXPECT(mkdir("mounted/root/var/lib/machines/x", 0755) < 0 && errno == EROFS);
        EXPECT(mkdir("mounted/root/var/tmp/x", 0755) < 0 && errno == EROFS);
        EXPECT(mkdir("mounted/root/x", 0755) == 0);
        EXPECT(renameat(top, "root", top, "renamed") == 0);
        return 0;
}

static void test_subvolumes(void **state) {
        in_btrfs(check_subvolumes);
}

static void test_elsewhere(void **state) {
        assert_int_equal(
                root_tree_subvolumes_possible(&(const Config){ .output_directory = (char *)"/proc/not" }), 0);
        assert_int_equal(root_tree_subvolumes_possible(
                                 &(const Config){ .output_directory = (char *)"/dev/null/x" }),
                         -ENOTDIR);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_plain),
                unit_test_in_directory(test_mount_points),
                unit_test_in_directory(test_subvolumes),
                unit_test_in_directory(test_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
