/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "capture.h"
#include "image/passphrase-file.h"

/* What is read, or why it is not. */
static char *read_file(const char *path) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        char *text = NULL;

        const int r = passphrase_file_read(path, &secret, &text);
        if (r == -EBADF)
                return text;
        assert_int_equal(r, 0);
        assert_int_equal(text_format(&text, "%.*s", (int)secret->size, (const char *)secret->bytes), 0);
        return text;
}

static void test_read(void **state) {
        static const struct {
                const char *content;
                mode_t mode;
                const char *expected;
        } cases[] = {
                { "open sesame\n", 0600, "open sesame" },
                { " x", 0400, " x" },
                { "x ", 0600, "x " },
                { "\u00fc", 0600, "\u00fc" },
                { "x", 0700, "x" },
                { "x", 0640,
                  "file holds the passphrase, and has mode 0640: nobody but its owner may have access to it; run: "
                  "chmod 600 file" },
                { "", 0600, "The passphrase in file is empty" },
                { "\n", 0600, "The passphrase in file is empty" },
                { "a\nb", 0600,
                  "The passphrase in file is more than one line of text, which nobody can type" },
                { "a\n\n", 0600,
                  "The passphrase in file is more than one line of text, which nobody can type" },
                { "a\r\n", 0600,
                  "The passphrase in file has a carriage return in it: lines have to end as on Unix, without one" },
                { "a\t", 0600,
                  "The passphrase in file has a tab in it, which nobody can type where it is asked for" },
                { "a\033", 0600,
                  "The passphrase in file has a control character in it, which nobody can type" },
                { "\xef\xbb\xbf"
                  "a\n",
                  0600,
                  "The passphrase in file begins with a byte order mark, which nobody can type: save it as plain "
                  "text" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                put_file("file", cases[i].content, cases[i].mode);
                _cleanup_(freep) char *said = read_file("file");
                assert_string_equal(said, cases[i].expected);
        }
}

/* What cannot be read, or is no text. */
static void test_kinds(void **state) {
        static const struct {
                const char *path, *expected;
        } cases[] = {
                { "none", "Cannot read the passphrase from none: No such file or directory" },
                { "/", "Cannot read the passphrase from /: it is a directory, and no regular file" },
                { "pipe", "Cannot read the passphrase from pipe: it is a pipe, and no regular file" },
                { "/dev/zero",
                  "Cannot read the passphrase from /dev/zero: it is a device, and no regular file" },
                { "nul", "The passphrase in nul has a NUL byte in it, and is no text" },
        };

        assert_int_equal(mkfifo("pipe", 0600), 0);
        assert_int_equal(file_write(AT_FDCWD, "nul", "a\0b\n", 4, 0600), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *said = read_file(cases[i].path);
                assert_string_equal(said, cases[i].expected);
        }
}

static void test_check(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;

        put_file("file", "x", 0600);
        assert_int_equal(passphrase_file_check("file", &problems), 0);
        assert_null(problems);
        assert_int_equal(passphrase_file_check("none", &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
}

static void load_none(void) {
        Secret *secret = NULL;

        assert_int_equal(passphrase_file_load("none", &secret), -EINVAL);
        assert_null(secret);
}

static void load_blank(void) {
        _cleanup_(secret_freep) Secret *secret = NULL;

        assert_int_equal(passphrase_file_load("blank", &secret), 0);
        assert_int_equal(secret->size, 2);
}

/* It is taken as it is, since it may be meant so, but whoever wonders is told. */
static void test_blank(void **state) {
        put_file("blank", "x \n", 0600);
        _cleanup_(freep) char *said = capture_stderr(load_blank);
        assert_non_null(strstr(said, "The passphrase in blank ends with a blank, which is a part of it"));
}

static void test_load(void **state) {
        _cleanup_(secret_freep) Secret *secret = NULL;

        put_file("file", "x", 0600);
        assert_int_equal(passphrase_file_load("file", &secret), 0);
        assert_int_equal(secret->size, 1);
        _cleanup_(freep) char *said = capture_stderr(load_none);
        assert_non_null(strstr(said, "Cannot read the passphrase from none: No such file or directory"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_read), TEST(test_kinds), TEST(test_blank), TEST(test_check), TEST(test_load),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
