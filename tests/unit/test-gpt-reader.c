/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/gpt-reader.h"
#include "format/gpt.h"
#include "temporary-directory.h"

#define DISK_SIZE (8 * MIB)
#define ENTRIES   (2 * SECTOR_SIZE)
#define BACKUP    (DISK_SIZE - SECTOR_SIZE)

/* What sfdisk(8) makes of it. */
static void make(void) {
        free(FOREIGN_CHECK(
                "sh", "-c",
                "rm -f disk; truncate -s 8M disk; sfdisk -q disk <<END\n"
                "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\n"
                "start=2048, size=4096, type=U, uuid=11111111-2222-3333-4444-555555555555, name=\"EFI grüße\"\n"
                "start=8192, size=1024, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, attrs=\"GUID:60\"\n"
                "END\n"));
}

static int read_disk(GptDisk *ret, Reason *reason) {
        _cleanup_(fd_closep) int fd = open("disk", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return gpt_read(fd, (uint64_t)lseek(fd, 0, SEEK_END), ret, reason);
}

static void refuse(const char *said) {
        _cleanup_(reason_done) Reason reason = {};
        GptDisk disk;

        assert_int_equal(read_disk(&disk, &reason), -EBADMSG);
        assert_string_equal(reason.text, said);
}

static void assert_uuid(Uuid uuid, const char *expected) {
        char text[UUID_TEXT_SIZE];

        uuid_format(uuid, text);
        assert_string_equal(text, expected);
}

static void test_foreign(void **state) {
        _cleanup_(gpt_disk_done) GptDisk disk = {};

        make();
        assert_int_equal(read_disk(&disk, NULL), 0);
        assert_uuid(disk.uuid, "01234567-89ab-cdef-0123-456789abcdef");
        assert_int_equal(disk.n_entries, 2);
        assert_uuid(disk.entries[0].type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        assert_uuid(disk.entries[0].uuid, "11111111-2222-3333-4444-555555555555");
        assert_string_equal(disk.entries[0].name, "EFI grüße");
        assert_int_equal(disk.entries[0].offset, MIB);
        assert_int_equal(disk.entries[0].size, 2 * MIB);
        assert_int_equal(disk.entries[1].offset, 4 * MIB);
        assert_int_equal(disk.entries[1].size, 512 * KIB);
        assert_true(disk.entries[1].attributes == PARTITION_ATTRIBUTE_READ_ONLY);
        assert_string_equal(disk.entries[1].name, "");
}

/* Changes bytes; those of headers and entries with all check sums put right, on both sides, so that nothing but the change
 * itself can be noticed. */
static void poke(uint64_t offset, const void *bytes, size_t size) {
        _cleanup_(fd_closep) int fd = open("disk", O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(fd_pwrite_all(fd, bytes, size, offset), 0);
}

static void mend(uint64_t header_offset, uint64_t entries_offset) {
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CLOEXEC);
        _cleanup_(freep) uint8_t *entries = malloc(16 * KIB);
        uint8_t header[92];

        assert_true(fd >= 0);
        assert_int_equal(fd_pread_all(fd, entries, 16 * KIB, entries_offset), 0);
        assert_int_equal(fd_pread_all(fd, header, sizeof(header), header_offset), 0);
        const uint32_t entries_sum = (uint32_t)crc32(0, entries, 16 * KIB);
        memcpy(header + 88, &entries_sum, sizeof(entries_sum));
        memset(header + 16, 0, 4);
        const uint32_t sum = (uint32_t)crc32(0, header, sizeof(header));
        memcpy(header + 16, &sum, sizeof(sum));
        assert_int_equal(fd_pwrite_all(fd, header, sizeof(header), header_offset), 0);
}

static void poke_entry(unsigned number, size_t at, const void *bytes, size_t size) {
        poke(ENTRIES + number * 128 + at, bytes, size);
        poke(BACKUP - 16 * KIB + number * 128 + at, bytes, size);
        mend(SECTOR_SIZE, ENTRIES);
        mend(BACKUP, BACKUP - 16 * KIB);
}

static void test_damaged(void **state) {
        static const struct {
                uint64_t offset;
                const char *said;
        } cases[] = {
                { 510, "There is no protective MBR" },
                { 446 + 4, "The MBR does not protect the whole disk" },
                { 446 + 12, "The MBR does not protect the whole disk" },
                { 446 + 16 + 4, "The MBR has other partitions than the protective one" },
                { SECTOR_SIZE, "The primary header is not there" },
                { SECTOR_SIZE + 8, "The primary header is of an unknown revision or size" },
                { SECTOR_SIZE + 60, "The primary header does not have the check sum it says" },
                { ENTRIES + 10, "The primary entries do not have the check sum that their header says" },
                { BACKUP, "The backup header is not there" },
                { BACKUP + 60, "The backup header does not have the check sum it says" },
                { BACKUP - 16 * KIB, "The backup entries do not have the check sum that their header says" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make();
                poke(cases[i].offset, "\x42", 1);
                refuse(cases[i].said);
        }
        make();
        assert_int_equal(truncate("disk", 4 * MIB), 0);
        refuse("The MBR does not protect the whole disk");
        assert_int_equal(truncate("disk", 512), 0);
        refuse("There is no room for a partition table");
}

/* With check sums that fit: headers. */
static void test_lies(void **state) {
        static const struct {
                size_t at;
                const char *bytes;
                size_t size;
                const char *said;
        } cases[] = {
                { 24, "\x02", 1, "The primary header tells of other places than those of the two headers" },
                { 32, "\x05", 1, "The primary header tells of other places than those of the two headers" },
                { 40, "\xff\xff\xff", 3, "The primary header tells of an impossible range for partitions" },
                { 48, "\xff\xff\xff", 3, "The primary header tells of an impossible range for partitions" },
                { 72, "\x01", 1,
                  "The primary header has its entries where partitions are, or outside of the disk" },
                { 72, "\xff\xff", 2,
                  "The primary header has its entries where partitions are, or outside of the disk" },
                { 80, "\x00\x00\x00\x00", 4,
                  "The primary header tells of entries of an impossible number or size" },
                { 80, "\xff\xff\xff\xff", 4,
                  "The primary header tells of entries of an impossible number or size" },
                { 84, "\x7f", 1, "The primary header tells of entries of an impossible number or size" },
                { 56, "\x00", 1, "The partition table and its backup differ" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make();
                poke(SECTOR_SIZE + cases[i].at, cases[i].bytes, cases[i].size);
                mend(SECTOR_SIZE, ENTRIES);
                refuse(cases[i].said);
        }
}

static void test_lying_entries(void **state) {
        static const struct {
                size_t at;
                const char *bytes;
                size_t size;
                const char *said;
        } cases[] = {
                { 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "Partition 2 has no UUID" },
                { 16, "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55", 16,
                  "Partition 2 has the UUID of another one" },
                { 32, "\x00\x10", 2, "Partition 2 overlaps another one" },
                { 32, "\x00\x00", 2, "Partition 2 is not within what the disk has for partitions" },
                { 40, "\xff\xff\xff", 3, "Partition 2 is not within what the disk has for partitions" },
                { 40, "\x00\x10", 2, "Partition 2 is not within what the disk has for partitions" },
                { 56, "\x00\xd8", 2, "The name of partition 2 is no UTF-16" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make();
                poke_entry(1, cases[i].at, cases[i].bytes, cases[i].size);
                refuse(cases[i].said);
        }
}

/* What we write. */
static void test_ours(void **state) {
        const Partition partitions[] = {
                { .type = PARTITION_ESP, .name = "EFI", .size = MIB, .uuid = { { 1 } } },
                { .type = PARTITION_ROOT,
                  .name = "Root",
                  .size = 4096,
                  .uuid = { { 2 } },
                  .attributes = PARTITION_ATTRIBUTE_GROW },
        };
        PartitionTable table = { .disk_uuid = { { 3 } }, .partitions = partitions, .n_partitions = 2 };
        _cleanup_(partition_layout_freep) PartitionLayout *layout = NULL;
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        _cleanup_(gpt_disk_done) GptDisk disk = {};

        assert_int_equal(partition_architecture_find("x86-64", &table.architecture), 0);
        assert_int_equal(partition_table_place(&table, &layout), 0);
        assert_int_equal(ftruncate(fd, (off_t)layout->disk_size), 0);
        assert_int_equal(gpt_write(fd, &table, layout, NULL), 0);
        assert_int_equal(gpt_read(fd, layout->disk_size, &disk, NULL), 0);
        assert_int_equal(disk.n_entries, 2);
        for (size_t i = 0; i < 2; i++) {
                PartitionType type;
                unsigned architecture = UINT_MAX;

                assert_int_equal(partition_type_find(disk.entries[i].type, &type, &architecture), 0);
                assert_int_equal(type, partitions[i].type);
                assert_int_equal(architecture, i == 0 ? UINT_MAX : table.architecture);
                assert_string_equal(disk.entries[i].name, partitions[i].name);
                assert_true(uuid_equal(disk.entries[i].uuid, partitions[i].uuid));
                assert_int_equal(disk.entries[i].offset, layout->places[i].offset);
                assert_int_equal(disk.entries[i].size, partitions[i].size);
                assert_true(disk.entries[i].attributes == partitions[i].attributes);
        }
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_foreign),       TEST(test_damaged), TEST(test_lies),
                TEST(test_lying_entries), TEST(test_ours),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
