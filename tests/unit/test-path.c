/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "temporary-directory.h"

static void test_join(void **state) {
        static const char *const cases[][3] = {
                { "a", "b", "a/b" }, { "a/", "/b", "a/b" },      { "/", "b", "/b" },
                { "", "b", "b" },    { "/tree", "/", "/tree/" }, { "/a", "b/c", "/a/b/c" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(path_join(cases[i][0], cases[i][1], &path), 0);
                assert_string_equal(path, cases[i][2]);
        }
}

static void test_absolute(void **state) {
        static const char *const cases[][2] = {
                { "/a/b", "/a/b" },  { "/a//b/./c/../d/", "/a/b/d" },
                { "/", "/" },        { "/..", "/" },
                { "/a/../..", "/" }, { "//a", "/a" },
        };
        _cleanup_(freep) char *here = getcwd(NULL, 0), *expected = NULL, *path = NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *absolute = NULL;

                assert_int_equal(path_absolute(cases[i][0], &absolute), 0);
                assert_string_equal(absolute, cases[i][1]);
        }
        assert_int_equal(path_absolute("./x/..//y", &path), 0);
        assert_int_equal(text_format(&expected, "%s/y", here), 0);
        assert_string_equal(path, expected);
}

static void test_parts(void **state) {
        static const char *const cases[][3] = {
                { "/a/b", "/a", "b" },
                { "a", ".", "a" },
                { "/a", "/", "a" },
                { "a/b/c", "a/b", "c" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *parent = NULL;

                assert_int_equal(path_parent(cases[i][0], &parent), 0);
                assert_string_equal(parent, cases[i][1]);
                assert_string_equal(path_base_name(cases[i][0]), cases[i][2]);
        }
        assert_true(path_is_below("/a/b", "/a") && path_is_below("/a", "/a") && path_is_below("/a", "/"));
        assert_false(path_is_below("/ab", "/a") || path_is_below("/a", "/a/b"));
        assert_string_equal(path_seen_from("/a/b/c", "/a"), "b/c");
        assert_string_equal(path_seen_from("/a", "/a"), "");
        assert_string_equal(path_seen_from("/a/b", "/"), "a/b");
        assert_null(path_seen_from("/ab", "/a"));
}

static void test_make_directories(void **state) {
        struct stat status;

        assert_int_equal(path_make_directories(AT_FDCWD, "a/b/c", 0755), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "a/b/c/", 0755), 0);
        assert_int_equal(stat("a/b/c", &status), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "file", "", 0644), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "file", 0755), -ENOTDIR);
        assert_int_equal(path_make_directories(AT_FDCWD, "file/x", 0755), -ENOTDIR);
        assert_int_equal(path_make_directories(AT_FDCWD, "/", 0755), 0);
}

/* Whatever links say, nothing outside of the root is reached. */
static void test_open_below(void **state) {
        _cleanup_(fd_closep) int root = -EBADF;

        assert_int_equal(mkdir("root", 0755), 0);
        assert_int_equal(mkdir("root/etc", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "secret", "", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "root/etc/passwd", "", 0644), 0);
        assert_int_equal(symlink("/etc/passwd", "root/absolute"), 0);
        assert_int_equal(symlink("../../../../secret", "root/escape"), 0);
        root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);

        static const struct {
                const char *path;
                int r;
        } cases[] = {
                { "etc/passwd", 0 },      { "/etc/passwd", 0 },
                { "absolute", 0 },        { "etc/../../../../../etc/passwd", 0 },
                { "../secret", -ENOENT }, { "escape", -ENOENT },
                { "missing", -ENOENT },   { "", 0 },
        };
        struct stat passwd, found;

        assert_int_equal(stat("root/etc/passwd", &passwd), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fd_closep) int fd = path_open_below(root, cases[i].path, O_RDONLY, 0);

                assert_int_equal(MIN(fd, 0), cases[i].r);
                if (fd < 0 || cases[i].path[0] == '\0')
                        continue;
                assert_int_equal(fstat(fd, &found), 0);
                assert_int_equal(found.st_ino, passwd.st_ino);
        }
}

static void test_find_program(void **state) {
        _cleanup_(freep) char *here = getcwd(NULL, 0), *expected = NULL, *found = NULL, *shell = NULL,
                              *none = NULL;

        assert_int_equal(file_write_text(AT_FDCWD, "tool", "", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "plain", "", 0644), 0);
        assert_int_equal(path_find_program("tool", here, &found), 0);
        assert_int_equal(path_join(here, "tool", &expected), 0);
        assert_string_equal(found, expected);
        assert_int_equal(path_find_program("sh", here, &shell), 0);
        assert_int_equal(path_find_program("plain", here, &none), -ENOENT);
}

static void test_of_uri(void **state) {
        static const struct {
                const char *uri, *path;
        } cases[] = {
                { "file:/a/b", "/a/b" },      { "file:///a", "/a" }, { "file://localhost/a", "/a" },
                { "FILE:/a", "/a" },          { "file:a", "a" },     { "file://nothing", NULL },
                { "pkcs11:object=/a", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *path = path_of_uri(cases[i].uri);

                assert_true(path && cases[i].path ? text_equal(path, cases[i].path) : path == cases[i].path);
        }
}

static void test_is_uri(void **state) {
        static const struct {
                const char *text;
                bool is_uri;
        } cases[] = {
                { "pkcs11:token=teapot;object=key", true },
                { "file:/etc/key.pem", true },
                { "org.example.store:x:y", true },
                { "mkosi.secure-boot.key", false },
                { "/etc/pkcs11:key", false },
                { "./file:key", false },
                { "c:key", false },
                { ":key", false },
                { "1st:key", false },
                { "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(path_is_uri(cases[i].text), cases[i].is_uri);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_join),
                cmocka_unit_test(test_absolute),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_is_uri),
                cmocka_unit_test(test_of_uri),
                unit_test_in_directory(test_make_directories),
                unit_test_in_directory(test_open_below),
                unit_test_in_directory(test_find_program),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
