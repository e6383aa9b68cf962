/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/opensuse.h"
#include "distro/zypper-config.h"

static ZypperConfig make(const char *release, const char *port) {
        return (ZypperConfig){
                .archive = distro_opensuse.zypper,
                .release = release,
                .architecture = "aarch64",
                .port = port,
        };
}

static void test_releases(void **state) {
        static const char *const good[] = { "tumbleweed", "20260420", "15.6", "16.0", "42.3" };
        static const char *const bad[] = { "",       "leap",    "15.", ".6",    "15.6/..",
                                           "15.6.1", "../15.6", "-1",  "15.6 ", "12345678901234567" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(zypper_release_is_valid(distro_opensuse.zypper, good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(zypper_release_is_valid(distro_opensuse.zypper, bad[i]));
        assert_false(zypper_release_is_valid(distro_opensuse.zypper, NULL));
}

static void test_layouts(void **state) {
        static const struct {
                const char *release, *port;
                ZypperLayout layout;
        } cases[] = {
                { "tumbleweed", NULL, ZYPPER_LAYOUT_ROLLING },
                { "20260420", NULL, ZYPPER_LAYOUT_ROLLING },
                { "tumbleweed", "aarch64", ZYPPER_LAYOUT_ROLLING_PORTS },
                { "15.6", "aarch64", ZYPPER_LAYOUT_UPDATES },
                { "16.0", "aarch64", ZYPPER_LAYOUT_WHOLE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const ZypperConfig config = make(cases[i].release, cases[i].port);

                assert_int_equal(zypper_layout(&config), cases[i].layout);
        }
}

/* The addresses of all repositories that are used, as the files for zypper have them. */
static void expect_urls(const ZypperConfig *config, const char *expected) {
        _cleanup_(strv_freep) char **urls = NULL;
        _cleanup_(freep) char *joined = NULL;

        for (const ZypperRepository *repository = config->archive->repositories; repository->id;
             repository++) {
                _cleanup_(freep) char *text = NULL;

                if (!zypper_repository_is_chosen(config, repository))
                        continue;
                assert_int_equal(zypper_repository_format(config, repository, &text), 0);
                char *url = strstr(text, "\nbaseurl=") + strlen("\nbaseurl=");
                *strchr(url, '\n') = '\0';
                assert_int_equal(strv_append(&urls, url), 0);
        }
        assert_int_equal(strv_join(STRV(urls), " ", &joined), 0);
        assert_string_equal(joined, expected);
}

static void test_addresses(void **state) {
        static const char *const all[] = { "non-oss", "oss", NULL };
        ZypperConfig config = make("tumbleweed", NULL);

        expect_urls(&config, "https://download.opensuse.org/tumbleweed/repo/oss/ "
                             "https://download.opensuse.org/update/tumbleweed/");
        config.mirror = "file:///srv/suse//";
        config.repositories = all;
        expect_urls(&config,
                    "file:///srv/suse/tumbleweed/repo/oss/ file:///srv/suse/tumbleweed/repo/non-oss/");

        config = make("tumbleweed", "riscv");
        expect_urls(&config, "https://download.opensuse.org/ports/riscv/tumbleweed/repo/oss/");
        config = make("15.6", "aarch64");
        config.mirror = "http://m";
        expect_urls(&config, "http://m/distribution/leap/15.6/repo/oss/ http://m/update/leap/15.6/oss/ "
                             "http://m/update/leap/15.6/sle/ http://m/update/leap/15.6/backports/");
        config = make("16.0", "aarch64");
        config.mirror = "http://m";
        expect_urls(&config, "http://m/distribution/leap/16.0/repo/oss/aarch64/");
}

static void test_unknown_repositories(void **state) {
        static const char *const names[] = { "oss", "update", "nosuch", NULL };
        ZypperConfig config = make("16.0", NULL);

        assert_null(zypper_unknown_repository(&config));
        config.repositories = names;
        assert_string_equal(zypper_unknown_repository(&config), "update");
        config.release = "15.6";
        assert_string_equal(zypper_unknown_repository(&config), "nosuch");
}

/* What a build believes is signed twice, and by no key that the mirror names. */
static void test_signatures_are_checked(void **state) {
        _cleanup_(freep) char *text = NULL, *image = NULL;
        const ZypperConfig config = make("tumbleweed", NULL);

        assert_int_equal(zypper_repository_format(&config, config.archive->repositories, &text), 0);
        assert_non_null(strstr(text, "\ngpgcheck=1\n"));
        assert_non_null(strstr(text, "\nrepo_gpgcheck=1\n"));
        assert_non_null(strstr(text, "\npkg_gpgcheck=1\n"));
        assert_null(strstr(text, "gpgkey"));
        assert_int_equal(zypper_image_repository_format(&config, config.archive->repositories, &image), 0);
        assert_string_equal(image, "[repo-oss]\n"
                                   "name=repo-oss\n"
                                   "baseurl=https://download.opensuse.org/tumbleweed/repo/oss/\n"
                                   "type=rpm-md\n"
                                   "enabled=1\n"
                                   "autorefresh=1\n"
                                   "keeppackages=0\n");
}

static void test_library_configuration(void **state) {
        static const struct {
                bool with_docs;
                const char *architecture, *text;
        } cases[] = {
                { true, NULL, "[main]\n" },
                { false, NULL, "[main]\nrpm.install.excludedocs = yes\n" },
                { true, "aarch64", "[main]\narch = aarch64\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(
                        zypper_library_configuration(cases[i].with_docs, cases[i].architecture, &text), 0);
                assert_string_equal(text, cases[i].text);
        }
        assert_non_null(strstr(zypper_macros, "%_dbpath /usr/lib/sysimage/rpm\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_layouts),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_unknown_repositories),
                cmocka_unit_test(test_signatures_are_checked),
                cmocka_unit_test(test_library_configuration),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
