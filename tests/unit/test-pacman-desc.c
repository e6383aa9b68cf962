/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "distro/pacman-desc.h"

#define PLAIN                                                                                            \
        "%NAME%\nbash\n\n%VERSION%\n5.2.037-1\n\n%BASE%\nbash\n\n%DESC%\nThe GNU Bourne Again shell\n\n" \
        "%ARCH%\nx86_64\n\n%BUILDDATE%\n1727000000\n\n%INSTALLDATE%\n1795700774\n\n%SIZE%\n9515520\n\n"  \
        "%LICENSE%\nGPL-3.0-or-later\n\n%VALIDATION%\npgp\n\n%DEPENDS%\nglibc\nlibreadline.so=8-64\n\n"

static void test_parse(void **state) {
        static const struct {
                const char *text, *name, *version, *architecture;
        } cases[] = {
                { PLAIN, "bash", "5.2.037-1", "x86_64" },
                /* In another order, cut off, and with values that look like names or blanks. */
                { "%ARCH%\nany\n\n%NAME%\na\n%VERSION%\n1:2-3", "a", "1:2-3", "any" },
                { "%NAMES%\nno\n\n%NAME%\n%VERSION%\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n", "%VERSION%", "",
                  NULL },
                { "%DESC%\n%NAME% is no line of its own\n\n%NAME%\nb\n\n%VERSION%\n1\n\n%ARCH%\nany\n", "b",
                  "1", "any" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                DistroPackages packages = {};
                const int r = pacman_desc_parse(cases[i].text, &packages);

                if (!cases[i].architecture) {
                        /* The name swallowed a line, so that the version's value is the empty one behind it. */
                        assert_int_equal(r, -EBADMSG);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_int_equal(packages.n_items, 1);
                assert_string_equal(packages.items[0].name, cases[i].name);
                assert_string_equal(packages.items[0].version, cases[i].version);
                assert_string_equal(packages.items[0].architecture, cases[i].architecture);
                distro_packages_done(&packages);
        }
}

static void test_refused(void **state) {
        static const char *const texts[] = {
                "",
                "\n\n",
                "%NAME%",
                "%NAME%\n",
                "%NAME%\na\n\n%VERSION%\n1\n",
                "%NAME%\na\n\n%ARCH%\nany\n",
                "%NAME%\n\n%VERSION%\n1\n\n%ARCH%\nany\n",
                "%VERSION%\n1\n\n%ARCH%\nany\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                DistroPackages packages = {};

                assert_int_equal(pacman_desc_parse(texts[i], &packages), -EBADMSG);
                assert_int_equal(packages.n_items, 0);
        }
}

static void test_clamp_date(void **state) {
        static const struct {
                const char *text;
                uint64_t date_max;
                const char *expected; /* NULL: as it is */
        } cases[] = {
                { "%NAME%\na\n\n%INSTALLDATE%\n1795700774\n\n%SIZE%\n1\n", 1600000000,
                  "%NAME%\na\n\n%INSTALLDATE%\n1600000000\n\n%SIZE%\n1\n" },
                { "%INSTALLDATE%\n17", 0, "%INSTALLDATE%\n0" },
                { "%INSTALLDATE%\n1600000000\n", 1600000000, NULL },
                { "%INSTALLDATE%\n1\n", 1600000000, NULL },
                { "%INSTALLDATE%\ntomorrow\n", 1, NULL },
                { "%INSTALLDATE%\n\n", 1, NULL },
                { "%NAME%\na\n", 1, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(pacman_desc_clamp_date(cases[i].text, cases[i].date_max, &text), 0);
                if (cases[i].expected)
                        assert_string_equal(text, cases[i].expected);
                else
                        assert_null(text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_clamp_date),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
