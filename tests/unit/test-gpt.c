/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "foreign-program.h"
#include "format/gpt.h"
#include "temporary-directory.h"

#define TABLE_SECTORS 33 /* header and 128 entries */

static Uuid uuid(const char *text) {
        Uuid ret;

        assert_int_equal(uuid_parse(text, &ret), 0);
        return ret;
}

static unsigned architecture(const char *name) {
        unsigned ret;

        assert_int_equal(partition_architecture_find(name, &ret), 0);
        return ret;
}

/* One of everything: a name of all 36 units, one with signs of two and three bytes, a size that is no multiple of the grain. */
static const PartitionTable *example(void) {
        static Partition partitions[] = {
                { .type = PARTITION_ESP, .name = "ESP System Partition", .size = 256 * MIB },
                { .type = PARTITION_SWAP, .name = "Größe €", .size = 64 * MIB },
                { .type = PARTITION_HOME,
                  .name = "",
                  .size = SECTOR_SIZE,
                  .attributes = PARTITION_ATTRIBUTE_GROW },
                { .type = PARTITION_ROOT,
                  .name = "Root Partition 567890123456789012345",
                  .size = GIB,
                  .attributes = PARTITION_ATTRIBUTE_READ_ONLY | PARTITION_ATTRIBUTE_GROW },
                { .type = PARTITION_ROOT_VERITY,
                  .name = "Verity Partition",
                  .size = 16528 * SECTOR_SIZE,
                  .attributes = PARTITION_ATTRIBUTE_READ_ONLY },
        };
        static PartitionTable table = { .partitions = partitions, .n_partitions = ELEMENTSOF(partitions) };

        table.disk_uuid = uuid("01234567-89ab-4cde-8f01-23456789abcd");
        table.architecture = architecture("x86-64");
        partitions[0].uuid = uuid("11111111-89ab-4cde-8f01-23456789abcd");
        partitions[1].uuid = uuid("22222222-89ab-4cde-8f01-23456789abcd");
        partitions[2].uuid = uuid("33333333-89ab-4cde-8f01-23456789abcd");
        /* As they come from a root hash: neither version nor variant fit. */
        partitions[3].uuid = uuid("c6aaacf6-54ed-7505-0465-7228b2b8826a");
        partitions[4].uuid = uuid("20bf83c6-0bb5-9856-e5c6-ba59d7c0b6a1");
        return &table;
}

/* Writes the table into a new file of its size, and leaves the file and the layout behind. */
static int write_disk(const PartitionTable *table, const char *path, PartitionLayout **ret) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(partition_table_place(table, ret), 0);
        assert_int_equal(ftruncate(fd, (off_t)(*ret)->disk_size), 0);
        assert_int_equal(gpt_write(fd, table, *ret, NULL), 0);
        return fd;
}

static void test_read_back(void **state) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = write_disk(example(), "disk", &layout);
        _cleanup_(freep) char *json = FOREIGN_CHECK("sfdisk", "--json", "disk");
        static const char *const expected[] = {
                "\"label\": \"gpt\"",
                "\"id\": \"01234567-89AB-4CDE-8F01-23456789ABCD\"",
                "\"firstlba\": 2048",
                "\"sectorsize\": 512",
                "\"start\": 2048,\n            \"size\": 524288,\n"
                "            \"type\": \"C12A7328-F81F-11D2-BA4B-00A0C93EC93B\",\n"
                "            \"uuid\": \"11111111-89AB-4CDE-8F01-23456789ABCD\",\n"
                "            \"name\": \"ESP System Partition\"\n",
                "\"start\": 526336,\n            \"size\": 131072,\n"
                "            \"type\": \"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F\",\n"
                "            \"uuid\": \"22222222-89AB-4CDE-8F01-23456789ABCD\",\n"
                "            \"name\": \"Größe €\"\n",
                "\"start\": 657408,\n            \"size\": 1,\n"
                "            \"type\": \"933AC7E1-2EB4-4F13-B844-0E14E2AEF915\",\n"
                "            \"uuid\": \"33333333-89AB-4CDE-8F01-23456789ABCD\",\n"
                "            \"attrs\": \"GUID:59\"\n",
                "\"start\": 659456,\n            \"size\": 2097152,\n"
                "            \"type\": \"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709\",\n"
                "            \"uuid\": \"C6AAACF6-54ED-7505-0465-7228B2B8826A\",\n"
                "            \"name\": \"Root Partition 567890123456789012345\",\n"
                "            \"attrs\": \"GUID:59,60\"\n",
                "\"start\": 2756608,\n            \"size\": 16528,\n"
                "            \"type\": \"2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5\",\n"
                "            \"uuid\": \"20BF83C6-0BB5-9856-E5C6-BA59D7C0B6A1\",\n"
                "            \"name\": \"Verity Partition\",\n"
                "            \"attrs\": \"GUID:60\"\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (!strstr(json, expected[i])) {
                        (void)puts(json);
                        fail_msg("%s is not there", expected[i]);
                }
}

static void test_judges(void **state) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = write_disk(example(), "disk", &layout);
        _cleanup_(freep) char *sfdisk = FOREIGN_CHECK("sfdisk", "--verify", "disk");
        _cleanup_(freep) char *sgdisk = FOREIGN_CHECK("sgdisk", "--verify", "disk");
        _cleanup_(freep) char *blkid = FOREIGN_CHECK("blkid", "--probe", "disk");

        assert_non_null(strstr(sfdisk, "No errors detected."));
        assert_non_null(strstr(sgdisk, "No problems found."));
        assert_non_null(strstr(blkid, "PTUUID=\"01234567-89ab-4cde-8f01-23456789abcd\" PTTYPE=\"gpt\""));
}

static void test_names(void **state) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = write_disk(example(), "disk", &layout);
        static const uint16_t expected[36] = { 'G', 'r', 0xf6, 0xdf, 'e', ' ', 0x20ac };
        uint16_t name[36];

        assert_int_equal(fd_pread_all(fd, name, sizeof(name), 2 * 512 + 128 + 56), 0);
        for (size_t i = 0; i < ELEMENTSOF(name); i++)
                assert_int_equal(le16toh(name[i]), expected[i]);
}

/* Whatever lay in the file stays there, but for the first 34 and the last 33 sectors. */
static void test_nothing_else(void **state) {
        static const Partition partition = { .type = PARTITION_ROOT, .name = "root", .size = 3 * MIB };
        const PartitionTable table = { .partitions = &partition, .n_partitions = 1 };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(freep) uint8_t *before = NULL, *after = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        const size_t first = 512 * (1 + TABLE_SECTORS);

        assert_int_equal(partition_table_place(&table, &layout), 0);
        const size_t size = layout->disk_size, last = size - 512 * TABLE_SECTORS;

        before = malloc(size);
        after = malloc(size);
        assert_true(before && after);
        memset(before, 0xa5, size);
        fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(fd_pwrite_all(fd, before, size, 0), 0);

        assert_int_equal(gpt_write(fd, &table, layout, NULL), 0);
        assert_int_equal(fd_pread_all(fd, after, size, 0), 0);
        assert_memory_equal(after + first, before + first, last - first);
        assert_memory_not_equal(after, before, first);
        assert_memory_not_equal(after + last, before + last, size - last);
        assert_int_equal(lseek(fd, 0, SEEK_END), size);
}

static void test_same_bytes(void **state) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL, *again = NULL;
        _cleanup_(fd_closep) int fd = write_disk(example(), "one", &layout), other = -EBADF;

        assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
        other = write_disk(example(), "two", &again);
        free(FOREIGN_CHECK("cmp", "one", "two"));
}

/* The smallest disks are where libfdisk would choose another grain for itself. */
static void test_small(void **state) {
        for (uint64_t n = 0; n <= 3; n++) {
                const Partition partition = { .type = PARTITION_ROOT, .name = "", .size = n * SECTOR_SIZE };
                const PartitionTable table = { .partitions = &partition, .n_partitions = n > 0 };
                _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
                _cleanup_(fd_closep) int fd = write_disk(&table, "disk", &layout);
                _cleanup_(freep) char *verify = FOREIGN_CHECK("sfdisk", "--verify", "disk");
                _cleanup_(freep) char *json = FOREIGN_CHECK("sfdisk", "--json", "disk");

                assert_int_equal(!!strstr(json, "\"start\": 2048"), n > 0);
        }
}

static void test_many(void **state) {
        Partition partitions[129];
        PartitionTable table = { .partitions = partitions, .n_partitions = 128 };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL, *large = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *verify = NULL;

        for (size_t i = 0; i < ELEMENTSOF(partitions); i++) {
                partitions[i] = (Partition){ .type = PARTITION_SRV, .name = "srv", .size = MIB };
                partitions[i].uuid.bytes[0] = (uint8_t)(i + 1);
        }
        _cleanup_(fd_closep) int fd = write_disk(&table, "disk", &layout);
        verify = FOREIGN_CHECK("sfdisk", "--verify", "disk");

        table.n_partitions++;
        assert_int_equal(partition_table_place(&table, &large), 0);
        assert_int_equal(ftruncate(fd, (off_t)large->disk_size), 0);
        assert_int_equal(gpt_write(fd, &table, large, &reason), -E2BIG);
        assert_non_null(strstr(reason.text, "128"));
}

/* The disk does not have to exist, nor does the end of it have to fit into 32 bits of sectors. */
static void test_large(void **state) {
        const Partition partition = { .type = PARTITION_ROOT, .name = "", .size = UINT64_C(3) << 40 };
        const PartitionTable table = { .partitions = &partition, .n_partitions = 1 };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = write_disk(&table, "disk", &layout);
        _cleanup_(freep) char *verify = FOREIGN_CHECK("sgdisk", "--verify", "disk");
        struct stat status;

        assert_non_null(strstr(verify, "No problems found."));
        assert_int_equal(fstat(fd, &status), 0);
        assert_true(status.st_blocks * 512 < 128 * 1024);
}

static void test_refused(void **state) {
        Partition partition = { .type = PARTITION_ROOT, .size = MIB };
        const PartitionTable table = { .partitions = &partition, .n_partitions = 1 };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644), null = -EBADF;
        static const struct {
                const char *name;
                int r;
        } names[] = {
                { "1234567890123456789012345678901234567", -ENAMETOOLONG },
                { "\xff", -EILSEQ },
                { "\U0001f600", -EILSEQ },
        };

        assert_int_equal(partition_table_place(&table, &layout), 0);
        assert_int_equal(ftruncate(fd, (off_t)layout->disk_size), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(reason_done) Reason reason = {};

                partition.name = names[i].name;
                assert_int_equal(gpt_write(fd, &table, layout, &reason), names[i].r);
                assert_non_null(strstr(reason.text, names[i].name));
        }

        partition.name = "";
        assert_int_equal(ftruncate(fd, (off_t)layout->disk_size - 1), 0);
        assert_int_equal(gpt_write(fd, &table, layout, NULL), -EINVAL);
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        assert_int_equal(gpt_write(null, &table, layout, NULL), -EINVAL);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* it is still the caller's */
}

static void test_failing_write(void **state) {
        const PartitionTable *table = example();
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = write_disk(table, "disk", &layout), read_only = -EBADF;
        _cleanup_(reason_done) Reason reason = {};

        read_only = open("disk", O_RDONLY | O_CLOEXEC);
        assert_true(gpt_write(read_only, table, layout, &reason) < 0);
        assert_non_null(strstr(reason.text, "Cannot write the partition table"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_read_back),  unit_test_in_directory(test_judges),
                unit_test_in_directory(test_names),      unit_test_in_directory(test_nothing_else),
                unit_test_in_directory(test_same_bytes), unit_test_in_directory(test_small),
                unit_test_in_directory(test_many),       unit_test_in_directory(test_large),
                unit_test_in_directory(test_refused),    unit_test_in_directory(test_failing_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
