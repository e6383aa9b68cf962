/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/arch.h"
#include "distro/pacman-conf.h"

#define OPTIONS                                     \
        "[options]\n"                               \
        "RootDir = /run/tree/\n"                    \
        "DBPath = /run/tree/var/lib/pacman/\n"      \
        "CacheDir = /run/pacman/cache/\n"           \
        "LogFile = /dev/null\n"                     \
        "GPGDir = /run/pacman/gnupg/\n"             \
        "HookDir = /run/tree/etc/pacman.d/hooks/\n" \
        "HookDir = /run/pacman/hooks/\n"            \
        "SigLevel = Required DatabaseOptional\n"    \
        "HoldPkg = pacman glibc\n"                  \
        "CheckSpace\n"                              \
        "NoProgressBar\n"                           \
        "ParallelDownloads = 5\n"                   \
        "Architecture = x86_64\n"

static void test_format(void **state) {
        static const char *const extra[] = { "extra", NULL };
        _cleanup_(freep) char *text = NULL;
        PacmanConf conf = { .archive = distro_arch.pacman, .architecture = "x86_64", .with_docs = true };

        assert_int_equal(pacman_conf_format(&conf, &text), 0);
        assert_string_equal(text, OPTIONS "\n[core]\n"
                                          "Server = https://geo.mirror.pkgbuild.com/$repo/os/$arch\n"
                                          "\n[extra]\n"
                                          "Server = https://geo.mirror.pkgbuild.com/$repo/os/$arch\n");
        free(TAKE_PTR(text));

        conf.mirror = "file:///srv/arch//";
        conf.repositories = extra;
        conf.with_docs = false;
        assert_int_equal(pacman_conf_format(&conf, &text), 0);
        assert_non_null(text_after_prefix(text, OPTIONS "NoExtract = usr/share/doc/*"));
        assert_non_null(strstr(text, " !usr/share/locale/locale.alias\n"));
        assert_true(text_ends_with(text, "\n\n[extra]\nServer = file:///srv/arch/$repo/os/$arch\n"));
        assert_null(strstr(text, "licenses"));
}

static void test_server(void **state) {
        static const char *const cases[][2] = {
                { NULL, "https://geo.mirror.pkgbuild.com/$repo/os/$arch" },
                { "", "https://geo.mirror.pkgbuild.com/$repo/os/$arch" },
                { "http://mirror/archlinux/", "http://mirror/archlinux/$repo/os/$arch" },
                { "http://mirror/$arch/$repo", "http://mirror/$arch/$repo" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *server = NULL;

                assert_int_equal(pacman_conf_server(distro_arch.pacman, cases[i][0], &server), 0);
                assert_string_equal(server, cases[i][1]);
        }
}

static void test_repository_is_valid(void **state) {
        static const char *const good[] = { "core", "extra-testing", "multilib", "my.repo_1", "a" };
        static const char *const bad[] = {
                "", "options", "local", "a b", "a]", "a/b", "-a", ".a", "a\n", "ü"
        };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(pacman_repository_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(pacman_repository_is_valid(bad[i]));
}

static void test_arguments(void **state) {
        static const char *const packages[] = { "base", "-x", NULL };
        static const char *const expected[] = {
                [PACMAN_DOWNLOAD] =
                        "pacman --config /run/pacman/pacman.conf --noconfirm --color never --needed "
                        "-Syuw -- base -x",
                [PACMAN_INSTALL] =
                        "pacman --config /run/pacman/pacman.conf --noconfirm --color never --needed "
                        "-Su -- base -x",
        };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                _cleanup_(strv_freep) char **arguments = NULL;
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(pacman_arguments((PacmanAction)i, packages, &arguments), 0);
                assert_int_equal(strv_join(STRV(arguments), " ", &text), 0);
                assert_string_equal(text, expected[i]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_server),
                cmocka_unit_test(test_repository_is_valid),
                cmocka_unit_test(test_arguments),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
