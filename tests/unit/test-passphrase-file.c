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
                { "x", 0700, "x" },
                { "x", 0640,
                  "file holds the passphrase, and has mode 0640: nobody but its owner may have access to it; run: "
                  "chmod 600 file" },
                { "\n", 0600, "The passphrase in file is empty" },
                { "a\nb", 0600,
                  "The passphrase in file is more than one line of text, which nobody can type" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                put_file("file", cases[i].content, cases[i].mode);
                _cleanup_(freep) char *said = read_file("file");
                assert_string_equal(said, cases[i].expected);
        }
        _cleanup_(freep) char *none = read_file("none"), *directory = read_file("/");
        assert_string_equal(none, "Cannot read the passphrase from none: No such file or directory");
        assert_string_equal(directory, "Cannot read the passphrase from /: it is no regular file");
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
                TEST(test_read),
                TEST(test_check),
                TEST(test_load),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
