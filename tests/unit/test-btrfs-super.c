/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "btrfs-fixture.h"

/* Writes the super block of an image of the size, with so many system chunks. */
static int write_super(Ground *ground, uint64_t size, size_t n_system, const FilesystemOptions *with) {
        _cleanup_(tree_freep) Tree *tree = load_tree();
        _cleanup_(btrfs_plan_freep) BtrfsPlan *plan = make_plan(tree, with);
        _cleanup_(btrfs_image_done) BtrfsImage image = {};
        uint64_t start, taken;

        ground_init(ground);
        assert_int_equal(btrfs_image_init(&image, plan, NULL), 0);
        for (size_t i = 0; i < n_system; i++) {
                assert_int_equal(btrfs_space_open(&ground->space, BTRFS_BLOCK_GROUP_SYSTEM), 0);
                assert_int_equal(btrfs_space_take(&ground->space, BTRFS_BLOCK_GROUP_SYSTEM, 16384, 16384,
                                                  &start, &taken),
                                 0);
                btrfs_space_close(&ground->space, 0);
        }
        image.space = &ground->space;
        image.total_size = size;
        image.device_uuid = (Uuid){ { 5 } };
        *btrfs_image_root(&image, BTRFS_ROOT_TREE_OBJECTID) = (BtrfsRoot){ 1, 77 * MIB, 1, 2 };
        *btrfs_image_root(&image, BTRFS_CHUNK_TREE_OBJECTID) = (BtrfsRoot){ 3, 78 * MIB, 1, 1 };
        *btrfs_image_root(&image, BTRFS_CSUM_TREE_OBJECTID) = (BtrfsRoot){ 7, 79 * MIB, 1, 3 };
        const int r = btrfs_super_write(&image, &ground->output);
        return r < 0 ? r : btrfs_output_flush(&ground->output);
}

static void read_super(const Ground *ground, uint64_t address, BtrfsSuper *ret) {
        uint32_t sum;

        assert_int_equal(fd_pread_all(ground->place.fd, ret, sizeof(*ret), address), 0);
        memcpy(&sum, ret->checksum, sizeof(sum));
        assert_int_equal(le32toh(sum), ~crc32c(UINT32_MAX, (const uint8_t *)ret + 32, sizeof(*ret) - 32));
        assert_int_equal(le64toh(ret->address), address);
}

static void test_fields(void **state) {
        _cleanup_(ground_done) Ground ground;
        BtrfsSuper super;

        assert_int_equal(write_super(&ground, 50 * MIB, 1, &options), 0);
        read_super(&ground, 65536, &super);
        assert_memory_equal(&super.magic, "_BHRfS_M", 8);
        assert_string_equal(super.label, "label");
        assert_memory_equal(super.fsid, options.uuid.bytes, 16);
        assert_int_equal(super.device.uuid[0], 5);
        assert_int_equal(le64toh(super.total_size), 50 * MIB);
        assert_int_equal(le64toh(super.used_size), 16384);
        assert_int_equal(le64toh(super.root_tree), 77 * MIB);
        assert_int_equal(super.root_tree_level, 2);
        assert_int_equal(le64toh(super.chunk_tree), 78 * MIB);
        assert_int_equal(super.chunk_tree_level, 1);
        assert_int_equal(le64toh(super.backups[0].checksum_tree), 79 * MIB);
        assert_int_equal(super.backups[0].checksum_tree_level, 3);
        assert_int_equal(le32toh(super.system_array_size), 97);
        assert_int_equal(le64toh(super.incompat_flags), 0x361);
        assert_int_equal(le64toh(super.compat_read_only_flags), 3);

        const struct btrfs_chunk *chunk = (const void *)(super.system_array + sizeof(struct btrfs_disk_key));
        assert_int_equal(le64toh(chunk->stripe.offset), MIB);
}

/* As many copies as there is room for. */
static void test_copies(void **state) {
        static const struct {
                uint64_t size;
                size_t n;
        } cases[] = {
                { 10 * MIB, 1 },  { 64 * MIB + 4096, 1 }, { 64 * MIB + 8192, 2 },
                { 256 * GIB, 2 }, { 257 * GIB, 3 },
        };
        static const uint64_t addresses[] = { 65536, BTRFS_MIRROR_1, BTRFS_MIRROR_2 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(ground_done) Ground ground;
                BtrfsSuper super;
                struct stat status;

                assert_int_equal(write_super(&ground, cases[i].size, 1, &options), 0);
                for (size_t k = 0; k < cases[i].n; k++)
                        read_super(&ground, addresses[k], &super);
                assert_int_equal(fstat(ground.place.fd, &status), 0);
                assert_int_equal(status.st_size, addresses[cases[i].n - 1] + 4096);
        }
}

static void test_flags(void **state) {
        static const struct {
                Compression compression;
                uint64_t flag;
        } cases[] = {
                { COMPRESSION_NONE, 0 },
                { COMPRESSION_ZLIB, 0 },
                { COMPRESSION_LZO, BTRFS_FEATURE_INCOMPAT_COMPRESS_LZO },
                { COMPRESSION_ZSTD, BTRFS_FEATURE_INCOMPAT_COMPRESS_ZSTD },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(ground_done) Ground ground;
                FilesystemOptions with = options;
                BtrfsSuper super;

                with.compression = cases[i].compression;
                with.label = NULL;
                assert_int_equal(write_super(&ground, MIB, 1, &with), 0);
                read_super(&ground, 65536, &super);
                assert_int_equal(le64toh(super.incompat_flags), 0x361 | cases[i].flag);
                assert_string_equal(super.label, "");
        }
}

/* The super block has room for 21 chunks. */
static void test_system_array(void **state) {
        _cleanup_(ground_done) Ground ground, other;
        BtrfsSuper super;

        assert_int_equal(write_super(&ground, MIB, 21, &options), 0);
        read_super(&ground, 65536, &super);
        assert_int_equal(le32toh(super.system_array_size), 21 * 97);
        assert_int_equal(write_super(&other, MIB, 22, &options), -EFBIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_fields),
                unit_test_with_tree(test_copies),
                unit_test_with_tree(test_flags),
                unit_test_with_tree(test_system_array),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
