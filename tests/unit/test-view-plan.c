/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include "base/strv.h"
#include "sandbox/view-plan.h"

#define PRINT_SIZE_MAX 4096

static void assert_plan(const ViewEntry *entries, size_t n_entries, const char *expected) {
        ViewEntry planned[16];
        char text[PRINT_SIZE_MAX] = "";
        size_t n = n_entries;

        assert_in_range(n, 0, ELEMENTSOF(planned));
        memcpy(planned, entries, n * sizeof(*entries));
        /* What is planned stays as it is. */
        for (unsigned round = 0; round < 2; round++) {
                text[0] = '\0';
                assert_int_equal(view_plan(planned, &n, NULL), 0);
                for (size_t i = 0; i < n; i++) {
                        _cleanup_(freep) char *line = NULL;

                        assert_int_equal(view_print(&planned[i], &line), 0);
                        (void)strncat(text, line, sizeof(text) - strlen(text) - 1);
                        (void)strncat(text, "\n", sizeof(text) - strlen(text) - 1);
                }
                assert_string_equal(text, expected);
        }
}

#define PLAN(expected, ...)                                                                               \
        assert_plan((const ViewEntry[]){ __VA_ARGS__ }, ELEMENTSOF(((const ViewEntry[]){ __VA_ARGS__ })), \
                    expected)

static void test_order(void **state) {
        /* What is below stands right behind, whatever sorts before a slash. */
        PLAN("tmpfs /a\ntmpfs /a/b\ntmpfs /a/b/c\ntmpfs /a-b\ntmpfs /a.b\ntmpfs /b\n", { VIEW_TMPFS, "/b" },
             { VIEW_TMPFS, "/a.b" }, { VIEW_TMPFS, "/a-b" }, { VIEW_TMPFS, "/a/b/c" }, { VIEW_TMPFS, "/a" },
             { VIEW_TMPFS, "/a/b" });
        PLAN("read-only /\ntmpfs /a\n", { VIEW_TMPFS, "/a" }, { VIEW_READ_ONLY, "/" });
}

static void test_same_path(void **state) {
        PLAN("read-only /a\n", { VIEW_WRITABLE, "/a" }, { VIEW_READ_ONLY, "/a" }, { VIEW_WRITABLE, "/a" });
        PLAN("inaccessible /a\n", { VIEW_TMPFS, "/a" }, { VIEW_INACCESSIBLE, "/a" },
             { VIEW_READ_ONLY, "/a" });
        PLAN("devices /a\n", { VIEW_TMPFS, "/a" }, { VIEW_DEVICES, "/a" });
        PLAN("tmpfs /a\nread-only /a\n", { VIEW_READ_ONLY, "/a" }, { VIEW_DEVICES, "/a" },
             { VIEW_TMPFS, "/a" });
        PLAN("tmpfs /a\n", { VIEW_TMPFS, "/a" }, { VIEW_WRITABLE, "/a" });
        PLAN("boundary /a\n", { VIEW_BOUNDARY, "/a" }, { VIEW_READ_ONLY, "/a" }, { VIEW_WRITABLE, "/a" });
        /* Below something read-only neither becomes writable because the other one changes nothing. */
        PLAN("read-only /\n", { VIEW_READ_ONLY, "/" }, { VIEW_READ_ONLY, "/a" }, { VIEW_WRITABLE, "/a" });
}

static void test_optional(void **state) {
        PLAN("read-only /a\n", { VIEW_READ_ONLY, "/a", .optional = true }, { VIEW_READ_ONLY, "/a" });
        PLAN("read-only /a\n", { VIEW_READ_ONLY, "/a" }, { VIEW_READ_ONLY, "/a", .optional = true });
        PLAN("read-only /a (optional)\n", { VIEW_READ_ONLY, "/a", .optional = true },
             { VIEW_READ_ONLY, "/a", .optional = true });
        PLAN("tmpfs /a\n", { VIEW_TMPFS, "/a" }, { VIEW_TMPFS, "/a", .optional = true });
}

static void test_reduction(void **state) {
        PLAN("", { VIEW_WRITABLE, "/a" }, { VIEW_WRITABLE, "/a/b" });
        PLAN("no-execute /\nexecutable /usr\n", { VIEW_EXECUTABLE, "/usr" }, { VIEW_NO_EXECUTE, "/" },
             { VIEW_NO_EXECUTE, "/home" });
        PLAN("proc /proc (hidepid=invisible)\n", { VIEW_PROC, "/proc", .options = "hidepid=invisible" });
        PLAN("read-only /a\n", { VIEW_READ_ONLY, "/a" }, { VIEW_READ_ONLY, "/a/b" });
        PLAN("read-only /a\nwritable /a/b\nread-only /a/b/c\nwritable /a/b/c/d\n", { VIEW_READ_ONLY, "/a" },
             { VIEW_WRITABLE, "/a/b" }, { VIEW_READ_ONLY, "/a/b/c" }, { VIEW_WRITABLE, "/a/b/c/d" },
             { VIEW_READ_ONLY, "/a/b/c/e" }, { VIEW_WRITABLE, "/a/b/f" });
        PLAN("inaccessible /a\n", { VIEW_INACCESSIBLE, "/a" }, { VIEW_WRITABLE, "/a/b" },
             { VIEW_TMPFS, "/a/c" }, { VIEW_INACCESSIBLE, "/a/d" });
        /* What is put there is not read-only because what was there is. */
        PLAN("read-only /\ntmpfs /a\n", { VIEW_READ_ONLY, "/" }, { VIEW_TMPFS, "/a" },
             { VIEW_WRITABLE, "/a/b" });
        PLAN("read-only /\ntmpfs /a\nread-only /a/b\n", { VIEW_READ_ONLY, "/" }, { VIEW_TMPFS, "/a" },
             { VIEW_READ_ONLY, "/a/b" });
        PLAN("bind-read-only /s on /a\nwritable /a/b\n", { VIEW_BIND_READ_ONLY, "/a", .source = "/s" },
             { VIEW_READ_ONLY, "/a/c" }, { VIEW_WRITABLE, "/a/b" }, { VIEW_WRITABLE, "/a" });
        PLAN("tmpfs /a (mode=0755,ro)\n", { VIEW_TMPFS, "/a", .options = "mode=0755,ro" },
             { VIEW_READ_ONLY, "/a/b" });
}

static void test_print(void **state) {
        PLAN("bind /s/x on /a (optional, shallow, nosuid, trusted /s, owner 1 as 2)\ntmpfs /b (ro, optional)\n",
             { VIEW_BIND, "/a", .source = "/s/x", .trusted = "/s", .optional = true, .shallow = true,
               .no_setuid = true, .from = 1, .to = 2 },
             { VIEW_TMPFS, "/b", .options = "ro", .optional = true });
}

static void test_refused(void **state) {
        static const struct {
                ViewEntry entry;
                const char *text;
        } rows[] = {
                { { VIEW_READ_ONLY, "a" },
                  "read-only a: not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_TMPFS, "" }, "tmpfs : not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_TMPFS }, "tmpfs : not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_TMPFS, "/a/" }, "tmpfs /a/: not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_TMPFS, "//a" }, "tmpfs //a: not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_TMPFS, "/a/../b" },
                  "tmpfs /a/../b: not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_TMPFS, "/a/." },
                  "tmpfs /a/.: not an absolute path without \".\", \"..\" and \"//\"" },
                { { VIEW_BIND, "/a" }, "bind on /a: the source is no absolute path" },
                { { VIEW_BIND, "/a", .source = "s" }, "bind on /a: the source is no absolute path" },
                { { VIEW_BIND, "/a", .source = "/s", .trusted = "/t" },
                  "bind on /a: the source is not below /t" },
                { { VIEW_INACCESSIBLE, "/" }, "inaccessible /: the root of the view is that of the host" },
                { { VIEW_BIND, "/", .source = "/s" }, "bind /: the root of the view is that of the host" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ViewEntry entry = rows[i].entry;
                Reason reason = {};
                size_t n = 1;

                assert_int_equal(view_plan(&entry, &n, &reason), -EINVAL);
                assert_string_equal(reason.text, rows[i].text);
                reason_done(&reason);
        }
        PLAN("tmpfs /...\ntmpfs /.a\n", { VIEW_TMPFS, "/..." }, { VIEW_TMPFS, "/.a" });
}

static void test_words(void **state) {
        assert_true(view_options_have("ro", "ro") && view_options_have("a,ro", "ro") &&
                    view_options_have("ro,a", "ro"));
        assert_false(view_options_have(NULL, "ro") || view_options_have("", "ro") ||
                     view_options_have("rod,aro", "ro"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),    cmocka_unit_test(test_same_path),
                cmocka_unit_test(test_optional), cmocka_unit_test(test_reduction),
                cmocka_unit_test(test_print),    cmocka_unit_test(test_refused),
                cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
