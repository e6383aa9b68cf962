/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

/* Whether resolving with the argument finds nothing wrong. */
static bool is_fine(const char *argument) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        assert_int_equal(load(&loaded, "--bootable", "--architecture=x86-64", argument), 0);
        return resolve(loaded) == 0;
}

static void test_values(void **state) {
        static const char *const fine[] = {
                "--hostname=a",
                "--hostname=host-1.example.org",
                "--hostname=9",
                "--hostname=",
                "--seed=01234567-89ab-cdef-0123-456789abcdef",
                "--seed=0123456789abcdef0123456789abcdef",
                "--esp-size=33M",
                "--ram=128M",
                "--release=stable-updates",
                "--mirror=file:///srv/archive",
                "--package=libstdc++6",
                "--package=foo=1.2",
                "--boot-protocols=uefi,bios",
                "--repositories=non-free-firmware,main/debug,copr:host:user:name",
                "--kernel-command-line=a=\"b c\"\td",
                "--kernel-command-line=",
                "--password=",
        };
        static const char *const wrong[] = {
                "--hostname=-a",
                "--hostname=a-",
                "--hostname=a..b",
                "--hostname=.a",
                "--hostname=a.",
                "--hostname=a_b",
                "--hostname=a/b",
                "--hostname=ä",
                "--hostname=0123456789012345678901234567890123456789012345678901234567890123", /* a label of 64 */
                "--hostname=a234567890.a234567890.a234567890.a234567890.a234567890.a234567890", /* 65 */
                "--seed=1",
                "--seed=0123456789abcdef0123456789abcdeg",
                "--esp-size=32M",
                "--ram=127M",
                "--release=a/b",
                "--release=-x",
                "--release=a b",
                "--mirror=-x",
                "--package=-y",
                "--package=.",
                "--boot-protocols=efi",
                "--repositories=-main",
                "--repositories=main);touch${IFS}/x;;y", /* debootstrap evaluates components */
                "--release=$(id)",
                "--kernel-command-line=a\nb",
                "--password=a\nb",
        };

        for (size_t i = 0; i < ELEMENTSOF(fine); i++)
                if (!is_fine(fine[i]))
                        fail_msg("%s is refused", fine[i]);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (is_fine(wrong[i]))
                        fail_msg("%s is taken", wrong[i]);
}

/* Longer ones crypt(3) refuses, when the build is nearly done. */
static void test_password_length(void **state) {
        char argument[sizeof("--password=") + 512] = "--password=";

        memset(argument + strlen(argument), 'x', 511);
        assert_true(is_fine(argument));
        argument[strlen(argument)] = 'x';
        assert_false(is_fine(argument));
}

static void resolve_wrong(LoadedConfig *loaded, const char *expected) {
        assert_int_equal(resolve(loaded), -EINVAL);
        assert_texts(loaded->mistakes.texts, expected);
}

/* Defect 58 of the tool of 2017: such a script failed only when the build was half done. */
static void test_scripts_must_be_executable(void **state) {
        put_file("mkosi.build", "", 0644);
        put_file("scripts/late", "", 0600);
        put_file("fine", "", 0700);
        put_file("mkosi.default", "[Packages]\nPostInstallationScript=scripts/late\nFinalizeScript=fine\n",
                 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);

        resolve_wrong(
                loaded,
                "mkosi.build is not executable; run: chmod +x mkosi.build\n"
                "mkosi.default:2: PostInstallationScript=scripts/late is not executable; run: chmod +x scripts/late\n");
}

static void test_inputs_must_be_there(void **state) {
        put_file("file", "", 0644);
        put_directory("directory");
        put_file(
                "mkosi.default",
                "[Distribution]\nRepositoryKeys=file directory /dev/null\n"
                "[Packages]\nExtraTrees=directory file /nonexistent\nSkeletonTrees=/dev/null\nBuildSources=file\n"
                "NSpawnSettings=directory\nBuildScript=directory\n",
                0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);

        resolve_wrong(loaded,
                      "mkosi.default:8: BuildScript=directory is no regular file\n"
                      "mkosi.default:6: BuildSources=file is no directory\n"
                      "mkosi.default:4: ExtraTrees=/nonexistent cannot be read: No such file or directory\n"
                      "mkosi.default:5: SkeletonTrees=/dev/null is neither a directory nor an archive\n"
                      "mkosi.default:2: RepositoryKeys=/dev/null is neither a file nor a directory\n"
                      "mkosi.default:7: NSpawnSettings=directory is no regular file\n");
}

static void test_secure_boot_needs_key_and_certificate(void **state) {
        put_file("mkosi.secure-boot.key", "", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded, "--bootable", "--secure-boot"), 0);

        resolve_wrong(
                loaded,
                "command line, --secure-boot: SecureBoot=yes needs a key and a certificate: SecureBootKey= and "
                "SecureBootCertificate=, or the files mkosi.secure-boot.key and mkosi.secure-boot.crt\n");
        put_file("mkosi.secure-boot.crt", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *complete = load_fine("--bootable", "--secure-boot");
        assert_in_project(complete->config.secure_boot_certificate, "/mkosi.secure-boot.crt");
}

/* What libcryptsetup would refuse when the build is nearly done. */
static void test_key_derivation(void **state) {
        static const char *const fine[] = { "--encrypt-kdf=argon2id",    "--encrypt-kdf=argon2id:4",
                                            "--encrypt-kdf=pbkdf2:1000", "--encrypt-kdf=pbkdf2",
                                            "--encrypt-kdf-memory=32K",  "--encrypt-kdf-memory=4G" };
        static const char *const wrong[] = { "--encrypt-kdf=argon2id:3", "--encrypt-kdf=pbkdf2:999",
                                             "--encrypt-kdf-memory=31K", "--encrypt-kdf-memory=5G" };
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;

        for (size_t i = 0; i < ELEMENTSOF(fine); i++)
                if (!is_fine(fine[i]))
                        fail_msg("%s is refused", fine[i]);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (is_fine(wrong[i]))
                        fail_msg("%s is taken", wrong[i]);
        assert_int_equal(load(&loaded, "--encrypt=all", "--encrypt-kdf=pbkdf2:5"), 0);
        resolve_wrong(loaded,
                      "command line, --encrypt-kdf: EncryptKDF=pbkdf2:5 is too weak, it iterates at least "
                      "1000 times\n");
}

/* What a URI means is found out by OpenSSL; but a PIN in it would be shown. */
static void test_secure_boot_key_by_uri(void **state) {
        put_file("mkosi.secure-boot.crt", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *fine =
                load_fine("--bootable", "--secure-boot", "--secure-boot-key=pkcs11:token=teapot;object=key");
        assert_string_equal(fine->config.secure_boot_key, "pkcs11:token=teapot;object=key");

        _cleanup_(loaded_config_freep) LoadedConfig *pin = NULL, *path = NULL;
        assert_int_equal(load(&pin, "--bootable", "--secure-boot",
                              "--secure-boot-key=pkcs11:object=key?pin-value=1"),
                         0);
        resolve_wrong(pin, "command line, --secure-boot-key: SecureBootKey= must not hold a PIN: put it into "
                           "mkosi.secure-boot.passphrase, with mode 0600\n");
        assert_int_equal(load(&path, "--bootable", "--secure-boot", "--secure-boot-key=./pkcs11:key"), 0);
        resolve_wrong(
                path,
                "command line, --secure-boot-key: SecureBootKey=pkcs11:key cannot be read: No such file or "
                "directory\n");
}

/* A key without its certificate, or the other way round, is no wish for an image without a signature. */
/* For what is signed elsewhere the certificates are enough, and are needed. */
static void test_signed_elsewhere(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *wrong = NULL;

        assert_int_equal(load(&wrong, "--bootable", "--secure-boot", "--sign-offline"), 0);
        resolve_wrong(
                wrong,
                "command line, --secure-boot: SecureBoot=yes with SignOffline=yes needs the certificate "
                "of the key: SecureBootCertificate=, or the file mkosi.secure-boot.crt\n");
        put_file("mkosi.secure-boot.crt", "", 0644);
        put_file("mkosi.verity.crt", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *complete =
                load_fine("--bootable", "--secure-boot", "--verity", "--sign-offline");
        assert_null(complete->mistakes.warnings);
}

static void test_verity_key_and_certificate(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *key = NULL, *certificate = NULL, *pin = NULL;

        put_file("mkosi.verity.key", "", 0600);
        assert_int_equal(load(&key, "--verity"), 0);
        resolve_wrong(key, "mkosi.verity.key: A key for the verity signature needs its certificate: "
                           "VerityCertificate=, or the file mkosi.verity.crt\n");
        put_file("mkosi.verity.crt", "", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *complete = load_fine("--verity");
        assert_in_project(complete->config.verity_certificate, "/mkosi.verity.crt");
        assert_int_equal(unlink("mkosi.verity.key"), 0);
        assert_int_equal(load(&certificate, "--verity"), 0);
        resolve_wrong(certificate, "mkosi.verity.crt: A certificate for the verity signature needs its key: "
                                   "VerityKey=, or the file mkosi.verity.key\n");
        assert_int_equal(load(&pin, "--verity", "--verity-key=pkcs11:object=key?pin-value=1"), 0);
        resolve_wrong(pin, "command line, --verity-key: VerityKey= must not hold a PIN: put it into "
                           "mkosi.verity.passphrase, with mode 0600\n");
}

static void test_common_name(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *empty = NULL, *too_long = NULL;
        assert_int_equal(load(&empty, "--secure-boot-common-name="), 0);
        resolve_wrong(
                empty,
                "command line, --secure-boot-common-name: SecureBootCommonName= has 1 to 64 characters\n");
        assert_int_equal(load(&too_long, "--secure-boot-common-name="
                                         "123456789 123456789 123456789 123456789 123456789 123456789 12345"),
                         0);
        resolve_wrong(
                too_long,
                "command line, --secure-boot-common-name: SecureBootCommonName= has 1 to 64 characters\n");
}

/* A secret is not repeated by the message that refuses it. */
static void test_password_is_not_said(void **state) {
        put_file("mkosi.rootpw", "two\nlines", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        assert_int_equal(load(&loaded), 0);
        resolve_wrong(loaded, "mkosi.rootpw: A password is one line\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_values),
                TEST(test_password_length),
                TEST(test_scripts_must_be_executable),
                TEST(test_inputs_must_be_there),
                TEST(test_secure_boot_needs_key_and_certificate),
                TEST(test_secure_boot_key_by_uri),
                TEST(test_signed_elsewhere),
                TEST(test_verity_key_and_certificate),
                TEST(test_common_name),
                TEST(test_password_is_not_said),
                TEST(test_key_derivation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
