/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"

#include "foreign-program.h"
#include "image/partition-content.h"
#include "image/root-verity.h"

#define DATA_SIZE (3 * MIB)

/* A disk with a root partition of noise, behind which the tree comes. */
static void fill_disk(Image *image, int fd) {
        _cleanup_(freep) uint8_t *bytes = malloc(DATA_SIZE);
        uint32_t number = 1;

        for (size_t i = 0; i < DATA_SIZE; i++) {
                number = number * 1664525 + 1013904223;
                bytes[i] = (uint8_t)(number >> 24);
        }
        assert_int_equal(fd_pwrite_all(fd, bytes, DATA_SIZE, MIB), 0);
        image->disk.partitions[0] = (Partition){ .type = PARTITION_ROOT, .name = "Root", .size = DATA_SIZE };
        image->disk.table.partitions = image->disk.partitions;
        image->disk.table.n_partitions = 1;
}

static void cut(const char *name, size_t skip, size_t count) {
        _cleanup_(freep) char *out = NULL, *from = NULL, *size = NULL;

        assert_int_equal(text_format(&out, "of=%s", name), 0);
        assert_int_equal(text_format(&from, "skip=%zu", skip), 0);
        assert_int_equal(text_format(&size, "count=%zu", count), 0);
        free(FOREIGN_CHECK("dd", "if=disk", out, "bs=4096", "status=none", from, size));
}

/* veritysetup takes the tree, and the UUIDs are the halves of the root hash. */
static void test_write(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--verity");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char digits[2 * SHA256_SIZE + 1], data[UUID_TEXT_SIZE], hash[UUID_TEXT_SIZE];
        Partition partition = { .type = PARTITION_ROOT_VERITY, .name = "Verity" };

        fill_disk(image, fd);
        assert_int_equal(root_verity_write(image, fd, 4 * MIB, &partition), 0);
        assert_true(image->has_root_hash);
        /* The superblock, one block above, and 6 for 768 blocks of data. */
        assert_int_equal(partition.size, 8 * 4096);

        cut("root", 256, 768);
        cut("tree", 1024, 8);
        sha256_format(&image->root_hash, digits);
        free(FOREIGN_CHECK("veritysetup", "verify", "root", "tree", digits));
        uuid_format(image->disk.partitions[0].uuid, data);
        uuid_format(partition.uuid, hash);
        assert_memory_equal(data, digits, 8);
        assert_memory_equal(hash, digits + 32, 8);
        assert_memory_equal(hash + 24, digits + 52, 12);
}

/* Two seeds make two salts, and so two root hashes; the same seed makes the same. */
static void test_seed(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--verity");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        Partition partition = { .type = PARTITION_ROOT_VERITY, .name = "Verity" };
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        Sha256Digest first;

        fill_disk(image, fd);
        assert_int_equal(root_verity_write(image, fd, 4 * MIB, &partition), 0);
        first = image->root_hash;
        assert_int_equal(root_verity_write(image, fd, 4 * MIB, &partition), 0);
        assert_memory_equal(&first, &image->root_hash, sizeof(first));
        image->seed.bytes[3] ^= 1;
        assert_int_equal(root_verity_write(image, fd, 4 * MIB, &partition), 0);
        assert_memory_not_equal(&first, &image->root_hash, sizeof(first));
}

static void test_command_line(void **state) {
        Config config = { .kernel_command_line = (char *)"quiet ro" };
        Image image = { .config = &config };
        _cleanup_(freep) char *plain = NULL, *with = NULL, *only = NULL;

        assert_int_equal(root_verity_command_line(&image, &plain), 0);
        assert_string_equal(plain, "quiet ro");
        image.has_root_hash = true;
        image.root_hash.bytes[0] = 0xab;
        assert_int_equal(root_verity_command_line(&image, &with), 0);
        assert_memory_equal(with, "quiet ro roothash=ab0000", 24);
        assert_int_equal(strlen(with), 9 + 9 + 64);
        config.kernel_command_line = NULL;
        assert_int_equal(root_verity_command_line(&image, &only), 0);
        assert_memory_equal(only, "roothash=ab00", 13);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_write),
                TEST(test_seed),
                TEST(test_command_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
