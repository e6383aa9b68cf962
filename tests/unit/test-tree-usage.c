/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "image/tree-usage.h"
#include "temporary-directory.h"

static void put(const char *path, size_t size) {
        _cleanup_(freep) char *data = malloc(size), *parent = NULL;

        assert_non_null(data);
        memset(data, 'x', size);
        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write(AT_FDCWD, path, data, size, 0644), 0);
}

static char *describe(size_t n_max) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        char *text = NULL;

        assert_int_equal(mkdir("tree", 0755) == 0 || errno == EEXIST, 1);
        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        assert_int_equal(tree_usage_describe(tree, n_max, &text), 0);
        return text;
}

/* What is in large directories is named in their place. */
static void test_biggest(void **state) {
        _cleanup_(freep) char *none = describe(3);

        assert_string_equal(none, "");
        put("tree/usr/lib/a", 6 * MIB);
        put("tree/usr/lib/b", 4 * MIB);
        put("tree/usr/share/doc/c", MIB);
        put("tree/usr/share/locale/d", 4 * MIB);
        put("tree/usr/share/locale/deep/deeper/e", MIB);
        put("tree/var/f", 2 * MIB);
        put("tree/etc/g", 4096);
        put("tree/h", 3 * MIB);

        _cleanup_(freep) char *text = describe(4), *two = describe(2);
        assert_string_equal(text,
                            "usr/lib (10.0M), usr/share/locale (5.0M), var (2.0M), usr/share/doc (1.0M)");
        assert_string_equal(two, "usr/lib (10.0M), usr/share/locale (5.0M)");
}

/* Holes and further names are not there twice. */
static void test_total(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        put("tree/a", MIB);
        assert_int_equal(link("tree/a", "tree/b"), 0);
        fd = open("tree/hole", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(fd_extend(fd, GIB), 0);
        assert_int_equal(symlink("a", "tree/link"), 0);
        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        assert_int_equal(tree_usage_total(tree), MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_biggest),
                unit_test_in_directory(test_total),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
