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
                { { "-dclear" }, "command line, -d: Distribution=clear is" },
                { { "-tgpt_xfs" }, "command line, -t: Format=gpt_xfs is" },
                { { "-b", "--boot-protocols=uefi,bios" },
                  "command line, --boot-protocols: BootProtocols=bios is" },
                { { "--all" }, "command line, --all: --all is" },
                { { "--xbootldr-size=1G" }, "command line, --xbootldr-size: BootLoaderSize=1G is" },
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
                { "--architecture=arm64", "--bootable" },
                { "-b", "--kernel-command-line=console=ttyS0", "--esp-size=64M" },
                { "-tdirectory", "--hostname=x", "--password=y" },
                { "--read-only", "--root-size=2G", "--with-docs" },
                { "-ff", "--extra-tree=tree", "--cache=cache" },
                /* Values that ask for nothing. */
                { "--xz=no", "--encrypt=off", "--verity" },
                { "--compress=no", "--sign=no", "--checksum=no" },
                { "--xz", "--qcow2", "--settings=script" },
                { "--compress-output=zstd:3", "--bmap", "--manifest" },
                { "--swap-size=1G", "--home-size=1G", "--srv-size=1G" },
                { "--encrypt=all", "--encrypt-kdf=pbkdf2" },
                { "-ttar", "--sign" },
                { "-tsubvolume", "--read-only" },
                { "-tgpt_btrfs", "--compress=zstd:3" },
                { "-tgpt_squashfs", "--compress=xz" },
                { "-tplain_squashfs", "--checksum" },
                /* Without a build script these do nothing. */
                { "--build-package=gcc", "--build-dir=b", "--with-network" },
                { "--without-tests", "--git-files=others", "--key=me" },
                { "--build-script=script", "--build-package=gcc", "--with-network" },
                { "--postinst-script=script", "--finalize-script=script", "--prepare-script=script" },
                { "-i", "--skeleton-tree=tree", "--extra-tree=script" },
        };

        put_directory("tree");
        put_file("script", "", 0755);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_case(cases[i]);

                assert_fine(loaded, config_check_planned(loaded));
        }
}

/* All at once, each where it was said; what follows from another setting is not refused a second time. */
static void test_all_are_named(void **state) {
        put_file("mkosi.default", "[Distribution]\nDistribution=clear\n[Output]\nFormat=gpt_xfs\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_int_equal(config_check_planned(loaded), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "mkosi.default:2: Distribution=clear is not supported by this version: it installs debian, ubuntu, fedora, opensuse, arch, mageia, centos, alma and rocky\n"
                "mkosi.default:4: Format=gpt_xfs is not supported by this version: an xfs file system cannot be filled "
                "without mounting it, which no build of mkosi does; gpt_ext4 and gpt_btrfs can\n");
}

static void test_the_hosts_distribution_counts(void **state) {
        put_file(".host/etc/os-release", "ID=clear-linux-os\n", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine();

        assert_int_equal(config_check_planned(loaded), -EINVAL);
        assert_texts(
                loaded->mistakes.texts,
                "derived from the host's os-release: Distribution=clear is not supported by this version: it "
                "installs debian, ubuntu, fedora, opensuse, arch, mageia, centos, alma and rocky\n");
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
