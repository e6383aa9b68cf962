/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of src/config/ share: a project in a directory of its own, on a host that is always the same. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/config-report.h"
#include "config/config-resolve.h"

_unused_ static const SettingVerb fixture_verbs[] = {
        { .name = "build", .help = "make the image" },
        { .name = "summary", .help = "show the settings" },
};

/* The working directory of a test; as long as FIXTURE_NAME, which stands for it in golden files. */
static char fixture_directory[] = "/tmp/mkosi-XXXXXX";
#define FIXTURE_NAME "/project-of-tests"

_unused_ static const char fixture_os_release[] = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";

_unused_ static void put_file(const char *path, const char *text, mode_t mode) {
        _cleanup_(freep) char *parent = NULL;

        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, mode), 0);
}

_unused_ static void put_directory(const char *path) {
        assert_int_equal(path_make_directories(AT_FDCWD, path, 0755), 0);
}

_unused_ static int fixture_setup(void **state) {
        memcpy(fixture_directory + strlen(fixture_directory) - 6, "XXXXXX", 6);
        if (!mkdtemp(fixture_directory) || chdir(fixture_directory) < 0)
                return -1;
        put_file(".host/etc/os-release", fixture_os_release, 0644);
        return 0;
}

_unused_ static int fixture_teardown(void **state) {
        return chdir("/") < 0 || tree_remove(AT_FDCWD, fixture_directory) < 0 ? -1 : 0;
}

/* The path of something in the project's source. */
_unused_ static char *source_path(const char *relative) {
        const char *root = getenv("MKOSI_SOURCE_ROOT");
        char *path = NULL;

        assert_non_null(root);
        assert_int_equal(path_join(root, relative, &path), 0);
        return path;
}

/* Loads with the words of a command line, which ends with NULL. */
#define load(ret, ...) load_words((const char *const[]){ "mkosi", ##__VA_ARGS__, NULL }, ret)

_unused_ static int load_words(const char *const argv[], LoadedConfig **ret) {
        int argc = (int)strv_length(argv);

        return config_load(fixture_verbs, ELEMENTSOF(fixture_verbs), argc, (char *const *)argv, ret);
}

_unused_ static int resolve(LoadedConfig *loaded) {
        return config_resolve_for(loaded, &(ConfigHost){ .root = ".host", .machine = "x86_64" });
}

/* Loads and resolves what must be fine. */
#define load_fine(...)                                              \
        ({                                                          \
                LoadedConfig *_loaded = NULL;                       \
                assert_int_equal(load(&_loaded, ##__VA_ARGS__), 0); \
                assert_fine(_loaded, resolve(_loaded));             \
                _loaded;                                            \
        })

_unused_ static void assert_fine(const LoadedConfig *loaded, int r) {
        for (char **text = loaded->mistakes.texts; text && *text; text++)
                print_error("mistake: %s\n", *text);
        assert_int_equal(r, 0);
}

/* All texts, with a newline after each; "" when there is none. */
_unused_ static char *joined(char *const *texts) {
        _cleanup_(freep) char *text = NULL;
        char *lines = NULL;

        assert_int_equal(strv_join(STRV(texts), "\n", &text), 0);
        assert_int_equal(text_format(&lines, "%s%s", text ? text : "", texts && texts[0] ? "\n" : ""), 0);
        return lines;
}

_unused_ static void assert_texts(char *const *texts, const char *expected) {
        _cleanup_(freep) char *text = joined(texts);

        assert_string_equal(text, expected);
}

_unused_ static void assert_list(char *const *list, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(strv_join(STRV(list), " ", &text), 0);
        assert_string_equal(text ? text : "", expected);
}

_unused_ static void assert_where(const LoadedConfig *loaded, size_t offset, size_t index,
                                  const char *expected) {
        _cleanup_(freep) char *where = NULL;

        assert_int_equal(config_where(loaded, offset, index, &where), 0);
        assert_string_equal(where, expected);
}

/* A path in the project. */
_unused_ static void assert_in_project(const char *path, const char *relative) {
        assert_non_null(path);
        assert_non_null(text_after_prefix(path, fixture_directory));
        assert_string_equal(path + strlen(fixture_directory), relative);
}

/* A test in a project of its own. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
