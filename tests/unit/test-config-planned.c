/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

static LoadedConfig *load_case(const char *const arguments[3]) {
        LoadedConfig *loaded = load_fine("--debug", arguments[0], arguments[1], arguments[2]);

        strv_free(TAKE_PTR(loaded->mistakes.warnings));
        return loaded;
}

static void test_what_is_refused(void **state) {
        static const struct {
                const char *arguments[3], *begin; /* of the only message */
        } cases[] = {
                { { "-dfedora" }, "command line, -d: Distribution=fedora is" },
                { { "-ttar" }, "command line, -t: Format=tar is" },
                { { "--architecture=arm64" }, "command line, --architecture: Architecture=arm64 is" },
                { { "-b", "--boot-protocols=uefi,bios" },
                  "command line, --boot-protocols: BootProtocols=bios is" },
                { { "--encrypt=all" }, "command line, --encrypt: Encrypt=all is" },
                { { "--verity" }, "command line, --verity: Verity=yes is" },
                { { "--xz" }, "command line, --xz: XZ=yes is" },
                { { "--qcow2" }, "command line, --qcow2: QCow2=yes is" },
                { { "-i" }, "command line, -i: --incremental is" },
                { { "--all" }, "command line, --all: --all is" },
                { { "--swap-size=1G" }, "command line, --swap-size: SwapSize=1G is" },
                { { "--home-size=1G" }, "command line, --home-size: HomeSize=1G is" },
                { { "--srv-size=1G" }, "command line, --srv-size: SrvSize=1G is" },
                { { "--xbootldr-size=1G" }, "command line, --xbootldr-size: BootLoaderSize=1G is" },
                { { "--checksum" }, "command line, --checksum: CheckSum=yes is" },
                { { "--sign" }, "command line, --sign: Sign=yes is" },
                { { "--bmap" }, "command line, --bmap: Bmap=yes is" },
                { { "--build-script=script" }, "command line, --build-script: BuildScript=script is" },
                { { "--postinst-script=script" },
                  "command line, --postinst-script: PostInstallationScript=script is" },
                { { "--finalize-script=script" },
                  "command line, --finalize-script: FinalizeScript=script is" },
                { { "--settings=script" }, "command line, --settings: NSpawnSettings=script is" },
                { { "--skeleton-tree=tree" }, "command line, --skeleton-tree: SkeletonTrees= is" },
                { { "--extra-tree=tree", "--extra-tree=script" },
                  "command line, --extra-tree: An archive in ExtraTrees= is" },
        };

        put_file("script", "", 0755);
        put_directory("tree");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_case(cases[i].arguments);

                assert_int_equal(config_check_planned(loaded), -EINVAL);
                assert_int_equal(strv_length(STRV(loaded->mistakes.texts)), 1);
                const char *rest = text_after_prefix(loaded->mistakes.texts[0], cases[i].begin);
                if (!rest || !text_after_prefix(rest, " not supported by this version: "))
                        fail_msg("\"%s\" does not begin with \"%s\"", loaded->mistakes.texts[0],
                                 cases[i].begin);
        }
}

static void test_what_is_built(void **state) {
        static const char *const cases[][3] = {
                { "--debug=no" },
                { "-b", "--kernel-command-line=console=ttyS0", "--esp-size=64M" },
                { "-tdirectory", "--hostname=x", "--password=y" },
                { "--read-only", "--root-size=2G", "--with-docs" },
                { "-ff", "--extra-tree=tree", "--cache=cache" },
                /* Values that ask for nothing. */
                { "--xz=no", "--encrypt=off", "--verity=no" },
                { "--compress=no", "--sign=no", "--checksum=no" },
                /* Without a build script these do nothing. */
                { "--build-package=gcc", "--build-dir=b", "--with-network" },
                { "--without-tests", "--git-files=others", "--key=me" },
        };

        put_directory("tree");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_case(cases[i]);

                assert_fine(loaded, config_check_planned(loaded));
        }
}

/* All at once, each where it was said; what follows from another setting is not refused a second time. */
static void test_all_are_named(void **state) {
        put_file(
                "mkosi.default",
                "[Distribution]\nDistribution=arch\n[Output]\nFormat=tar\n[Packages]\nBuildPackages=gcc\nWithNetwork=yes\n",
                0644);
        put_file("mkosi.build", "", 0755);
        put_file("mkosi.extra.tar", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_int_equal(config_check_planned(loaded), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "mkosi.default:2: Distribution=arch is not supported by this version: it installs debian\n"
                "mkosi.default:4: Format=tar is not supported by this version: it makes gpt_ext4 and directory\n"
                "mkosi.build: BuildScript=mkosi.build is not supported by this version: build scripts are not run "
                "yet\n"
                "mkosi.default:6: BuildPackages= is not supported by this version: build scripts are not run yet\n"
                "mkosi.default:7: WithNetwork=yes is not supported by this version: scripts are not run yet\n"
                "mkosi.extra.tar: An archive in ExtraTrees= is not supported by this version: it copies "
                "directories\n");
}

static void test_the_hosts_distribution_counts(void **state) {
        put_file(".host/etc/os-release", "ID=fedora\nVERSION_ID=41\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_int_equal(config_check_planned(loaded), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "derived from the host's os-release: Distribution=fedora is not supported by this version: it "
                "installs debian\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_what_is_refused),
                TEST(test_what_is_built),
                TEST(test_all_are_named),
                TEST(test_the_hosts_distribution_counts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
