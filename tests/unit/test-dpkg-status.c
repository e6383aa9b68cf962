/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/text.h"
#include "distro/dpkg-status.h"

/* "name version architecture" of each, a line per package. */
static char *parse(const char *text) {
        DistroPackages packages = {};
        char *lines = calloc(1, 4096);
        size_t length = 0;

        assert_int_equal(dpkg_status_parse(text, &packages), 0);
        distro_packages_sort(&packages);
        for (size_t i = 0; i < packages.n_items; i++)
                length +=
                        (size_t)snprintf(lines + length, 4096 - length, "%s %s %s\n", packages.items[i].name,
                                         packages.items[i].version, packages.items[i].architecture);
        distro_packages_done(&packages);
        assert_null(packages.items);
        return lines;
}

static void test_parse(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                { "", "" },
                { "\n\n\n", "" },
                { "Package: zsh\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 5.9-4\n"
                  "Conffiles:\n /etc/zsh 12 obsolete\nDescription: a shell\n Version: 9 is what this line does not say\n"
                  "\n"
                  "Package: base-files\nStatus: install ok installed\nVersion: 12.4+deb12u5\nArchitecture: all\n",
                  "base-files 12.4+deb12u5 all\nzsh 5.9-4 amd64\n" },
                /* Removed, half-way, and with a state that only ends alike. */
                { "Package: a\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n"
                  "Package: b\nStatus: install ok half-installed\nVersion: 1\nArchitecture: all\n\n"
                  "Package: c\nStatus: install ok not-installed\n\n"
                  "Package: d\nStatus: hold ok installed\nVersion: 1\nArchitecture: all",
                  "d 1 all\n" },
                { "Package: e\nStatus: install ok triggers-pending\nVersion: 1\nArchitecture: all\n\n"
                  "Package: f\nStatus: install ok triggers-awaited\nVersion: 1\nArchitecture: all\n",
                  "e 1 all\nf 1 all\n" },
                { "Status: install ok installed\nVersion: 1\nArchitecture: all\n", "" },
                { "Package:libc6\nStatus:\tinstall ok installed \nVersion:1:2.36-9\r\nArchitecture:  i386  \n\n"
                  "Package: libc6\nStatus: install ok installed\nVersion: 1:2.36-9\nArchitecture: amd64\n",
                  "libc6 1:2.36-9 amd64\nlibc6 1:2.36-9 i386\n" },
                { "Packages: no\nPackage: yes\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
                  "yes 1 all\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *lines = parse(cases[i].text);

                assert_string_equal(lines, cases[i].expected);
        }
}

static void test_refused(void **state) {
        static const char *const texts[] = {
                "Package: a\nStatus: install ok installed\nArchitecture: all\n",
                "Package: a\nStatus: install ok installed\nVersion: 1\n",
                "Package: a\nStatus: install ok installed\nVersion:\nArchitecture: all\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                DistroPackages packages = {};

                assert_int_equal(dpkg_status_parse(texts[i], &packages), -EBADMSG);
                distro_packages_done(&packages);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
