/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/git-files.h"
#include "base/text.h"
#include "foreign-program.h"
#include "temporary-directory.h"

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

#define GIT(...)                                                                               \
        free(FOREIGN_CHECK("git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-c", \
                           "protocol.file.allow=always", "-c", "safe.directory=*", __VA_ARGS__))

static void make_repository(const char *path) {
        assert_int_equal(mkdir(path, 0755), 0);
        GIT("-C", path, "init", "--quiet");
}

static void commit(const char *path) {
        GIT("-C", path, "add", ".");
        GIT("-C", path, "commit", "--quiet", "-m", "x");
}

#define assert_files(directory, others, ...)                                               \
        do {                                                                               \
                const char *const _expected[] = { __VA_ARGS__ };                           \
                _cleanup_(git_files_done) GitFiles _files = {};                            \
                _cleanup_(reason_done) Reason _reason = {};                                \
                const int _r = git_files_list(directory, NULL, others, &_files, &_reason); \
                if (_r < 0)                                                                \
                        fail_msg("%s", reason_text(&_reason, _r));                         \
                assert_int_equal(_files.n_items, ELEMENTSOF(_expected));                   \
                for (size_t _i = 0; _i < _files.n_items; _i++)                             \
                        assert_string_equal(_files.items[_i], _expected[_i]);              \
        } while (false)

/* Names are what they are, also with blanks and line breaks in them; trees inside have their own files. */
static void test_list(void **state) {
        make_repository("inner");
        put("inner/i.c", "");
        commit("inner");
        make_repository("tree");
        put("tree/.gitignore", "*.o\n");
        put("tree/a b\nc", "");
        put("tree/gone", "");
        GIT("-C", "tree", "submodule", "--quiet", "add", "../inner", "sub/module");
        commit("tree");
        assert_int_equal(unlink("tree/gone"), 0);
        put("tree/new", "");
        put("tree/ignored.o", "");
        put("tree/sub/module/new", "");
        make_repository("tree/nested");
        put("tree/nested/n.c", "");
        commit("tree/nested");

        assert_files("tree", false, ".gitignore", ".gitmodules", "a b\nc", "gone", "sub/module/i.c");
        assert_files("tree", true, ".gitignore", ".gitmodules", "a b\nc", "gone", "nested/n.c", "new",
                     "sub/module/i.c", "sub/module/new");
        /* Of a part of it, relative to that. */
        assert_files("tree/sub", false, "module/i.c");

        /* In a hook, git would ask about the tree of that. */
        assert_int_equal(setenv("GIT_DIR", "/nowhere", 1), 0);
        assert_files("inner", true, "i.c");
        assert_int_equal(unsetenv("GIT_DIR"), 0);
}

#define assert_held(expected, directory) assert_int_equal(git_holds_directory(directory, NULL), expected)

/* What a tree ignores is as if it lay elsewhere, unless something of it is tracked all the same. */
static void test_holds(void **state) {
        make_repository("tree");
        put("tree/.gitignore", "/build\n");
        assert_int_equal(mkdir("tree/build", 0755), 0);
        assert_int_equal(mkdir("tree/build/project", 0755), 0);
        assert_int_equal(mkdir("tree/part", 0755), 0);
        put("tree/build/project/main.c", "");
        make_repository("tree/build/own");

        assert_held(1, "tree");
        assert_held(1, "tree/part");
        assert_held(0, "tree/build");
        assert_held(0, "tree/build/project");
        assert_held(1, "tree/build/own");
        assert_held(0, "tree/missing");

        /* A directory of the name is no tree; a file of it is a worktree or a submodule. */
        assert_int_equal(mkdir("tree/build/.git", 0755), 0);
        assert_held(0, "tree/build");
        assert_int_equal(rmdir("tree/build/.git"), 0);
        put("tree/build/.git", "gitdir: ../.git\n");
        assert_held(1, "tree/build");
        assert_int_equal(unlink("tree/build/.git"), 0);

        GIT("-C", "tree", "add", "--force", "build/project/main.c");
        assert_held(1, "tree/build/project");
}

/* Nothing is known to be ignored where git cannot tell. */
static void test_holds_by_failing_git(void **state) {
        make_repository("tree");
        put("tree/.gitignore", "/build\n");
        assert_int_equal(mkdir("tree/build", 0755), 0);
        assert_int_equal(mkdir("ours", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "ours/git", "#!/bin/sh\nexit 128\n", 0755), 0);
        assert_int_equal(git_holds_directory("tree/build", "ours"), 1);
        assert_int_equal(git_holds_directory("tree/build", NULL), 0);
}

/* The program is that of the search path, also where $PATH has another. */
static void test_search_path(void **state) {
        _cleanup_(git_files_done) GitFiles files = {};

        assert_int_equal(mkdir("ours", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "ours/git", "#!/bin/sh\nhelper\n", 0755), 0);
        assert_int_equal(
                file_write_text(AT_FDCWD, "ours/helper", "#!/bin/sh\nprintf 'x 0\\tmine\\0'\n", 0755), 0);
        assert_int_equal(git_files_list(".", "ours", false, &files, NULL), 0);
        assert_int_equal(files.n_items, 1);
        assert_string_equal(files.items[0], "mine");
}

static void test_contain(void **state) {
        char *items[] = { (char[]){ "a-b" }, (char[]){ "a/b" }, (char[]){ "a/c/d" }, (char[]){ "ab" } };
        const GitFiles files = { .items = items, .n_items = ELEMENTSOF(items) };

        assert_true(git_files_contain(&files, "a/b", false));
        assert_true(git_files_contain(&files, "a", true));
        assert_true(git_files_contain(&files, "a/c", true));
        assert_true(git_files_contain(&files, "ab", false));
        assert_true(git_files_contain(&files, "a-b", false));
        assert_false(git_files_contain(&files, "a", false));
        assert_false(git_files_contain(&files, "ab", true));
        assert_false(git_files_contain(&files, "a/c", false));
        assert_false(git_files_contain(&files, "a/", true));
        assert_false(git_files_contain(&files, "b", false));
        assert_false(git_files_contain(&(GitFiles){}, "a", false));
}

static void test_refusals(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        GitFiles files = {};

        assert_int_equal(mkdir("plain", 0755), 0);
        assert_int_equal(git_files_list("plain", NULL, false, &files, &reason), -EIO);
        assert_string_equal(reason.text, "git cannot list the files of plain");
        assert_null(files.items);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_list),
                unit_test_in_directory(test_holds),
                unit_test_in_directory(test_holds_by_failing_git),
                unit_test_in_directory(test_search_path),
                cmocka_unit_test(test_contain),
                unit_test_in_directory(test_refusals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
