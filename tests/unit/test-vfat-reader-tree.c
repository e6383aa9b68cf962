/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "format/vfat-disk.h"
#include "temporary-directory.h"
#include "vfat-image.h"

#define NAME "a rather long name.txt" /* two pieces, in front of its short entry */

/* The root has: two pieces of a long name, the short entry, the directory D, the file F. */
enum { PIECE_LAST, PIECE_FIRST, SHORT, DIRECTORY, FILE_ENTRY };

static uint64_t root_offset, directory_offset;

static void make(void) {
        vfat_image_make(16, 16384,
                        "echo x >x; mcopy -i image x '::/" NAME
                        "'; mmd -i image ::/D; mcopy -i image x ::/F");
        VfatReader *reader = vfat_image_read_well();

        assert_int_equal(reader->n_files, 3);
        assert_string_equal(reader->files[0].path, NAME);
        root_offset = reader->root_offset;
        directory_offset = reader->data_offset +
                           (uint64_t)(reader->files[1].cluster - VFAT_CLUSTER_FIRST) * reader->cluster_size;
        vfat_image_done(reader);
}

static void poke_entry(unsigned entry, size_t at, const char *bytes, size_t size) {
        vfat_image_poke(root_offset + (uint64_t)entry * VFAT_ENTRY_SIZE + at, bytes, size);
}

#define SHORT_AT(member) offsetof(VfatShortEntry, member)
#define LONG_AT(member)  offsetof(VfatLongEntry, member)

static const struct {
        unsigned entry;
        size_t at;
        const char *bytes;
        size_t size;
        const char *said;
} entry_cases[] = {
        { PIECE_LAST, LONG_AT(order), "\x43", 1,
          "In the root directory the pieces of a long name do not fit together" },
        { PIECE_LAST, LONG_AT(order), "\x40", 1,
          "In the root directory the pieces of a long name do not fit together" },
        { PIECE_LAST, LONG_AT(order), "\x7f", 1,
          "In the root directory the pieces of a long name do not fit together" },
        { PIECE_LAST, LONG_AT(order), "\x02", 1,
          "In the root directory the pieces of a long name do not fit together" },
        { PIECE_FIRST, LONG_AT(order), "\x41", 1, "In the root directory a long name begins within another" },
        { PIECE_FIRST, LONG_AT(checksum), "\x00", 1,
          "In the root directory the pieces of a long name do not fit together" },
        { PIECE_FIRST, LONG_AT(type), "\x01", 1,
          "In the root directory the pieces of a long name do not fit together" },
        { PIECE_FIRST, LONG_AT(order), "\xe5", 1, "In the root directory a long name belongs to no file" },
        { SHORT, SHORT_AT(name), "Z", 1, "In the root directory a long name belongs to no file" },
        { SHORT, SHORT_AT(name), "\xe5", 1, "In the root directory a long name belongs to no file" },
        { SHORT, SHORT_AT(name), "\x00", 1, "In the root directory a long name belongs to no file" },
        { PIECE_FIRST, LONG_AT(units_begin), "\x00\x00", 2,
          "In the root directory a long name has no end, or an early one" },
        { PIECE_FIRST, LONG_AT(units_begin), "\x00\xdc", 2,
          "In the root directory a long name is no UTF-16" },
        { PIECE_FIRST, LONG_AT(units_begin), "/\x00", 2,
          "In the root directory there is a name that no file may have" },
        { PIECE_FIRST, LONG_AT(units_begin), "\x07\x00", 2,
          "In the root directory there is a name that no file may have" },
        /* Of the name's 22 units, 9 are in the last piece. */
        { PIECE_LAST, LONG_AT(units_end), "x\x00", 2,
          "In the root directory a long name has something behind its end" },
        { PIECE_LAST, LONG_AT(units_middle) + 6, ".\x00", 2,
          "In the root directory a long name ends in a dot or a blank" },
        { PIECE_LAST, LONG_AT(units_middle) + 6, " \x00", 2,
          "In the root directory a long name ends in a dot or a blank" },
        { DIRECTORY, SHORT_AT(size), "\x01", 1, "The directory D has a size" },
        { DIRECTORY, SHORT_AT(attributes), "\x50", 1,
          "In the root directory there are attributes that mean nothing" },
        { DIRECTORY, SHORT_AT(attributes), "\x18", 1,
          "In the root directory there is a label that has content" },
        { FILE_ENTRY, SHORT_AT(attributes), "\x08", 1,
          "In the root directory there is a label that has content" },
        { DIRECTORY, SHORT_AT(cluster_low), "\x00\x00", 2,
          "The chain of D leads to a free or bad cluster, or to none" },
        { FILE_ENTRY, SHORT_AT(cluster_low), "\x00\x00", 2, "The file F has a size, but no clusters" },
        { FILE_ENTRY, SHORT_AT(size), "\x00", 1, "The file F has clusters, but no size" },
        { FILE_ENTRY, SHORT_AT(cluster_low), "\xff\xff", 2,
          "The chain of F leads to a free or bad cluster, or to none" },
        { FILE_ENTRY, SHORT_AT(name), "D", 1, "In the root directory there are two files D" },
        { FILE_ENTRY, SHORT_AT(name), "d", 1,
          "In the root directory there is a short name that no file may have" },
        { FILE_ENTRY, SHORT_AT(name), "F+", 2,
          "In the root directory there is a short name that no file may have" },
        { FILE_ENTRY, SHORT_AT(name), " ", 1, "In the root directory there is a name that no file may have" },
        { FILE_ENTRY, SHORT_AT(name), "*", 1, "In the root directory there is a name that no file may have" },
        { FILE_ENTRY, SHORT_AT(name), ".", 1, "In the root directory there is a name that no file may have" },
};

static void test_entries(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(entry_cases); i++) {
                make();
                poke_entry(entry_cases[i].entry, entry_cases[i].at, entry_cases[i].bytes,
                           entry_cases[i].size);
                vfat_image_refuse(entry_cases[i].said);
        }
}

/* A file that answers to the short name of another, which is another program to whoever looks for short names first. */
static void test_short_name_taken(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char name[VFAT_ALIAS_SIZE];

        make();
        fd = open("image", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fd_pread_all(fd, name, sizeof(name), root_offset + SHORT * VFAT_ENTRY_SIZE), 0);
        assert_memory_equal(name, "ARATHE~1TXT", sizeof(name));
        poke_entry(FILE_ENTRY, 0, name, sizeof(name));
        vfat_image_refuse("In the root directory there are two files ARATHE~1.TXT");

        /* The same for a long name that is another's short one. */
        vfat_image_make(16, 16384,
                        "echo x >x; mcopy -i image x ::/bootx64.efi; mcopy -i image x ::/innocent.text");
        vfat_image_done(vfat_image_read_well());
        const uint8_t alias[VFAT_ALIAS_SIZE + 1] = "BOOTX64 EFI";
        const uint8_t checksum = vfat_alias_checksum(alias);
        /* Each name has one piece in front of its short one. */
        poke_entry(2, LONG_AT(checksum), (const char *)&checksum, 1);
        poke_entry(3, 0, (const char *)alias, VFAT_ALIAS_SIZE);
        vfat_image_refuse("In the root directory there are two files BOOTX64.EFI");
}

static void test_links(void **state) {
        make();
        vfat_image_poke(directory_offset + SHORT_AT(name), "X", 1);
        vfat_image_refuse("In D \".\" and \"..\" do not come first");
        make();
        vfat_image_poke(directory_offset + VFAT_ENTRY_SIZE + SHORT_AT(cluster_low), "\x02", 1);
        vfat_image_refuse("In D \".\" or \"..\" leads elsewhere");
        make();
        vfat_image_poke(directory_offset + SHORT_AT(cluster_low), "\x02\x00", 2);
        vfat_image_refuse("In D \".\" or \"..\" leads elsewhere");
        make();
        vfat_image_poke(directory_offset + 2 * VFAT_ENTRY_SIZE, "LABEL      \x08", 12);
        vfat_image_refuse("In D there is a label, as only the root may have");
}

static void test_labels(void **state) {
        make();
        for (unsigned i = 0; i < 2; i++) {
                vfat_image_poke(root_offset + (FILE_ENTRY + 1 + i) * VFAT_ENTRY_SIZE, "LABEL      \x08", 12);
                if (i == 0)
                        vfat_image_done(vfat_image_read_well());
        }
        vfat_image_refuse("In the root directory there are two labels");
}

/* A directory that is in itself. */
static void test_loop(void **state) {
        static const char entry[] = "LOOP       \x10";

        make();
        VfatReader *reader = vfat_image_read_well();
        const uint32_t cluster = reader->files[1].cluster;
        vfat_image_done(reader);
        const uint8_t low[] = { (uint8_t)cluster, (uint8_t)(cluster >> 8) };
        vfat_image_poke(directory_offset + 2 * VFAT_ENTRY_SIZE, entry, sizeof(entry) - 1);
        vfat_image_poke(directory_offset + 2 * VFAT_ENTRY_SIZE + SHORT_AT(cluster_low), low, sizeof(low));
        vfat_image_refuse("The chain of D/LOOP meets another, or itself, in cluster 3");
}

/* Short names as Linux and Windows write what is all small letters; bytes that no code page of ours knows. */
static void test_short_names(void **state) {
        make();
        poke_entry(FILE_ENTRY, SHORT_AT(name), "ABC     TXT\x20\x18", 13);
        VfatReader *reader = vfat_image_read_well();
        assert_string_equal(reader->files[2].path, "abc.txt");
        vfat_image_done(reader);

        poke_entry(FILE_ENTRY, SHORT_AT(name), "ABC     TXT\x20\x10", 13);
        reader = vfat_image_read_well();
        assert_string_equal(reader->files[2].path, "ABC.txt");
        vfat_image_done(reader);

        poke_entry(FILE_ENTRY, SHORT_AT(name),
                   "\x05"
                   "B\x81         \x00",
                   13);
        reader = vfat_image_read_well();
        assert_string_equal(reader->files[2].path, "_B_");
        vfat_image_done(reader);
}

/* Directories in directories, many files: the list grows while it is walked. */
static void test_many(void **state) {
        vfat_image_make(
                32, 66560,
                "mkdir -p t/a/b/c/d; for i in $(seq 300); do echo $i >\"t/a/b/c/number $i.txt\"; done; echo e >t/a/b/c/d/e\n"
                "mcopy -s -i image t/a ::/\n");
        VfatReader *reader = vfat_image_read_well();

        assert_int_equal(reader->n_files, 305);
        assert_int_equal(vfat_reader_find(reader, "a/b/c/number 300.txt")->size, 4);
        assert_int_equal(vfat_reader_find(reader, "A/B/C/D/E")->size, 2);
        for (size_t i = 0; i < reader->n_files; i++)
                assert_true(reader->files[i].parent == VFAT_ROOT || reader->files[i].parent < i);
        vfat_image_done(reader);
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_entries),          TEST(test_links),       TEST(test_labels), TEST(test_loop),
                TEST(test_short_name_taken), TEST(test_short_names), TEST(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
