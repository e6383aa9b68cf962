/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "config/config-stages.h"

typedef struct Case {
        const char *arguments[5]; /* NULL: no more */
        const char *message;
} Case;

static LoadedConfig *load_case(const Case *this) {
        LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--debug", this->arguments[0], this->arguments[1], this->arguments[2],
                              this->arguments[3], this->arguments[4]),
                         0);
        return loaded;
}

static void test_contradictions(void **state) {
        put_file("a.key", "", 0600);
        put_file("a.crt", "", 0600);
        /* clang-format off */
        static const Case cases[] = {
                { { "-b", "-ttar" },
                  "command line, -b: Bootable=yes contradicts Format=tar (command line, -t): only disk "
                  "images boot\n" },
                { { "-b", "-tdirectory" },
                  "command line, -b: Bootable=yes contradicts Format=directory (command line, -t): only "
                  "disk images boot\n" },
                { { "--encrypt=all", "-tsubvolume" },
                  "command line, --encrypt: Encrypt=all contradicts Format=subvolume (command line, -t): "
                  "only disk images have partitions to encrypt\n" },
                { { "--encrypt=data", "-traw_btrfs" },
                  "command line, --encrypt: Encrypt=data contradicts Format=gpt_btrfs (command line, -t): "
                  "btrfs keeps data on the root partition\n" },
                { { "--encrypt=all", "--verity" },
                  "command line, --encrypt: Encrypt=all contradicts Verity=yes (command line, --verity): "
                  "an encrypted root partition cannot be verified\n" },
                { { "--verity", "-tdirectory" },
                  "command line, --verity: Verity=yes contradicts Format=directory (command line, -t): "
                  "only disk images have partitions to verify\n" },
                { { "-b", "--secure-boot", "--secure-boot-certificate=a.crt", "--secure-boot-key=a.key",
                    "--sign-offline" },
                  "command line, --secure-boot-key: SecureBootKey=a.key contradicts SignOffline=yes (command "
                  "line, --sign-offline): no key is read, and the certificate is enough\n" },
                { { "--verity", "--verity-certificate=a.crt", "--verity-key=a.key", "--sign-offline" },
                  "command line, --verity-key: VerityKey=a.key contradicts SignOffline=yes (command line, "
                  "--sign-offline): no key is read, and the certificate is enough\n" },
                { { "--verity", "--verity-certificate=a.crt", "--sign-offline", "--compress-output=zstd" },
                  "command line, --compress-output: CompressOutput=zstd contradicts SignOffline=yes (command "
                  "line, --sign-offline): signatures are put into raw images; compress the image when it is "
                  "signed\n" },
                { { "--verity", "--verity-certificate=a.crt", "--sign-offline", "--qcow2" },
                  "command line, --qcow2: QCow2=yes contradicts SignOffline=yes (command line, "
                  "--sign-offline): signatures are put into raw images; convert the image when it is "
                  "signed\n" },
        };
        /* clang-format on */

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_case(&cases[i]);

                assert_int_equal(resolve(loaded), -EINVAL);
                assert_texts(loaded->mistakes.texts, cases[i].message);
        }
}

static void assert_warnings(const Case *cases, size_t n_cases) {
        for (size_t i = 0; i < n_cases; i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_case(&cases[i]);

                assert_fine(loaded, resolve(loaded));
                assert_texts(loaded->mistakes.warnings, cases[i].message);
        }
}

static void test_settings_without_effect(void **state) {
        /* clang-format off */
        static const Case cases[] = {
                { { "--build-package=gcc" },
                  "command line, --build-package: BuildPackages= has no effect without a build script\n" },
                { { "--build-dir=b" },
                  "command line, --build-dir: BuildDirectory=b has no effect without a build script\n" },
                { { "--without-tests" },
                  "command line, --without-tests: WithTests=no has no effect without a build script\n" },
                { { "--with-network" }, "" }, /* it is for what the verbs shell and boot run as well */
                { { "--esp-size=64M" },
                  "command line, --esp-size: ESPSize=64M has no effect without Bootable=yes\n" },
                { { "--kernel-commandline=quiet" },
                  "command line, --kernel-commandline: KernelCommandLine=quiet has no effect without "
                  "Bootable=yes\n" },
                { { "--key=me" }, "command line, --key: Key=me has no effect without Sign=yes\n" },
                { { "--key=me", "--sign", "--sign-offline" },
                  "command line, --key: Key=me has no effect with SignOffline=yes\n" },
                { { "--sign-offline" },
                  "command line, --sign-offline: SignOffline=yes has no effect without SecureBoot=, "
                  "VerityCertificate= or Sign=\n" },
                { { "-ttar", "--root-size=1G" },
                  "command line, --root-size: RootSize=1G has no effect in a Format= whose size is that "
                  "of its content\n" },
                { { "-traw_squashfs", "--root-size=1G" },
                  "command line, --root-size: RootSize=1G has no effect in a Format= whose size is that "
                  "of its content\n" },
                { { "-traw_btrfs", "--home-size=1G" },
                  "command line, --home-size: HomeSize=1G has no effect in a Format= without a partition "
                  "for it\n" },
                { { "-tdirectory", "--xz" },
                  "command line, --xz: XZ=yes has no effect in a Format= that is no single file\n" },
                { { "-tdirectory", "--read-only" },
                  "command line, --read-only: ReadOnly=yes has no effect in a Format= that cannot be marked so\n" },
                { { "--compress" },
                  "command line, --compress: Compress=yes has no effect in a Format= that does not "
                  "compress\n" },
                { { "--mksquashfs=x", "-tgpt_squashfs" },
                  "command line, --mksquashfs: Mksquashfs=x has no effect since squashfs file systems are made "
                  "without a program\n" },
                { { "--bmap", "--qcow2" },
                  "command line, --bmap: Bmap=yes has no effect for an image without free blocks\n" },
                { { "-tsubvolume", "--read-only" }, "" },
                { { "--swap-size=8M" }, "" },
                /* What asks for nothing is nothing to warn of. */
                { { "-tdirectory", "--xz=no", "--read-only=no" }, "" },
                { { "--build-package=", "--compress=no" }, "" },
                { { "-b", "--esp-size=64M", "--kernel-command-line=quiet" }, "" },
        };
        /* clang-format on */

        assert_warnings(cases, ELEMENTSOF(cases));
}

static void test_encryption_without_effect(void **state) {
        /* clang-format off */
        static const Case cases[] = {
                { { "--encrypt=data" },
                  "command line, --encrypt: Encrypt=data has no effect without HomeSize= or SrvSize=\n" },
                { { "--encrypt=all", "--swap-size=8M" },
                  "command line, --swap-size: SwapSize=8M makes a partition that Encrypt=all does not encrypt: "
                  "what was in memory may be read from it. Leave it away, or have a swap file on an encrypted "
                  "file system\n" },
                { { "--encrypt-kdf=pbkdf2" },
                  "command line, --encrypt-kdf: EncryptKDF=pbkdf2 has no effect without Encrypt=\n" },
                { { "--encrypt=all", "--encrypt-kdf=pbkdf2", "--encrypt-kdf-memory=1M" },
                  "command line, --encrypt-kdf-memory: EncryptKDFMemory=1M has no effect without Encrypt= and "
                  "EncryptKDF=argon2id\n" },
                { { "--passphrase-file=file" },
                  "command line, --passphrase-file: PassphraseFile=file has no effect without Encrypt=\n" },
                { { "--encrypt=all", "--encrypt-kdf-memory=1M", "--passphrase-file=file" }, "" },
                { { "--encrypt=data", "--home-size=1G" }, "" },
        };
        /* clang-format on */

        put_file("file", "", 0600);
        assert_warnings(cases, ELEMENTSOF(cases));
}

static void test_effect_follows_what_is_asked(void **state) {
        put_file("mkosi.build", "", 0755);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--build-package=gcc");

        assert_null(loaded->mistakes.warnings);
        assert_true(config_has_effect(&loaded->config, CONFIG(build_packages)));
        assert_true(config_has_effect(&loaded->config, CONFIG(packages)));
        assert_false(config_has_effect(&loaded->config, CONFIG(esp_size)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_contradictions),
                TEST(test_settings_without_effect),
                TEST(test_encryption_without_effect),
                TEST(test_effect_follows_what_is_asked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
