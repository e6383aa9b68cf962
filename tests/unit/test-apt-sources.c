/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-sources.h"
#include "distro/debian.h"

#define DEBIAN   "http://deb.debian.org/debian"
#define SECURITY "http://deb.debian.org/debian-security"

static void test_choose(void **state) {
        static const struct {
                const char *release, *mirror; /* given */
                const char *first, *suites;   /* expected */
                const char *second, *security;
                bool unknown;
        } cases[] = {
                { "bookworm", NULL, DEBIAN, "bookworm bookworm-updates", SECURITY, "bookworm-security",
                  false },
                { "bookworm", "", DEBIAN, "bookworm bookworm-updates", SECURITY, "bookworm-security", false },
                { "trixie", DEBIAN "//", DEBIAN, "trixie trixie-updates", SECURITY, "trixie-security",
                  false },
                { "testing", NULL, DEBIAN, "testing testing-updates", SECURITY, "testing-security", false },
                { "buster", NULL, DEBIAN, "buster buster-updates", SECURITY, "buster/updates", false },
                { "sid", NULL, DEBIAN, "sid", NULL, NULL, false },
                { "unstable", NULL, DEBIAN, "unstable", NULL, NULL, false },
                { "experimental", NULL, DEBIAN, "experimental", NULL, NULL, false },
                { "bookworm", "http://ftp.de.debian.org/debian/", "http://ftp.de.debian.org/debian",
                  "bookworm bookworm-updates", SECURITY, "bookworm-security", false },
                { "bookworm", "https://mirror.example/linux/debian", "https://mirror.example/linux/debian",
                  "bookworm bookworm-updates", "https://mirror.example/linux/debian-security",
                  "bookworm-security", false },
                { "bookworm", "http://snapshot.debian.org/archive/debian/20240101T000000Z",
                  "http://snapshot.debian.org/archive/debian/20240101T000000Z", "bookworm bookworm-updates",
                  "http://snapshot.debian.org/archive/debian-security/20240101T000000Z", "bookworm-security",
                  false },
                { "bookworm", "file:///srv/debian", "file:///srv/debian", "bookworm bookworm-updates",
                  "file:///srv/debian-security", "bookworm-security", false },
                { "bookworm", "http://127.0.0.1:8000/fixture", "http://127.0.0.1:8000/fixture",
                  "bookworm bookworm-updates", NULL, NULL, true },
                { "bookworm", "http://debian/", "http://debian", "bookworm bookworm-updates",
                  "http://debian-security", "bookworm-security", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(apt_sources_done) AptSources sources = {};
                _cleanup_(freep) char *suites = NULL;

                assert_int_equal(apt_sources_choose(distro_debian.apt, cases[i].release, cases[i].mirror,
                                                    &sources),
                                 0);
                assert_string_equal(sources.items[0].mirror, cases[i].first);
                assert_int_equal(strv_join(STRV(sources.items[0].suites), " ", &suites), 0);
                assert_string_equal(suites, cases[i].suites);
                assert_int_equal(sources.n_items, cases[i].second ? 2 : 1);
                assert_int_equal(sources.security_unknown, cases[i].unknown);
                if (cases[i].second) {
                        assert_string_equal(sources.items[1].mirror, cases[i].second);
                        assert_string_equal(sources.items[1].suites[0], cases[i].security);
                        assert_null(sources.items[1].suites[1]);
                }
        }
}

static void test_format(void **state) {
        static const char *const components[] = { "main", "non-free-firmware", NULL };
        _cleanup_(apt_sources_done) AptSources sources = {};
        _cleanup_(freep) char *full = NULL, *reduced = NULL;

        assert_int_equal(apt_sources_choose(distro_debian.apt, "bookworm", NULL, &sources), 0);
        assert_int_equal(apt_sources_format(distro_debian.apt, &sources, components, &full), 0);
        assert_string_equal(full, "Types: deb\n"
                                  "URIs: " DEBIAN "\n"
                                  "Suites: bookworm bookworm-updates\n"
                                  "Components: main non-free-firmware\n"
                                  "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
                                  "\n"
                                  "Types: deb\n"
                                  "URIs: " SECURITY "\n"
                                  "Suites: bookworm-security\n"
                                  "Components: main non-free-firmware\n"
                                  "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");

        apt_sources_drop(&sources, "bookworm-updates");
        apt_sources_drop(&sources, "bookworm-security");
        apt_sources_drop(&sources, "never-there");
        assert_int_equal(apt_sources_format(distro_debian.apt, &sources, NULL, &reduced), 0);
        assert_string_equal(reduced, "Types: deb\n"
                                     "URIs: " DEBIAN "\n"
                                     "Suites: bookworm\n"
                                     "Components: main\n"
                                     "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
}

static void test_suite_is_valid(void **state) {
        static const char *const good[] = { "bookworm", "sid", "rc-buggy", "buster/updates", "12", "a.b_c" };
        static const char *const bad[] = { "",    "-v",  "../etc", "a..b", "a b",
                                           "a;b", "a\n", "/abs",   "dir/", "ü" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(apt_suite_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(apt_suite_is_valid(bad[i]));
        assert_false(apt_suite_is_valid(NULL));
}

static void test_optional(void **state) {
        assert_false(apt_sources_suite_is_optional("bookworm", "bookworm"));
        assert_true(apt_sources_suite_is_optional("bookworm-updates", "bookworm"));
        assert_true(apt_sources_suite_is_optional("buster/updates", "buster"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_choose),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_suite_is_valid),
                cmocka_unit_test(test_optional),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
