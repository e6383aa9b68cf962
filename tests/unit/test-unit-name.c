/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "foreign-program.h"
#include "unit/unit-name.h"

static void test_kind(void **state) {
        static const struct {
                const char *name;
                unsigned kind;
        } cases[] = {
                { "foo.service", UNIT_NAME_PLAIN },
                { "foo.bar.service", UNIT_NAME_PLAIN },
                { "foo@bar.service", UNIT_NAME_INSTANCE },
                { "foo@bar@bar.service", UNIT_NAME_INSTANCE },
                { "foo@@bar.service", UNIT_NAME_INSTANCE },
                { "foo@.service", UNIT_NAME_TEMPLATE },
                { "foo@a\\x2fb.service", UNIT_NAME_INSTANCE },
                { "1-:_.\\.mount", UNIT_NAME_PLAIN },
                { "-.slice", UNIT_NAME_PLAIN },
                { "-.mount", UNIT_NAME_PLAIN },
                { "a-b.slice", UNIT_NAME_PLAIN },
                { "..service", UNIT_NAME_PLAIN },
                { "", 0 },
                { ".service", 0 },
                { "@.service", 0 },
                { "@foo.service", 0 },
                { "foo", 0 },
                { "foo.", 0 },
                { "foo.waldo", 0 },
                { "foo.Service", 0 },
                { "foo bar.service", 0 },
                { "foo/bar.service", 0 },
                { "../foo.service", 0 },
                { "foo\n.service", 0 },
                { "foo\033[1m.service", 0 },
                { "foo%i.service", 0 },
                { "föö.service", 0 },
                { "foo@b/r.service", 0 },
                { "a@b.slice", 0 },
                { "a@.slice", 0 },
                { "-a.slice", 0 },
                { "a-.slice", 0 },
                { "a--b.slice", 0 },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (unit_name_kind(cases[i].name) != cases[i].kind)
                        fail_msg("\"%s\" is of kind %u", cases[i].name, unit_name_kind(cases[i].name));
}

static void test_longest(void **state) {
        char name[UNIT_NAME_SIZE_MAX + 2];

        memset(name, 'a', sizeof(name));
        (void)stpcpy(name + UNIT_NAME_SIZE_MAX - strlen(".service"), ".service");
        assert_int_equal(strlen(name), UNIT_NAME_SIZE_MAX);
        assert_int_equal(unit_name_kind(name), UNIT_NAME_PLAIN);
        (void)stpcpy(name + UNIT_NAME_SIZE_MAX - strlen(".service"), "a.service");
        assert_int_equal(unit_name_kind(name), 0);

        /* What is valid before it is instantiated need not be behind that. */
        char template[] = "a@.service", *instance = NULL;
        name[UNIT_NAME_SIZE_MAX - strlen(template) + 1] = '\0';
        assert_int_equal(unit_name_instantiate(template, name, &instance), -EINVAL);
        name[UNIT_NAME_SIZE_MAX - strlen(template)] = '\0';
        assert_int_equal(unit_name_instantiate(template, name, &instance), 0);
        assert_int_equal(strlen(instance), UNIT_NAME_SIZE_MAX);
        free(instance);
}

static void test_parts(void **state) {
        static const struct {
                const char *name, *prefix, *instance, *stem, *template;
                UnitType type;
        } cases[] = {
                { "foo.service", "foo", NULL, "foo", NULL, UNIT_SERVICE },
                { "foo.bar.socket", "foo.bar", NULL, "foo.bar", NULL, UNIT_SOCKET },
                { "foo@.target", "foo", "", "foo@", NULL, UNIT_TARGET },
                { "foo@b.c@d.service", "foo", "b.c@d", "foo@b.c@d", "foo@.service", UNIT_SERVICE },
                { "-.slice", "-", NULL, "-", NULL, UNIT_SLICE },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *prefix = NULL, *instance = NULL, *stem = NULL, *template = NULL;

                assert_int_equal(unit_name_type(cases[i].name), cases[i].type);
                assert_true(text_ends_with(cases[i].name, unit_type_name(cases[i].type)));
                assert_int_equal(unit_name_prefix(cases[i].name, &prefix), 0);
                assert_string_equal(prefix, cases[i].prefix);
                assert_int_equal(unit_name_instance(cases[i].name, &instance), 0);
                if (cases[i].instance)
                        assert_string_equal(instance, cases[i].instance);
                else
                        assert_null(instance);
                assert_int_equal(unit_name_stem(cases[i].name, &stem), 0);
                assert_string_equal(stem, cases[i].stem);
                assert_int_equal(unit_name_template(cases[i].name, &template),
                                 cases[i].template ? 0 : -EINVAL);
                if (cases[i].template)
                        assert_string_equal(template, cases[i].template);
                free(prefix);
                free(instance);
                free(stem);
                free(template);
        }
}

static void test_instantiate(void **state) {
        static const struct {
                const char *template, *instance, *name;
        } cases[] = {
                { "foo@.service", "bar", "foo@bar.service" },
                { "foo@.service", "b.a@r", "foo@b.a@r.service" },
                { "foo@.service", "", NULL },
                { "foo@.service", "a/b", NULL },
                { "foo@.service", "a b", NULL },
                { "foo@x.service", "bar", NULL },
                { "foo.service", "bar", NULL },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *name = NULL;

                assert_int_equal(unit_name_instantiate(cases[i].template, cases[i].instance, &name),
                                 cases[i].name ? 0 : -EINVAL);
                if (cases[i].name)
                        assert_string_equal(name, cases[i].name);
        }
}

static void test_complete(void **state) {
        static const struct {
                const char *text, *name;
        } cases[] = {
                { "foo", "foo.service" },
                { "foo.service", "foo.service" },
                { "foo.bar", "foo.bar.service" },
                { "foo.slice", "foo.slice" },
                { "foo@bar", "foo@bar.service" },
                { "foo@", "foo@.service" },
                { "", NULL },
                { ".service", NULL },
                { "a/b", NULL },
                { "a b", NULL },
                { "../x", NULL },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *name = NULL;

                assert_int_equal(unit_name_complete(cases[i].text, &name), cases[i].name ? 0 : -EINVAL);
                if (cases[i].name)
                        assert_string_equal(name, cases[i].name);
        }
}

static const struct {
        const char *text, *escaped;
} escapes[] = {
        { "foobar", "foobar" },
        { "a/b/c", "a-b-c" },
        { "/", "-" },
        { "a-b", "a\\x2db" },
        { ".hidden", "\\x2ehidden" },
        { "a.b", "a.b" },
        { "Hallöchen, Meister", "Hall\\xc3\\xb6chen\\x2c\\x20Meister" },
        { "a@b", "a\\x40b" },
        { "a\\b", "a\\x5cb" },
        { "\033\n", "\\x1b\\x0a" },
        { "100%", "100\\x25" },
};

static void test_escape(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++) {
                _cleanup_(freep) char *escaped = NULL, *plain = NULL, *name = NULL;

                assert_int_equal(unit_name_escape(escapes[i].text, &escaped), 0);
                assert_string_equal(escaped, escapes[i].escaped);
                assert_int_equal(unit_name_unescape(escaped, &plain), 0);
                assert_string_equal(plain, escapes[i].text);
                assert_int_equal(unit_name_instantiate("a@.service", escaped, &name), 0);
        }
}

static void test_systemd_escapes_alike(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++) {
                _cleanup_(freep) char *output = FOREIGN_CHECK("systemd-escape", escapes[i].text);

                output[strcspn(output, "\n")] = '\0';
                assert_string_equal(output, escapes[i].escaped);
        }
}

static void test_unescape_mistakes(void **state) {
        static const char *const texts[] = {
                "\\", "\\x", "\\x2", "\\xg0", "\\x0g", "\\n", "a\\x00b", "\\X2d"
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char *plain = NULL;

                assert_int_equal(unit_name_unescape(texts[i], &plain), -EINVAL);
        }
}

static void test_slices(void **state) {
        static const struct {
                const char *name, *path, *parent;
        } cases[] = {
                { "-.slice", "", NULL },
                { "a.slice", "a.slice", "-.slice" },
                { "a-b.slice", "a.slice/a-b.slice", "a.slice" },
                { "a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice", "a-b.slice" },
                { "a\\x2db-c.slice", "a\\x2db.slice/a\\x2db-c.slice", "a\\x2db.slice" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *path = NULL, *parent = NULL;

                assert_int_equal(unit_slice_path(cases[i].name, &path), 0);
                assert_string_equal(path, cases[i].path);
                assert_int_equal(unit_slice_parent(cases[i].name, &parent), 0);
                if (cases[i].parent)
                        assert_string_equal(parent, cases[i].parent);
                else
                        assert_null(parent);
        }
        char *text;
        assert_int_equal(unit_slice_path("a.service", &text), -EINVAL);
        assert_int_equal(unit_slice_path("a--b.slice", &text), -EINVAL);
        assert_int_equal(unit_slice_parent("../a.slice", &text), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kind),
                cmocka_unit_test(test_longest),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_instantiate),
                cmocka_unit_test(test_complete),
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_systemd_escapes_alike),
                cmocka_unit_test(test_unescape_mistakes),
                cmocka_unit_test(test_slices),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
