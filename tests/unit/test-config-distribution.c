/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "config/config-stages.h"

typedef struct HostCase {
        const char *os_release, *machine, *distribution, *release, *architecture;
} HostCase;

static const HostCase host_cases[] = {
        { "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n", "x86_64", "debian", "bookworm",
          "x86-64" },
        { "ID=debian\nVERSION_CODENAME=forky\n", "aarch64", "debian", "forky", "arm64" },
        { "ID=debian\n", "riscv64", "debian", "trixie", "riscv64" },
        { "ID=ubuntu\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\n", "x86_64", "ubuntu", "noble",
          "x86-64" },
        { "ID=fedora\nVERSION_ID=41\n", "i686", "fedora", "41", "x86" },
        { "ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"\n", "x86_64", "opensuse", "15.6", "x86-64" },
        { "ID='arch'\n", "x86_64", "arch", NULL, "x86-64" },
        { "ID=\"almalinux\"\nVERSION_ID=\"10.1\"\n", "x86_64", "alma", "10", "x86-64" },
        { "ID=\"rocky\"\nVERSION_ID=\"9.6\"\n", "x86_64", "rocky", "9", "x86-64" },
        { "ID=clear-linux-os\nVERSION_ID=41000\n", "x86_64", "clear", "latest", "x86-64" },
};

static LoadedConfig *resolve_on(const char *os_release, const char *machine, int *ret, const char *argument) {
        LoadedConfig *loaded = NULL;

        put_file(".host/etc/os-release", os_release, 0644);
        assert_int_equal(load(&loaded, argument), 0);
        *ret = config_resolve_distribution(loaded, &(ConfigHost){ .root = ".host", .machine = machine });
        return loaded;
}

static void test_hosts(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(host_cases); i++) {
                const HostCase *host = &host_cases[i];
                int r;
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        resolve_on(host->os_release, host->machine, &r, "--debug");

                assert_fine(loaded, r);
                assert_string_equal(distribution_words[loaded->config.distribution], host->distribution);
                assert_string_equal(architecture_words[loaded->config.architecture], host->architecture);
                assert_int_equal(loaded->host_architecture, loaded->config.architecture);
                if (host->release)
                        assert_string_equal(loaded->config.release, host->release);
                else
                        assert_null(loaded->config.release);
                assert_where(loaded, CONFIG(distribution), 0, "derived from the host's os-release");
        }
}

static void test_another_distribution_than_the_hosts(void **state) {
        static const struct {
                const char *argument, *release, *mirror, *repositories;
        } cases[] = {
                { "-ddebian", "trixie", "http://deb.debian.org/debian", "main" },
                { "-dubuntu", "resolute", "http://archive.ubuntu.com/ubuntu", "main" },
                { "-darch", NULL, "https://geo.mirror.pkgbuild.com", "" },
                { "-dopensuse", "tumbleweed", "https://download.opensuse.org", "" },
                { "-dcentos", "10", NULL, "" },
                { "-dalma", "10", NULL, "" },
                { "-drocky", "10", NULL, "" },
                { "-dmageia", "9", NULL, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int r;
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        resolve_on("ID=fedora\nVERSION_ID=41\n", "x86_64", &r, cases[i].argument);

                assert_fine(loaded, r);
                if (cases[i].mirror)
                        assert_string_equal(loaded->config.mirror, cases[i].mirror);
                else
                        assert_null(loaded->config.mirror);
                assert_list(loaded->config.repositories, cases[i].repositories);
                if (cases[i].release)
                        assert_string_equal(loaded->config.release, cases[i].release);
                else
                        assert_null(loaded->config.release);
        }
}

static void test_unknown_hosts(void **state) {
        int r;
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                resolve_on("ID=plan9\n", "pdp11", &r, "--debug");

        assert_int_equal(r, 0);
        assert_texts(loaded->mistakes.texts,
                     "Set Distribution=, the host's (plan9) is none that images are made of\n"
                     "Set Architecture=, the host's (pdp11) is none that images are made for\n");
        assert_int_equal(loaded->host_architecture, ARCHITECTURE_MAX);
}

static void test_hosts_without_a_name(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded), 0);
        assert_int_equal(config_resolve_distribution(loaded, &(ConfigHost){ .root = ".nowhere",
                                                                            .machine = "x86_64" }),
                         0);
        assert_texts(loaded->mistakes.texts,
                     "Set Distribution=, the host's (without os-release) is none that images are made of\n");
}

static void test_a_release_where_there_is_none(void **state) {
        put_file("mkosi.default", "[Distribution]\nDistribution=arch\nRelease=(rolling)\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_texts(loaded->mistakes.warnings,
                     "mkosi.default:3: Release= is ignored, arch has no releases\n");
}

static void test_cache_directories(void **state) {
        static const char *const cases[][2] = {
                { "--release=sid", "/mkosi.cache/debian~sid" },
                { "--distribution=arch", "/mkosi.cache/arch" },
                { "--distribution=clear", "/mkosi.cache/clear" },
                { "--cache=other", "/other" },
        };

        put_directory("mkosi.cache");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine(cases[i][0]);

                assert_in_project(loaded->config.cache, cases[i][1]);
        }
}

static void test_ports_have_a_mirror_of_their_own(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-dubuntu", "--architecture=aarch64");

        assert_string_equal(loaded->config.mirror, "http://ports.ubuntu.com/ubuntu-ports");
}

/* What is named replaces the default as a whole. */
static void test_what_boots_has_a_repository_of_its_own(void **state) {
        static const struct {
                const char *arguments[3], *repositories;
        } cases[] = {
                { { "-dubuntu", "--bootable=no" }, "main" },
                { { "-dubuntu", "--bootable" }, "main universe" },
                { { "-dubuntu", "--bootable", "--repositories=main" }, "main" },
                { { "-ddebian", "--bootable" }, "main" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                        load_fine(cases[i].arguments[0], cases[i].arguments[1], cases[i].arguments[2]);

                assert_list(loaded->config.repositories, cases[i].repositories);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_hosts),
                TEST(test_another_distribution_than_the_hosts),
                TEST(test_unknown_hosts),
                TEST(test_hosts_without_a_name),
                TEST(test_a_release_where_there_is_none),
                TEST(test_cache_directories),
                TEST(test_ports_have_a_mirror_of_their_own),
                TEST(test_what_boots_has_a_repository_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
