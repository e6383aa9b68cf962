/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"

#include "capture.h"
#include "foreign-program.h"
#include "image/encryption.h"
#include "image/partition-content.h"

static const PartitionRow *row_of(PartitionType type) {
        for (size_t i = 0; i < n_partition_rows; i++)
                if (partition_rows[i].type == type)
                        return &partition_rows[i];
        return NULL;
}

static Tree *tree_of(const Image *image) {
        _cleanup_(freep) char *path = NULL;
        Tree *tree = NULL;

        assert_int_equal(path_join(image->root_path, "usr/big", &path), 0);
        _cleanup_(freep) char *bytes = calloc(1, 2 * MIB + 1);
        assert_non_null(bytes);
        memset(bytes, 'x', 2 * MIB);
        put_file(path, bytes, 0644);
        assert_int_equal(image_load_tree(image->root_path, "the test", &tree), 0);
        return tree;
}

/* The UUID of the file system is the seed's, and so it is the same every time, and another for another partition. */
static void test_write(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--root-size=16M");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(tree_freep) Tree *tree = tree_of(image);
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char text[UUID_TEXT_SIZE];
        uint64_t size = 0;
        Uuid uuid, other;

        assert_int_equal(partition_content_write(image, row_of(PARTITION_ROOT), tree, fd, MIB, &size), 0);
        assert_int_equal(size, 16 * MIB);

        assert_int_equal(partition_content_uuid(image, PARTITION_ROOT, "file system", &uuid), 0);
        assert_int_equal(partition_content_uuid(image, PARTITION_HOME, "file system", &other), 0);
        assert_false(uuid_equal(uuid, other));
        uuid_format(uuid, text);
        _cleanup_(freep) char *said = FOREIGN_CHECK("blkid", "-p", "-O1048576", "-ovalue", "-sUUID", "disk");
        assert_non_null(strstr(said, text));
        _cleanup_(freep) char *label =
                FOREIGN_CHECK("blkid", "-p", "-O1048576", "-ovalue", "-sLABEL", "disk");
        assert_string_equal(label, "root\n");
}

static struct {
        Image *image;
        const Tree *tree;
        int result;
} call;

static void write_root(void) {
        _cleanup_(fd_closep) int fd = memfd_create("disk", MFD_CLOEXEC);
        uint64_t size = 0;

        call.result = partition_content_write(call.image, row_of(PARTITION_ROOT), call.tree, fd, 0, &size);
}

/* What is too small is told with the setting, the size that would do, and where the bytes are. */
static void test_too_small(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--root-size=1M");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(tree_freep) Tree *tree = tree_of(image);

        call.image = image;
        call.tree = tree;
        _cleanup_(freep) char *said = capture_stderr(write_root);
        assert_int_equal(call.result, -ENOSPC);
        assert_non_null(strstr(said, "RootSize=1M is too small for the root partition, its content needs "));
        assert_non_null(strstr(said, "usr (2.0M)"));
}

/* The header has its place before the file system, and is part of the size, whether that was given or not. */
static void test_encrypted(void **state) {
        static const struct {
                const char *argument;
                uint64_t size;
        } cases[] = {
                { "--root-size=32M", 32 * MIB },
                { "-tgpt_squashfs", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine("-Ooutput", "--encrypt=all", cases[i].argument);
                _cleanup_(image_freep) Image *image = make_image(loaded);
                _cleanup_(tree_freep) Tree *tree = tree_of(image);
                _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                uint64_t size = 0, data = 0, hole = 0;

                assert_int_equal(partition_content_write(image, row_of(PARTITION_ROOT), tree, fd, MIB, &size),
                                 0);
                if (cases[i].size > 0)
                        assert_int_equal(size, cases[i].size);
                assert_true(size > LUKS_HEADER_SIZE && size % 4096 == 0);
                assert_int_equal(fd_find_data(fd, 0, MIB + size, &data, &hole), 0);
                assert_true(data >= MIB + LUKS_HEADER_SIZE);
                _cleanup_(freep) char *said =
                        FOREIGN_CHECK("blkid", "-p", "-O17825792", "-ovalue", "-sTYPE", "disk");
                assert_string_equal(said, i == 0 ? "ext4\n" : "squashfs\n");
        }
}

static void test_alone(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "-tplain_squashfs");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(tree_freep) Tree *tree = tree_of(image);
        _cleanup_(fd_closep) int fd = open("alone", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        assert_int_equal(partition_content_write_alone(image, tree, fd), 0);
        _cleanup_(freep) char *said = FOREIGN_CHECK("unsquashfs", "-cat", "alone", "usr/big");
        assert_int_equal(strspn(said, "x"), 2 * MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_write),
                TEST(test_too_small),
                TEST(test_encrypted),
                TEST(test_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
