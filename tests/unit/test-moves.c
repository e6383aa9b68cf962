/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/fd.h"
#include "image/moves.h"
#include "temporary-directory.h"

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static void assert_content(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        if (!expected) {
                assert_int_equal(access(path, F_OK), -1);
                return;
        }
        assert_int_equal(file_read(AT_FDCWD, path, 1000, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void move_all(Moves *moves) {
        put("new-a", "new a");
        put("new-b", "new b");
        put("a", "old a");
        put("c", "old c");
        assert_int_equal(moves_add(moves, "c", "aside", false), 0);
        assert_int_equal(moves_add(moves, "new-a", "a", true), 0);
        assert_int_equal(moves_add(moves, "new-b", "b", true), 0);
        assert_int_equal(moves->n_items, 3);
        assert_content("a", "new a");
        assert_content("new-a", "old a");
        assert_content("b", "new b");
        assert_content("c", NULL);
}

static void test_undo(void **state) {
        _cleanup_(moves_done) Moves moves = {};

        move_all(&moves);
        moves_undo(&moves);
        assert_content("a", "old a");
        assert_content("b", NULL);
        assert_content("c", "old c");
        assert_content("new-a", "new a");
        assert_content("new-b", "new b");
        assert_int_equal(moves_sync("."), 0);
}

/* What fails is no part of the list. */
static void test_failures(void **state) {
        _cleanup_(moves_done) Moves moves = {};

        move_all(&moves);
        put("d", "d");
        assert_int_equal(moves_add(&moves, "missing", "e", false), -ENOENT);
        assert_int_equal(moves_add(&moves, "d", "a", false), -EEXIST);
        assert_int_equal(moves.n_items, 3);
        moves_undo(&moves);
        assert_content("a", "old a");
        assert_content("d", "d");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_undo),
                unit_test_in_directory(test_failures),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
