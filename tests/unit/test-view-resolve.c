/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include "base/strv.h"
#include "base/tree.h"
#include "sandbox/view-resolve.h"

/* Trees and their roots, without any privilege. */
static int tree_begin(void **state) {
        char *const path = strdup("/tmp/test-view-XXXXXX");

        if (!path || !mkdtemp(path) || chdir(path) < 0)
                return -1;
        *state = path;
        return 0;
}

static int tree_end(void **state) {
        if (chdir("/") < 0 || tree_remove(AT_FDCWD, *state) < 0)
                return -1;
        free(*state);
        return 0;
}

#define tree_test(function) cmocka_unit_test_setup_teardown(function, tree_begin, tree_end)

static int resolve(ViewEntry *entries, size_t *n, char ***strings, Reason *reason) {
        _cleanup_(fd_closep) int root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_true(root_fd >= 0);
        return view_resolve(root_fd, entries, n, strings, reason);
}

/* Where a path of a type leads to; NULL: it is left out. */
static void assert_resolved(const ViewEntry *entries, size_t n_entries, const char *const *expected) {
        _cleanup_(strv_freep) char **strings = NULL;
        ViewEntry resolved[8];
        size_t n = n_entries, kept = 0;
        Reason reason = {};

        memcpy(resolved, entries, n * sizeof(*entries));
        const int r = resolve(resolved, &n, &strings, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        for (size_t i = 0; i < n_entries; i++)
                if (expected[i]) {
                        assert_in_range(kept, 0, n - 1);
                        assert_string_equal(resolved[kept++].path, expected[i]);
                }
        assert_int_equal(kept, n);
}

#define RESOLVED(entries, ...) \
        assert_resolved(entries, ELEMENTSOF(entries), (const char *const[]){ __VA_ARGS__ })

static void make_tree(void) {
        make_directory("real/deep");
        make_directory("var");
        make_directory("run");
        make_file("file", "");
        assert_int_equal(symlink("real", "link"), 0);
        assert_int_equal(symlink("/real/deep", "absolute"), 0);
        assert_int_equal(symlink("../../../../real", "above"), 0);
        assert_int_equal(symlink("../run", "var/run"), 0);
        assert_int_equal(symlink("nowhere/x", "dangling"), 0);
        assert_int_equal(symlink("loop2", "loop"), 0);
        assert_int_equal(symlink("loop", "loop2"), 0);
}

static void test_links(void **state) {
        static const ViewEntry entries[] = {
                { VIEW_READ_ONLY, "/" },         { VIEW_READ_ONLY, "/real/deep" },
                { VIEW_READ_ONLY, "/link" },     { VIEW_READ_ONLY, "/link/deep" },
                { VIEW_READ_ONLY, "/absolute" }, { VIEW_READ_ONLY, "/above/deep" },
                { VIEW_READ_ONLY, "/file" },
        };

        make_tree();
        RESOLVED(entries, "/", "/real/deep", "/real", "/real/deep", "/real/deep", "/real/deep", "/file");
}

static void test_missing(void **state) {
        static const ViewEntry entries[] = {
                { VIEW_READ_ONLY, "/none", .optional = true },
                { VIEW_TMPFS, "/link/none/x", .optional = true },
                { VIEW_WRITABLE, "/dangling", .optional = true },
                { VIEW_READ_ONLY, "/real" },
        };
        static const struct {
                ViewEntry entry;
                int error;
                const char *text;
        } rows[] = {
                { { VIEW_READ_ONLY, "/none" },
                  -ENOENT,
                  "read-only /none: /none is not there; with a dash in front it may be missing" },
                { { VIEW_READ_ONLY, "/dangling" },
                  -ENOENT,
                  "read-only /dangling: /dangling is not there; with a dash in front it may be missing" },
                { { VIEW_TMPFS, "/link/none" },
                  -ENOENT,
                  "tmpfs /link/none: /link/none is not there, and making it would change what others see: make it first" },
                { { VIEW_READ_ONLY, "/loop/x", .optional = true },
                  -ELOOP,
                  "read-only /loop/x (optional): Too many levels of symbolic links" },
                { { VIEW_READ_ONLY, "/file/x" },
                  -ENOENT,
                  "read-only /file/x: /file/x is not there; with a dash in front it may be missing" },
        };

        make_tree();
        RESOLVED(entries, NULL, NULL, NULL, "/real");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(strv_freep) char **strings = NULL;
                ViewEntry entry = rows[i].entry;
                Reason reason = {};
                size_t n = 1;

                assert_int_equal(resolve(&entry, &n, &strings, &reason), rows[i].error);
                assert_string_equal(reason.text, rows[i].text);
                reason_done(&reason);
        }
}

/* What another entry replaces is not looked at: neither is anything missing there, nor are there links. */
static void test_replaced(void **state) {
        static const ViewEntry below[] = {
                { VIEW_TMPFS, "/real" },
                { VIEW_BIND, "/real/new/x", .source = "/s" },
                { VIEW_BIND, "/link/new", .source = "/s" },
                { VIEW_BIND, "/var/run/made", .source = "/s" },
                { VIEW_BOUNDARY, "/run" },
        };
        /* The place of the first one is known only when it has been resolved itself. */
        static const ViewEntry late[] = {
                { VIEW_BIND, "/run/a/link/b", .source = "/s" },
                { VIEW_TMPFS, "/var/run" },
                { VIEW_READ_ONLY, "/run/a/c" },
        };
        static const ViewEntry flags[] = { { VIEW_READ_ONLY, "/real" },
                                           { VIEW_READ_ONLY, "/real/new", .optional = true } };

        make_tree();
        RESOLVED(below, "/real", "/real/new/x", "/real/new", "/run/made", "/run");
        RESOLVED(late, "/run/a/link/b", "/run", "/run/a/c");
        RESOLVED(flags, "/real", NULL);
}

static void test_open(void **state) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        make_tree();
        root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(fd_closep) int fd = view_open(root_fd, "/real/deep");
        assert_true(fd >= 0);
        assert_int_equal(view_open(root_fd, "/link"), -ELOOP);
        assert_int_equal(view_open(root_fd, "/link/deep"), -ELOOP);
        assert_int_equal(view_open(root_fd, "/none"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                tree_test(test_links),
                tree_test(test_missing),
                tree_test(test_replaced),
                tree_test(test_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
