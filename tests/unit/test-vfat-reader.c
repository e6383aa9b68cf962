/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/tree.h"
#include "format/filesystem.h"
#include "temporary-directory.h"
#include "vfat-image.h"

/* One sector of 512 bytes is a cluster, and the tables of FAT16 begin in sector 1 unless said otherwise. */
#define SECTOR 512

static void assert_file(const VfatReader *reader, const char *path, const char *original) {
        const VfatFile *file = vfat_reader_find(reader, path);
        _cleanup_(fd_closep) int fd = memfd_create("copy", MFD_CLOEXEC);
        _cleanup_(freep) char *copy = NULL, *expected = NULL;
        size_t size, expected_size;

        assert_non_null(file);
        assert_false(file->directory);
        assert_int_equal(vfat_reader_copy(reader, file, fd), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_file(fd, MIB, &copy, &size), 0);
        assert_int_equal(file_read(AT_FDCWD, original, MIB, &expected, &expected_size), 0);
        assert_int_equal(size, expected_size);
        assert_int_equal(size, file->size);
        assert_memory_equal(copy, expected, size);
}

/* What others make, in all kinds: names long and short, fragments, an empty file, deleted ones. */
static void test_foreign(void **state) {
        static const struct { unsigned bits, kib; } cases[] = { { 12, 1440 }, { 16, 16384 }, { 32, 66560 } };
        static const char script[] =
                "seq 20000 >numbers; echo x >x; : >empty\n"
                "mmd -i image ::/EFI ::/EFI/Boot ::/loader ::/loader/entries\n"
                "mcopy -i image x '::/a file with a long name.conf'\n"
                "mcopy -i image x ::/gone1; mcopy -i image x ::/stays; mcopy -i image x ::/gone2; mdel -i image ::/gone1 ::/gone2\n"
                "mcopy -i image numbers ::/EFI/Boot/BOOTX64.EFI\n"
                "mcopy -i image empty ::/EFI/empty; mcopy -i image x ::/loader/entries/lower.txt\n"
                "mcopy -i image x '::/grüße €.txt'; mlabel -i image ::ESP\n";

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                vfat_image_make(cases[i].bits, cases[i].kib, script);
                VfatReader *reader = vfat_image_read_well();
                _cleanup_(freep) VfatExtent *extents = NULL;
                uint64_t total = 0;
                size_t n;

                assert_int_equal(reader->bits, cases[i].bits);
                assert_int_equal(reader->n_files, 10);
                assert_file(reader, "efi/boot/bootx64.efi", "numbers");
                assert_file(reader, "a file with a long name.conf", "x");
                assert_file(reader, "EFI/empty", "empty");
                assert_file(reader, "loader/entries/lower.txt", "x");
                assert_file(reader, "grüße €.txt", "x");
                assert_true(vfat_reader_find(reader, "EFI/Boot")->directory);
                assert_string_equal(vfat_reader_find(reader, "EFI/BOOT/bootx64.efi")->path,
                                    "EFI/Boot/BOOTX64.EFI");
                assert_null(vfat_reader_find(reader, "gone1"));

                /* The hole that a deleted file left comes first. */
                assert_int_equal(vfat_reader_locate(reader, vfat_reader_find(reader, "EFI/Boot/BOOTX64.EFI"),
                                                    &extents, &n),
                                 0);
                for (size_t k = 0; k < n; k++)
                        total += extents[k].size;
                assert_int_equal(total, vfat_reader_find(reader, "EFI/Boot/BOOTX64.EFI")->size);
                vfat_image_done(reader);
        }
}

/* What we write, at an offset. */
static void test_ours(void **state) {
        const FilesystemOptions options = { .label = "EFI", .time = 1600000000 };
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        _cleanup_(vfat_reader_freep) VfatReader *reader = NULL;
        _cleanup_(freep) VfatExtent *extents = NULL;
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(freep) char *piece = NULL;
        uint64_t size = 64 * MIB;
        size_t n;

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/EFI/Linux", 0755), 0);
        free(FOREIGN_CHECK(
                "sh", "-c",
                "seq 30000 >tree/EFI/Linux/linux-6.1.0-18-amd64.efi; echo timeout 3 >tree/loader.conf"));
        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        assert_int_equal(filesystem_vfat.make(tree, &options,
                                              &(FilesystemPlace){ .fd = fd, .offset = MIB, .size = size },
                                              &size, NULL),
                         0);
        assert_int_equal(vfat_reader_new(fd, MIB, size, &reader, NULL), 0);
        assert_int_equal(reader->bits, 32);
        assert_int_equal(reader->n_files, 4);
        assert_file(reader, "EFI/Linux/linux-6.1.0-18-amd64.efi", "tree/EFI/Linux/linux-6.1.0-18-amd64.efi");

        /* In one piece, and there. */
        assert_int_equal(vfat_reader_locate(reader, vfat_reader_find(reader, "loader.conf"), &extents, &n),
                         0);
        assert_int_equal(n, 1);
        assert_int_equal(extents[0].size, strlen("timeout 3\n"));
        piece = calloc(1, extents[0].size + 1);
        assert_int_equal(fd_pread_all(fd, piece, extents[0].size, MIB + extents[0].offset), 0);
        assert_string_equal(piece, "timeout 3\n");
}

static void make_small(void) {
        vfat_image_make(
                16, 16384,
                "seq 1000 >numbers; mcopy -i image numbers ::/NUMBERS; echo x >x; mcopy -i image x ::/X");
}

/* Boot sectors that lie. */
static void test_boot_sector(void **state) {
        static const struct {
                unsigned offset;
                const char *bytes;
                size_t size;
                const char *said;
        } cases[] = {
                { 510, "\0", 1, "The boot sector has no signature: there is no FAT file system" },
                { 11, "\x00\x01", 2,
                  "The boot sector tells of sectors of an impossible size: there is no FAT file system" },
                { 11, "\x01\x02", 2,
                  "The boot sector tells of sectors of an impossible size: there is no FAT file system" },
                { 13, "\x00", 1, "The boot sector tells of clusters of an impossible size" },
                { 13, "\x03", 1, "The boot sector tells of clusters of an impossible size" },
                { 14, "\x00\x00", 2, "The boot sector leaves no room for files" },
                { 14, "\xff\xff", 2, "The boot sector leaves no room for files" },
                { 16, "\x00", 1, "The boot sector tells of 0 file allocation tables" },
                { 16, "\x09", 1, "The boot sector tells of 9 file allocation tables" },
                { 17, "\x00\x00", 2, "The boot sector tells of a root directory of another kind of FAT" },
                { 19, "\xff\xff", 2,
                  "The boot sector tells of 33553920 bytes, and there are no more than 16777216: it is cut off" },
                { 19, "\x00\x00\xf8\x00\x00", 5, "The boot sector leaves no room for files" },
                { 22, "\x01\x00", 2, "The boot sector tells of a file allocation table that is too small" },
                { 21, "\xf7", 1, "The boot sector tells of a medium that there is not" },
                { 21, "\xf0", 1, "The file allocation table is of another medium than the boot sector" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make_small();
                vfat_image_poke(cases[i].offset, cases[i].bytes, cases[i].size);
                vfat_image_refuse(cases[i].said);
        }
        make_small();
        assert_int_equal(truncate("image", 16384 * 1024 - SECTOR), 0);
        vfat_image_refuse(
                "The boot sector tells of 16777216 bytes, and there are no more than 16776704: it is cut off");
        assert_int_equal(truncate("image", 100), 0);
        vfat_image_refuse("There is no room for a FAT file system");
}

/* Where the first table of the image is, and how long it is. */
static void find_tables(uint64_t *ret_first, uint64_t *ret_size) {
        _cleanup_(freep) char *data = NULL;

        assert_int_equal(file_read(AT_FDCWD, "image", 64 * MIB, &data, &(size_t){ 0 }), 0);
        *ret_first = (uint64_t)(uint8_t)data[14] * SECTOR;
        *ret_size = ((uint64_t)(uint8_t)data[22] | (uint64_t)(uint8_t)data[23] << 8) * SECTOR;
}

/* Sets the number behind a cluster in both tables. */
static void set_next(uint32_t cluster, uint16_t number) {
        const uint8_t bytes[] = { (uint8_t)number, (uint8_t)(number >> 8) };
        uint64_t first, size;

        find_tables(&first, &size);
        vfat_image_poke(first + 2 * cluster, bytes, sizeof(bytes));
        vfat_image_poke(first + size + 2 * cluster, bytes, sizeof(bytes));
}

static void test_table(void **state) {
        uint64_t first, size;

        make_small();
        find_tables(&first, &size);
        vfat_image_poke(first + 8, "\x01", 1);
        vfat_image_refuse("The file allocation table and its copy differ");

        /* Behind the last cluster's number too. */
        make_small();
        vfat_image_poke(first + 2 * size - 1, "\x01", 1);
        vfat_image_refuse("The file allocation table and its copy differ");

        make_small();
        set_next(0, 0xfff0);
        vfat_image_refuse("The file allocation table is of another medium than the boot sector");
        make_small();
        set_next(1, 0xfffe);
        vfat_image_refuse("The file allocation table does not begin as it should");
        /* Marks of being in use. */
        make_small();
        set_next(1, 0x3fff);
        vfat_image_done(vfat_image_read_well());

        make_small();
        set_next(2000, 60000);
        vfat_image_refuse("The file allocation table has cluster 60000 behind 2000, which there is not");
        make_small();
        set_next(2000, 1);
        vfat_image_refuse("The file allocation table has cluster 1 behind 2000, which there is not");
        make_small();
        set_next(2000, 0xffff);
        vfat_image_refuse("1 clusters are taken, but by no file");
        /* A bad cluster is fine where nobody uses it. */
        make_small();
        set_next(2000, 0xfff7);
        vfat_image_done(vfat_image_read_well());
}

static void test_chains(void **state) {
        static const struct {
                uint16_t number;
                const char *said;
        } cases[] = {
                { 2, "The chain of NUMBERS meets another, or itself, in cluster 2" },
                { 0, "The chain of NUMBERS leads to a free or bad cluster, or to none" },
                { 0xfff7, "The chain of NUMBERS leads to a free or bad cluster, or to none" },
                { 0xffff, "The chain of NUMBERS is shorter than the size of the file wants" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                make_small();
                set_next(2, cases[i].number);
                vfat_image_refuse(cases[i].said);
        }
        /* The file X is behind it, of one cluster: it takes the one behind as well. */
        make_small();
        VfatReader *reader = vfat_image_read_well();
        const uint32_t cluster = vfat_reader_find(reader, "X")->cluster;
        vfat_image_done(reader);
        set_next(cluster, (uint16_t)(cluster + 1));
        set_next(cluster + 1, 0xffff);
        vfat_image_refuse("The chain of X is longer than the size of the file wants");
}

/* Whatever the kind of FAT; of the label one is in the boot sector, the other in the root directory. */
static void test_labels(void **state) {
        static const char other[] = "The boot sector has another label than the root directory";
        static const struct {
                unsigned bits, kib, at;
        } cases[] = { { 12, 1440, 43 }, { 16, 16384, 43 }, { 32, 66560, 71 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                vfat_image_make(cases[i].bits, cases[i].kib, "mlabel -i image ::ESP >/dev/null");
                VfatReader *reader = vfat_image_read_well();
                assert_true(reader->has_label);
                assert_memory_equal(reader->label, "ESP        ", sizeof(reader->label));
                vfat_image_done(reader);
                if (cases[i].bits == 32) /* the copy of the boot sector would differ first */
                        vfat_image_poke(6 * SECTOR + cases[i].at, "ESX", 3);
                vfat_image_poke(cases[i].at, "ESX", 3);
                vfat_image_refuse(other);

                /* Without one in the directory; and without one in the boot sector, as some systems leave it. */
                vfat_image_make(cases[i].bits, cases[i].kib, "");
                if (cases[i].bits == 32)
                        vfat_image_poke(6 * SECTOR + cases[i].at, "ESP    ", 7);
                vfat_image_poke(cases[i].at, "ESP    ", 7);
                vfat_image_refuse(other);
                vfat_image_make(cases[i].bits, cases[i].kib, "mlabel -i image ::ESP >/dev/null");
                if (cases[i].bits == 32)
                        vfat_image_poke(6 * SECTOR + cases[i].at, "NO NAME    ", 11);
                vfat_image_poke(cases[i].at, "NO NAME    ", 11);
                vfat_image_done(vfat_image_read_well());
        }
}

/* What others than mkfs.fat(8) make. */
static void test_mformat(void **state) {
        static const char *const options[] = { "-f 1440", "-T 32768", "-T 32768 -v LABEL", "-F -T 131072",
                                               "-F -T 131072 -v LABEL -c 1" };

        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                char script[512];

                (void)snprintf(
                        script, sizeof(script),
                        "rm image; mformat -i image -C %s ::; seq 1000 >x\n"
                        "mmd -i image ::/EFI; mcopy -i image x ::/EFI/file; mcopy -i image x ::/y; mdel -i image ::/y",
                        options[i]);
                vfat_image_make(16, 16384, script);
                VfatReader *reader = vfat_image_read_well();
                assert_int_equal(reader->n_files, 2);
                vfat_image_done(reader);
        }
}

/* What only FAT32 has. */
static void test_fat32(void **state) {
        static const struct {
                unsigned offset;
                const char *bytes;
                const char *said;
        } cases[] = {
                { 3, "other", "The boot sector and its copy in sector 6 differ" },
                { SECTOR, "X", "The sector FSInfo has other signatures than it should" },
                { SECTOR + 488 + 3, "\x7f",
                  "The sector FSInfo counts 2130837471 free clusters, and there are 131039" },
                { SECTOR + 488, "\x01",
                  "The sector FSInfo counts 130817 free clusters, and there are 131039" },
                { SECTOR + 492 + 2, "\x7f",
                  "The sector FSInfo has free clusters begin at 8323074, which there is not" },
                { SECTOR + 492, "\x01",
                  "The sector FSInfo has free clusters begin at 1, which there is not" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                vfat_image_make(32, 66560, "");
                vfat_image_poke(cases[i].offset, cases[i].bytes, strlen(cases[i].bytes));
                vfat_image_refuse(cases[i].said);
        }
        /* That it is in use is told in one copy only, and in the tables; what is not known need not be told. */
        vfat_image_make(32, 66560, "");
        vfat_image_poke(0x41, "\x01", 1);
        vfat_image_poke(32 * SECTOR + 7, "\x07", 1);
        vfat_image_poke((32 + 1024) * SECTOR + 7, "\x07", 1);
        vfat_image_poke(SECTOR + 488, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
        vfat_image_done(vfat_image_read_well());
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_foreign), TEST(test_ours),  TEST(test_boot_sector), TEST(test_table),
                TEST(test_chains),  TEST(test_fat32), TEST(test_labels),      TEST(test_mformat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
