/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "foreign-program.h"
#include "format/filesystem.h"
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

/* Opens a new file of the size that the table takes. */
static int open_disk(const PartitionTable *table, const char *path, PartitionLayout **ret) {
        const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(partition_table_place(table, ret), 0);
        assert_int_equal(ftruncate(fd, (off_t)(*ret)->disk_size), 0);
        return fd;
}

/* Makes such a file with the table in it. */
static void write_disk(const PartitionTable *table, const char *path) {
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = open_disk(table, path, &layout);

        assert_int_equal(gpt_write(fd, table, layout, NULL), 0);
}

static void test_read_back(void **state) {
        _cleanup_(freep) char *json = NULL;
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

        write_disk(example(), "disk");
        json = FOREIGN_CHECK("sfdisk", "--json", "disk");
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (!strstr(json, expected[i])) {
                        (void)puts(json);
                        fail_msg("%s is not there", expected[i]);
                }
}

static void test_judges(void **state) {
        _cleanup_(freep) char *sfdisk = NULL, *sgdisk = NULL, *blkid = NULL;

        write_disk(example(), "disk");
        sfdisk = FOREIGN_CHECK("sfdisk", "--verify", "disk");
        sgdisk = FOREIGN_CHECK("sgdisk", "--verify", "disk");
        blkid = FOREIGN_CHECK("blkid", "--probe", "disk");
        assert_non_null(strstr(sfdisk, "No errors detected."));
        assert_non_null(strstr(sgdisk, "No problems found."));
        assert_non_null(strstr(blkid, "PTUUID=\"01234567-89ab-4cde-8f01-23456789abcd\" PTTYPE=\"gpt\""));
}

static void test_names(void **state) {
        static const uint16_t expected[36] = { 'G', 'r', 0xf6, 0xdf, 'e', ' ', 0x20ac };
        _cleanup_(fd_closep) int fd = -EBADF;
        uint16_t name[36];

        write_disk(example(), "disk");
        fd = open("disk", O_RDONLY | O_CLOEXEC);
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
        write_disk(example(), "one");
        assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
        write_disk(example(), "two");
        free(FOREIGN_CHECK("cmp", "one", "two"));
}

/* The smallest disks are where libfdisk would choose another grain for itself. */
static void test_small(void **state) {
        for (uint64_t n = 0; n <= 3; n++) {
                const Partition partition = { .type = PARTITION_ROOT, .name = "", .size = n * SECTOR_SIZE };
                const PartitionTable table = { .partitions = &partition, .n_partitions = n > 0 };
                _cleanup_(freep) char *json = NULL;

                write_disk(&table, "disk");
                free(FOREIGN_CHECK("sfdisk", "--verify", "disk"));
                json = FOREIGN_CHECK("sfdisk", "--json", "disk");
                assert_int_equal(!!strstr(json, "\"start\": 2048"), n > 0);
        }
}

static void test_many(void **state) {
        Partition partitions[129];
        PartitionTable table = { .partitions = partitions, .n_partitions = 128 };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(reason_done) Reason reason = {};

        for (size_t i = 0; i < ELEMENTSOF(partitions); i++) {
                partitions[i] = (Partition){ .type = PARTITION_SRV, .name = "srv", .size = MIB };
                partitions[i].uuid.bytes[0] = (uint8_t)(i + 1);
        }
        write_disk(&table, "disk");
        free(FOREIGN_CHECK("sfdisk", "--verify", "disk"));

        table.n_partitions++;
        _cleanup_(fd_closep) int fd = open_disk(&table, "disk", &layout);
        assert_int_equal(gpt_write(fd, &table, layout, &reason), -E2BIG);
        assert_non_null(strstr(reason.text, "128"));
}

/* The disk does not have to exist, nor does the end of it have to fit into 32 bits of sectors. */
static void test_large(void **state) {
        const Partition partition = { .type = PARTITION_ROOT, .name = "", .size = UINT64_C(3) << 40 };
        const PartitionTable table = { .partitions = &partition, .n_partitions = 1 };
        _cleanup_(freep) char *verify = NULL;
        struct stat status;

        write_disk(&table, "disk");
        verify = FOREIGN_CHECK("sgdisk", "--verify", "disk");
        assert_non_null(strstr(verify, "No problems found."));
        assert_int_equal(stat("disk", &status), 0);
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
                const char *said;
        } names[] = {
                { "1234567890123456789012345678901234567", -ENAMETOOLONG,
                  "1234567890123456789012345678901234567" },
                { "\xff", -EILSEQ, "?" }, /* terminals may obey bytes that are no UTF-8 */
                { "\U0001f600", -EILSEQ, "\U0001f600" },
        };

        assert_int_equal(partition_table_place(&table, &layout), 0);
        assert_int_equal(ftruncate(fd, (off_t)layout->disk_size), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(reason_done) Reason reason = {};

                partition.name = names[i].name;
                assert_int_equal(gpt_write(fd, &table, layout, &reason), names[i].r);
                assert_non_null(strstr(reason.text, names[i].said));
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
        _cleanup_(fd_closep) int read_only = -EBADF;
        _cleanup_(reason_done) Reason reason = {};

        (void)fd_close(open_disk(table, "disk", &layout));
        read_only = open("disk", O_RDONLY | O_CLOEXEC);
        assert_true(gpt_write(read_only, table, layout, &reason) < 0);
        assert_non_null(strstr(reason.text, "Cannot write the partition table"));
}

/* A disk with its file systems, as an image is made, and as systemd sees it. */
static void test_dissect(void **state) {
        static const char os_release[] = "ID=test\nNAME=Test\nPRETTY_NAME=\"Test 1\"\nVERSION_ID=1\n";
        const FilesystemOptions options = { .uuid = uuid("44444444-89ab-4cde-8f01-23456789abcd"),
                                            .time = 1500000000 };
        Partition partitions[] = {
                { .type = PARTITION_ESP, .name = "ESP System Partition", .size = 40 * MIB },
                { .type = PARTITION_ROOT, .name = "Root Partition", .size = 40 * MIB },
        };
        struct utsname machine;
        const Filesystem *const made[] = { &filesystem_vfat, &filesystem_ext4 };
        PartitionTable table = { .partitions = partitions, .n_partitions = ELEMENTSOF(partitions) };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(freep) char *json = NULL;

        /* It looks for a root of the machine's architecture, and through a loop device. */
        assert_int_equal(uname(&machine), 0);
        if (!text_equal(machine.machine, "x86_64") || access("/dev/loop-control", R_OK | W_OK) < 0)
                skip();

        table.disk_uuid = uuid("01234567-89ab-4cde-8f01-23456789abcd");
        table.architecture = architecture("x86-64");
        partitions[0].uuid = uuid("11111111-89ab-4cde-8f01-23456789abcd");
        partitions[1].uuid = uuid("22222222-89ab-4cde-8f01-23456789abcd");
        _cleanup_(fd_closep) int fd = open_disk(&table, "disk", &layout);
        assert_int_equal(gpt_write(fd, &table, layout, NULL), 0);

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/usr/lib", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "tree/etc", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "tree/usr/lib/os-release", os_release, 0644), 0);
        for (size_t i = 0; i < ELEMENTSOF(made); i++) {
                const FilesystemPlace place = { fd, layout->places[i].offset, layout->places[i].size };
                _cleanup_(tree_freep) Tree *tree = NULL;
                uint64_t size;

                assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
                assert_int_equal(made[i]->make(tree, &options, &place, &size, NULL), 0);
        }

        free(FOREIGN_CHECK("sfdisk", "--verify", "disk"));
        json = FOREIGN_CHECK("systemd-dissect", "--json=short", "disk");
        assert_non_null(strstr(
                json, "\"designator\":\"esp\",\"partition_uuid\":\"11111111-89ab-4cde-8f01-23456789abcd\""));
        assert_non_null(strstr(
                json, "\"designator\":\"root\",\"partition_uuid\":\"22222222-89ab-4cde-8f01-23456789abcd\""));
        assert_non_null(strstr(json, "\"fstype\":\"vfat\""));
        assert_non_null(strstr(json, "\"fstype\":\"ext4\""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_read_back),  unit_test_in_directory(test_judges),
                unit_test_in_directory(test_names),      unit_test_in_directory(test_nothing_else),
                unit_test_in_directory(test_same_bytes), unit_test_in_directory(test_small),
                unit_test_in_directory(test_many),       unit_test_in_directory(test_large),
                unit_test_in_directory(test_refused),    unit_test_in_directory(test_failing_write),
                unit_test_in_directory(test_dissect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
