/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "unit/host.h"
#include "unit/specifier.h"

static void test_unit(void **state) {
        static const struct {
                const char *text, *unit, *expanded;
        } cases[] = {
                { "", "a.service", "" },
                { "plain", "a.service", "plain" },
                { "%%", "a.service", "%" },
                { "%%i", "a@b.service", "%i" },
                { "%n|%N|%p|%i", "foo-bar@in-st.service",
                  "foo-bar@in-st.service|foo-bar@in-st|foo-bar|in-st" },
                { "%P|%I|%j|%J|%f", "foo-bar@in-st.service", "foo/bar|in/st|bar|bar|/in/st" },
                { "%n|%N|%p|%i|%I", "foo.service", "foo.service|foo|foo||" },
                { "%f", "foo-bar.service", "/foo/bar" },
                { "%f", "-foo.service", "/foo" },
                { "%I", "a@x\\x2dy\\x25n.service", "x-y%n" },
                { "%I", "a@\\x2e\\x2e-etc.service", "../etc" },
                { "foobar/%i", "foobard@customerxyz.service", "foobar/customerxyz" },
                { "%S%C%L%E%t%T%V", "a.service", "/var/lib/var/cache/var/log/etc/run/tmp/var/tmp" },
                { "a%ib%ic", "a@1.service", "a1b1c" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *expanded = NULL;

                assert_int_equal(specifier_expand(cases[i].text, cases[i].unit, &expanded, NULL), 0);
                assert_string_equal(expanded, cases[i].expanded);
        }
}

static void expand(const char *text, char **ret) {
        assert_int_equal(specifier_expand(text, "a.service", ret, NULL), 0);
}

static void test_host(void **state) {
        _cleanup_(freep) char *name = NULL, *boot = NULL, *user = NULL, *number = NULL;
        struct utsname host;

        assert_int_equal(uname(&host), 0);
        expand("%v %H", &name);
        assert_non_null(text_after_prefix(name, host.release));
        assert_string_equal(strchr(name, ' ') + 1, host.nodename);
        expand("%b", &boot);
        assert_int_equal(strlen(boot), 32);
        assert_int_equal(strspn(boot, "0123456789abcdef"), 32);
        expand("%U %G", &number);
        assert_int_equal(strtoul(number, NULL, 10), getuid());
        if (getuid() == 0) {
                expand("%u %g %h %s", &user);
                assert_string_equal(user, "root root /root /bin/sh");
        }
        if (text_equal(host.machine, "x86_64")) {
                free(name);
                expand("%a", &name);
                assert_string_equal(name, "x86-64");
        }
}

/* Fields of os-release(5), which may be missing, and what has no file. */
static void test_fields(void **state) {
        static const struct {
                char letter;
                const char *field;
        } cases[] = {
                { 'A', "IMAGE_VERSION" }, { 'B', "BUILD_ID" }, { 'M', "IMAGE_ID" },
                { 'W', "VARIANT_ID" },    { 'o', "ID" },       { 'w', "VERSION_ID" },
        };
        _cleanup_(freep) char *directories = NULL, *pretty = NULL, *name = NULL;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char text[] = { '%', cases[i].letter, '\0' };
                _cleanup_(freep) char *expanded = NULL, *value = NULL;

                if (host_os_field(cases[i].field, &value) < 0)
                        continue; /* a system without the file */
                expand(text, &expanded);
                assert_string_equal(expanded, value);
        }
        expand("%d|%D", &directories);
        assert_string_equal(directories, "/run/credentials/a.service|/usr/share");
        assert_int_equal(host_pretty_name(&pretty), 0);
        expand("%q", &name);
        assert_string_equal(name, pretty);
}

static void test_mistakes(void **state) {
        static const struct {
                const char *text, *unit, *reason;
        } cases[] = {
                { "a%", "a.service", "\"%\" at the end; a percent sign is written \"%%\"" },
                { "100% sure", "a.service", "unknown specifier \"% \"; a percent sign is written \"%%\"" },
                { "%\n", "a.service", "unknown specifier \"%?\"; a percent sign is written \"%%\"" },
                { "%I", "a@b\\c.service", "specifier \"%I\" has no value here: Invalid argument" },
                { "%P", "a\\x00.service", "specifier \"%P\" has no value here: Invalid argument" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                char *expanded = NULL;

                assert_int_equal(specifier_expand(cases[i].text, cases[i].unit, &expanded, &reason), -EINVAL);
                assert_null(expanded);
                assert_string_equal(reason_text(&reason, -EINVAL), cases[i].reason);
        }
}

/* A short text stays short: of 1 MiB "%n" nothing is made that fills the memory. */
static void test_limit(void **state) {
        _cleanup_(freep) char *text = malloc(MIB + 2);
        char name[256], *expanded = NULL;

        memset(name, 'a', sizeof(name));
        (void)stpcpy(name + 200, ".service");
        for (size_t i = 0; i < MIB; i += 2)
                memcpy(text + i, "%n", 2);
        text[MIB] = '\0';
        assert_int_equal(specifier_expand(text, name, &expanded, NULL), -E2BIG);
        text[MIB / 256] = '\0';
        assert_int_equal(specifier_expand(text, name, &expanded, NULL), 0);
        assert_int_equal(strlen(expanded), MIB / 512 * strlen(name));
        free(expanded);

        memset(text, 'a', MIB + 1);
        text[MIB + 1] = '\0';
        assert_int_equal(specifier_expand(text, name, &expanded, NULL), -E2BIG);
        text[MIB] = '\0';
        assert_int_equal(specifier_expand(text, name, &expanded, NULL), 0);
        free(expanded);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unit),     cmocka_unit_test(test_host),  cmocka_unit_test(test_fields),
                cmocka_unit_test(test_mistakes), cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
