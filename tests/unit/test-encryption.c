/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "image/encryption.h"

/* A size that was given is that of the partition; any other grows by the header, to whole sectors of 4096 bytes. */
static void test_sizes(void **state) {
        static const struct {
                Encrypt encrypt;
                PartitionType type;
                uint64_t given, filesystem_size, header_size, partition_size;
        } cases[] = {
                { ENCRYPT_OFF, PARTITION_ROOT, 0, 4608, 0, 4608 },
                { ENCRYPT_DATA, PARTITION_ROOT, 0, 4608, 0, 4608 },
                { ENCRYPT_ALL, PARTITION_ROOT, 0, 4608, 16 * MIB, 16 * MIB + 8192 },
                { ENCRYPT_ALL, PARTITION_ROOT, 0, MIB, 16 * MIB, 17 * MIB },
                { ENCRYPT_ALL, PARTITION_ROOT, 20 * MIB + 512, 4 * MIB, 16 * MIB, 20 * MIB + 512 },
                { ENCRYPT_DATA, PARTITION_HOME, 20 * MIB, 4 * MIB, 16 * MIB, 20 * MIB },
                { ENCRYPT_ALL, PARTITION_SRV, 20 * MIB, 4 * MIB, 16 * MIB, 20 * MIB },
                { ENCRYPT_ALL, PARTITION_ESP, 64 * MIB, 64 * MIB, 0, 64 * MIB },
                { ENCRYPT_ALL, PARTITION_SWAP, 8 * MIB, 8 * MIB, 0, 8 * MIB },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const PartitionRow *row = partition_row_find(cases[i].type);
                Config config = { .encrypt = cases[i].encrypt };

                *(uint64_t *)((char *)&config + row->size) = cases[i].given;
                assert_int_equal(encryption_header_size(&config, row), cases[i].header_size);
                assert_int_equal(encryption_partition_size(&config, row, cases[i].filesystem_size),
                                 cases[i].partition_size);
        }
}

static void test_options(void **state) {
        _cleanup_(loaded_config_freep)
                LoadedConfig *plain = load_fine("--encrypt=all"),
                             *chosen = load_fine("--encrypt=all", "--encrypt-kdf=pbkdf2:5000"),
                             *large = load_fine("--encrypt=all", "--encrypt-kdf-memory=1G");

        LuksOptions options = encryption_options(&plain->config);
        assert_int_equal(options.kdf, LUKS_KDF_ARGON2ID);
        assert_int_equal(options.iterations, 0);
        assert_int_equal(options.memory_size, 0);
        options = encryption_options(&chosen->config);
        assert_int_equal(options.kdf, LUKS_KDF_PBKDF2);
        assert_int_equal(options.iterations, 5000);
        options = encryption_options(&large->config);
        assert_int_equal(options.memory_size, GIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_sizes),
                TEST(test_options),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
