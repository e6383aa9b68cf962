/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-sources.h"
#include "distro/debootstrap.h"
#include "distro/ubuntu.h"

#define OWN      "http://archive.ubuntu.com/ubuntu"
#define PORTS    "http://ports.ubuntu.com/ubuntu-ports"
#define SECURITY "http://security.ubuntu.com/ubuntu"

static void test_architectures(void **state) {
        for (unsigned i = 0; i < ARCHITECTURE_MAX; i++) {
                const char *kernel = distro_ubuntu.kernel_packages[i];

                assert_non_null(distro_ubuntu.architectures[i]);
                if (i == ARCHITECTURE_X86)
                        assert_null(kernel);
                else
                        assert_non_null(text_after_prefix(kernel, distro_ubuntu.kernel_prefix));
        }
}

static void test_mirrors(void **state) {
        Config config = { .architecture = ARCHITECTURE_ARM64 };

        assert_string_equal(apt_archive_mirror(distro_ubuntu.apt, ARCHITECTURE_X86_64), OWN);
        assert_string_equal(apt_archive_mirror(distro_ubuntu.apt, ARCHITECTURE_X86), OWN);
        assert_string_equal(apt_archive_mirror(distro_ubuntu.apt, ARCHITECTURE_ARM), PORTS);
        assert_string_equal(apt_mirror(distro_ubuntu.apt, &config), PORTS);
        config.mirror = strdup("file:///srv/ubuntu");
        assert_string_equal(apt_mirror(distro_ubuntu.apt, &config), "file:///srv/ubuntu");
        free(config.mirror);
}

/* Every mirror has all suites; only beside the archive's own there is a server for the last one. */
static void test_suites(void **state) {
        static const struct {
                const char *mirror, *suites, *second;
        } cases[] = {
                { OWN, "noble noble-updates", SECURITY },
                { "http://de.archive.ubuntu.com/ubuntu/", "noble noble-updates", SECURITY },
                { PORTS, "noble noble-updates noble-security", NULL },
                { "http://old-releases.ubuntu.com/ubuntu", "noble noble-updates noble-security", NULL },
                { "https://mirror.example/ubuntu", "noble noble-updates noble-security", NULL },
                { "file:///srv/packages", "noble noble-updates noble-security", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(apt_sources_done) AptSources sources = {};
                _cleanup_(freep) char *suites = NULL;

                assert_int_equal(apt_sources_choose(distro_ubuntu.apt, "noble", cases[i].mirror, &sources),
                                 0);
                assert_false(sources.security_unknown);
                assert_int_equal(strv_join(STRV(sources.items[0].suites), " ", &suites), 0);
                assert_string_equal(suites, cases[i].suites);
                assert_int_equal(sources.n_items, cases[i].second ? 2 : 1);
                if (!cases[i].second)
                        continue;
                assert_string_equal(sources.items[1].mirror, cases[i].second);
                assert_string_equal(sources.items[1].suites[0], "noble-security");
        }
}

static void test_sources(void **state) {
        static const char *const components[] = { "main", "universe", NULL };
        _cleanup_(apt_sources_done) AptSources sources = {};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(apt_sources_choose(distro_ubuntu.apt, "noble", OWN, &sources), 0);
        assert_int_equal(apt_sources_format(distro_ubuntu.apt, &sources, components, &text), 0);
        assert_string_equal(text, "Types: deb\n"
                                  "URIs: " OWN "\n"
                                  "Suites: noble noble-updates\n"
                                  "Components: main universe\n"
                                  "Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"
                                  "\n"
                                  "Types: deb\n"
                                  "URIs: " SECURITY "\n"
                                  "Suites: noble-security\n"
                                  "Components: main universe\n"
                                  "Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n");
}

static void test_debootstrap(void **state) {
        _cleanup_(strv_freep) char **arguments = NULL;
        _cleanup_(freep) char *text = NULL, *release = NULL;

        assert_int_equal(text_copy("no-such-suite", &release), 0);
        const Config config = { .release = release, .architecture = ARCHITECTURE_RISCV64 };
        const Installation installation = { .config = &config, .distro = &distro_ubuntu };
        assert_int_equal(debootstrap_arguments(&installation, &arguments), 0);
        assert_int_equal(strv_join(STRV(arguments), " ", &text), 0);
        assert_string_equal(text,
                            "debootstrap --variant=minbase --merged-usr --force-check-gpg "
                            "--keep-debootstrap-dir --keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg "
                            "--arch=riscv64 --components=main --include=systemd-sysv,dbus,libpam-systemd "
                            "no-such-suite /run/tree " PORTS " /usr/share/debootstrap/scripts/gutsy");
}

static void test_releases(void **state) {
        for (const DistroRelease *release = distro_ubuntu.releases; release->name; release++) {
                assert_true(apt_suite_is_valid(release->name));
                if (release->boot_packages)
                        assert_false(strv_contains(release->boot_packages, "systemd-boot"));
                assert_false(strv_contains(release->encrypt_packages, "systemd-cryptsetup"));
                assert_int_equal(strv_length(release->verity_packages), 0);
        }
        for (size_t i = 0; distro_ubuntu.kernel_names[i]; i++)
                assert_non_null(text_after_prefix(distro_ubuntu.kernel_names[i], "linux-"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_architectures), cmocka_unit_test(test_mirrors),
                cmocka_unit_test(test_suites),        cmocka_unit_test(test_sources),
                cmocka_unit_test(test_debootstrap),   cmocka_unit_test(test_releases),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
