/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "format/vfat-name.h"
#include "vfat-tree.h"

#define MANY 20000

/* Names in one directory, in their order, and the aliases they get. */
static void check(size_t n, const char *const *names, const char *const *aliases) {
        _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(names, n);
        VfatName *ret;

        assert_int_equal(vfat_names_new(directory, &ret, NULL), 0);
        for (size_t i = 0; i < n; i++) {
                char alias[VFAT_ALIAS_SIZE + 1] = {};

                memcpy(alias, ret[i].alias, VFAT_ALIAS_SIZE);
                assert_string_equal(alias, aliases[i]);
        }
        vfat_names_free(ret, n);
}

static void test_alias(void **state) {
        static const struct {
                const char *name, *alias;
                size_t n_entries;
        } cases[] = {
                { "A", "A          ", 1 },
                { "BOOTX64.EFI", "BOOTX64 EFI", 1 },
                { "12345678.123", "12345678123", 1 },
                { "!#$%&'()", "!#$%&'()   ", 1 },
                { "-@^_`{}~.~~~", "-@^_`{}~~~~", 1 },
                { "a", "A          ", 2 },
                { "Bootx64.efi", "BOOTX64 EFI", 2 },
                { "123456789", "123456~1   ", 2 },
                { "1.1234", "1~1     123", 2 },
                { "loader.conf", "LOADER~1CON", 2 },
                { "A.B.C", "AB~1    C  ", 2 },
                { "with blank", "WITHBL~1   ", 2 },
                { " A", "A~1        ", 2 },
                { ".profile", "PROFIL~1   ", 2 },
                { ".A", "A~1        ", 2 },
                { "...A.B", "A~1     B  ", 2 },
                { "A+B", "A_B~1      ", 2 },
                { "+,;=[].X+X", "______~1X_X", 2 },
                { "Größe", "GR__E~1    ", 2 },
                { "\U0001f600", "__~1       ", 2 },
                { "ÄÖ.Ü", "__~1    _  ", 2 },
                { "1234567890123", "123456~1   ", 2 },
                { "12345678901234", "123456~1   ", 3 },
                { "12345678901234567890123456", "123456~1   ", 3 },
                { "123456789012345678901234567", "123456~1   ", 4 },
                { "\x7f", "_~1        ", 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(&cases[i].name, 1);
                VfatName *name;

                check(1, &cases[i].name, &cases[i].alias);
                assert_int_equal(vfat_names_new(directory, &name, NULL), 0);
                assert_int_equal(vfat_name_count_entries(name), cases[i].n_entries);
                assert_int_equal(name->alias_is_name, cases[i].n_entries == 1);
                vfat_names_free(name, 1);
        }
}

/* Names that are their own alias keep it, and the others count around them. */
static void test_tails(void **state) {
        check(6,
              (const char *const[]){ "ABCDEF~1.TXT", "abcdef~2.txt", "abcdefgh1.txt", "abcdefgh2.txt",
                                     "abcdefgh3.txt", "abcdefgh4.txt" },
              (const char *const[]){ "ABCDEF~1TXT", "ABCDEF~2TXT", "ABCDEF~3TXT", "ABCDEF~4TXT",
                                     "ABCDEF~5TXT", "ABCDEF~6TXT" });
        /* Another extension is another name. */
        check(2, (const char *const[]){ "abcdefghi.a", "abcdefghi.b" },
              (const char *const[]){ "ABCDEF~1A  ", "ABCDEF~1B  " });
        /* Beginnings that are different, but for what the number leaves of them. */
        check(2, (const char *const[]){ "abcdefXghi", "abcdefYghi" },
              (const char *const[]){ "ABCDEF~1   ", "ABCDEF~2   " });
}

static int compare_aliases(const void *a, const void *b) {
        return memcmp(((const VfatName *)a)->alias, ((const VfatName *)b)->alias, VFAT_ALIAS_SIZE);
}

/* All of a crowd differ, and the number of steps does not grow with its square: with the time limit of a test. */
static void test_many(void **state) {
        static char texts[MANY][32];
        static const char *names[MANY];

        for (size_t i = 0; i < MANY; i++) {
                (void)snprintf(texts[i], sizeof(texts[i]), "%s%06zu.something",
                               i % 3 == 0 ? "~" : "long name ", i);
                names[i] = texts[i];
        }
        _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(names, MANY);
        VfatName *ret;

        assert_int_equal(vfat_names_new(directory, &ret, NULL), 0);
        qsort(ret, MANY, sizeof(VfatName), compare_aliases);
        for (size_t i = 1; i < MANY; i++)
                assert_true(compare_aliases(&ret[i - 1], &ret[i]) < 0);
        vfat_names_free(ret, MANY);
}

/* The highest number there can be still has its place: names that take each number before ours do. */
static void test_numbers(void **state) {
        static char texts[VFAT_DIRECTORY_ENTRIES_MAX][16];
        static const char *names[VFAT_DIRECTORY_ENTRIES_MAX];
        VfatName *ret;

        for (size_t i = 0; i < VFAT_DIRECTORY_ENTRIES_MAX; i++) {
                const int length = i < 9 ? 6 : i < 99 ? 5 : i < 999 ? 4 : i < 9999 ? 3 : 2;

                (void)snprintf(texts[i], sizeof(texts[i]), "%.*s~%zu", length, "ABCDEF", i + 1);
                names[i] = texts[i];
        }
        names[0] = "abcdefghi";
        names[1] = "abcdefghj";
        names[2] = "abcdefghk";
        names[VFAT_DIRECTORY_ENTRIES_MAX - 1] = "ABCDEF~1";

        _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(names, VFAT_DIRECTORY_ENTRIES_MAX);
        assert_int_equal(vfat_names_new(directory, &ret, NULL), 0);
        assert_memory_equal(ret[0].alias, "ABCDEF~2   ", VFAT_ALIAS_SIZE);
        assert_memory_equal(ret[1].alias, "ABCDEF~3   ", VFAT_ALIAS_SIZE);
        assert_memory_equal(ret[2].alias, "AB~65536   ", VFAT_ALIAS_SIZE);
        vfat_names_free(ret, VFAT_DIRECTORY_ENTRIES_MAX);
}

static void test_refused(void **state) {
        static char too_long[257];
        static const struct {
                const char *names[2];
                int r;
                const char *reason;
        } cases[] = {
                { { "A"
                    "\x1f"
                    "B" },
                  -EINVAL,
                  "not allowed" },
                { { "A*" }, -EINVAL, "'A*'" },
                { { "\"" }, -EINVAL, "not allowed" },
                { { ":" }, -EINVAL, "not allowed" },
                { { "<" }, -EINVAL, "not allowed" },
                { { ">" }, -EINVAL, "not allowed" },
                { { "?" }, -EINVAL, "not allowed" },
                { { "\\" }, -EINVAL, "not allowed" },
                { { "|" }, -EINVAL, "not allowed" },
                { { "A." }, -EINVAL, "ends with a dot" },
                { { "A " }, -EINVAL, "ends with a dot or a blank" },
                { { "\xc3" }, -EILSEQ, "no UTF-8" },
                { { too_long }, -ENAMETOOLONG, "too long" },
                { { "README", "readme" }, -EEXIST, "'README' and 'readme'" },
                { { "Größe", "größE" }, -EEXIST, "apart" },
                { { "ÄÖÜ", "äöü" }, -EEXIST, "apart" },
                { { "ŁŽ", "łž" }, -EEXIST, "apart" },
                { { "ΑΩ", "αω" }, -EEXIST, "apart" },
                { { "Жѐ", "жЀ" }, -EEXIST, "apart" },
        };

        memset(too_long, 'x', sizeof(too_long) - 1);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const size_t n = cases[i].names[1] ? 2 : 1;
                _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(cases[i].names, n);
                _cleanup_(reason_done) Reason reason = {};
                VfatName *ret = NULL;

                assert_int_equal(vfat_names_new(directory, &ret, &reason), cases[i].r);
                assert_non_null(strstr(reason.text, cases[i].reason));
                assert_null(ret);
        }
}

/* What differs in more than case, and what is as long as can be. */
static void test_accepted(void **state) {
        static char longest[256];
        static const char *const names[] = { "s", "ß", "×", "÷", "ı", "ĸ", "ÿ", "Ÿ", "ς", "σ", longest };
        _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(names, ELEMENTSOF(names));
        VfatName *ret;

        memset(longest, 'x', sizeof(longest) - 1);
        assert_int_equal(vfat_names_new(directory, &ret, NULL), 0);
        assert_int_equal(vfat_name_count_entries(&ret[ELEMENTSOF(names) - 1]), 21);
        vfat_names_free(ret, ELEMENTSOF(names));
}

static void test_too_many(void **state) {
        static const char *names[VFAT_DIRECTORY_ENTRIES_MAX + 1];
        _cleanup_(reason_done) Reason reason = {};
        VfatName *ret;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                names[i] = "A";
        _cleanup_(vfat_tree_freep) TreeNode *directory = vfat_tree_new(names, ELEMENTSOF(names));
        assert_int_equal(vfat_names_new(directory, &ret, &reason), -EFBIG);
        assert_non_null(strstr(reason.text, "so many names"));
}

static void test_checksum(void **state) {
        uint8_t ones[VFAT_ALIAS_SIZE];

        /* The sum of a rotation by one, taken eleven times, can be worked out by hand for these. */
        memset(ones, 0, sizeof(ones));
        assert_int_equal(vfat_alias_checksum(ones), 0);
        ones[10] = 1;
        assert_int_equal(vfat_alias_checksum(ones), 1);
        ones[10] = 0;
        ones[2] = 1; /* turned eight times: back where it was */
        assert_int_equal(vfat_alias_checksum(ones), 1);
        ones[2] = 0;
        ones[9] = 1;
        assert_int_equal(vfat_alias_checksum(ones), 0x80);
}

static void test_label(void **state) {
        static const struct {
                const char *label, *encoded;
        } cases[] = {
                { "EFI", "EFI        " },
                { "ESP", "ESP        " },
                { "XBOOTLDR", "XBOOTLDR   " },
                { "A LABEL-011", "A LABEL-011" },
                { "esp", "ESP        " },
                { "", NULL },
                { "TWELVECHARS1", NULL },
                { " A", NULL },
                { "A.B", NULL },
                { "A/B", NULL },
                { "Ä", NULL },
                { "A\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint8_t encoded[VFAT_ALIAS_SIZE];

                assert_int_equal(vfat_label_encode(cases[i].label, encoded), cases[i].encoded ? 0 : -EINVAL);
                if (cases[i].encoded)
                        assert_memory_equal(encoded, cases[i].encoded, sizeof(encoded));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alias),    cmocka_unit_test(test_tails),
                cmocka_unit_test(test_many),     cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_refused),  cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_too_many), cmocka_unit_test(test_checksum),
                cmocka_unit_test(test_label),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
