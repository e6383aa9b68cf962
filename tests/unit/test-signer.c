/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"

#include "capture.h"
#include "key-fixture.h"

#include "image/signer.h"

/* A key and a certificate where a build looks for them. */
static void put_key(const Secret *passphrase) {
        key_fixture_make("mkosi.secure-boot", KEY_PAIR_RSA_2048, passphrase);
}

#define load_signed(...) load_fine("--bootable", "--secure-boot", ##__VA_ARGS__)

static void assert_problems(const LoadedConfig *loaded, const char *expected) {
        _cleanup_(strv_freep) char **problems = NULL;

        assert_int_equal(signer_check(&loaded->config, SIGNER_SECURE_BOOT, &problems), 0);
        assert_texts(problems, expected);
}

static void test_wanted(void **state) {
        put_key(NULL);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed(),
                                                    *unsigned_image = load_fine("--bootable"),
                                                    *no_boot = load_fine("--secure-boot");

        assert_true(signer_wanted(&loaded->config, SIGNER_SECURE_BOOT));
        assert_false(signer_wanted(&unsigned_image->config, SIGNER_SECURE_BOOT));
        assert_false(signer_wanted(&no_boot->config, SIGNER_SECURE_BOOT));
}

static void test_modes(void **state) {
        put_key(NULL);
        put_file("mkosi.secure-boot.passphrase", "open sesame\n", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();

        assert_problems(loaded, "");
        assert_int_equal(chmod("mkosi.secure-boot.key", 0640), 0);
        assert_problems(loaded, "");
        assert_int_equal(chmod("mkosi.secure-boot.key", 0644), 0);
        assert_int_equal(chmod("mkosi.secure-boot.passphrase", 0640), 0);
        assert_problems(
                loaded,
                "mkosi.secure-boot.key holds a private key, and its mode 0644 gives others access to it; "
                "run: chmod 600 mkosi.secure-boot.key\n"
                "mkosi.secure-boot.passphrase holds the passphrase, and has mode 0640: nobody but its owner may have "
                "access to it; run: chmod 600 mkosi.secure-boot.passphrase\n");
        assert_int_equal(chmod("mkosi.secure-boot.key", 0620), 0);
        _cleanup_(strv_freep) char **problems = NULL;
        assert_int_equal(signer_check(&loaded->config, SIGNER_SECURE_BOOT, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 2);
}

/* A key may be named by a URI, and is a file all the same. */
static void test_modes_by_uri(void **state) {
        static const char *const forms[] = { "file:%s/a.key", "file://%s/a.key", "FILE://localhost%s/a.key" };

        put_key(NULL);
        assert_int_equal(rename("mkosi.secure-boot.key", "a.key"), 0);
        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                const char *place = strstr(forms[i], "%s");
                _cleanup_(freep) char *argument = NULL;
                _cleanup_(strv_freep) char **problems = NULL;

                assert_int_equal(text_format(&argument, "--secure-boot-key=%.*s%s%s", (int)(place - forms[i]),
                                             forms[i], fixture_directory, place + 2),
                                 0);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed(argument);
                assert_int_equal(chmod("a.key", 0600), 0);
                assert_problems(loaded, "");
                assert_int_equal(chmod("a.key", 0644), 0);
                assert_int_equal(signer_check(&loaded->config, SIGNER_SECURE_BOOT, &problems), 0);
                assert_int_equal(strv_length(STRV(problems)), 1);
                assert_non_null(strstr(problems[0], "a.key holds a private key, and its mode 0644 gives"));
        }
}

static void test_bad_certificate(void **state) {
        put_key(NULL);
        put_file("mkosi.secure-boot.crt", "nonsense", 0644);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();
        _cleanup_(strv_freep) char **problems = NULL;

        assert_int_equal(signer_check(&loaded->config, SIGNER_SECURE_BOOT, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(strstr(problems[0], "mkosi.secure-boot.crt holds no certificate in PEM form"));
}

static void test_load(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = key_fixture_secret("open sesame");
        _cleanup_(signer_freep) Signer *plain_key = NULL, *encrypted_key = NULL;

        put_key(NULL);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();
        assert_int_equal(signer_new(&loaded->config, SIGNER_SECURE_BOOT, &plain_key), 0);
        assert_string_equal(plain_key->certificate->subject, "CN=mkosi.secure-boot");

        put_key(passphrase);
        put_file("mkosi.secure-boot.passphrase", "open sesame\n", 0600);
        _cleanup_(loaded_config_freep) LoadedConfig *again = load_signed();
        assert_int_equal(signer_new(&again->config, SIGNER_SECURE_BOOT, &encrypted_key), 0);
}

/* The answer and what was said, of a build that finds no terminal. */
static int refused;

static void load_without_terminal(void) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();
        _cleanup_(fd_closep) int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC), saved = dup(STDIN_FILENO);
        Signer *signer = NULL;

        assert_true(dup2(nothing, STDIN_FILENO) >= 0);
        refused = signer_new(&loaded->config, SIGNER_SECURE_BOOT, &signer);
        assert_true(dup2(saved, STDIN_FILENO) >= 0);
        assert_null(signer);
}

static void assert_refused(int answer, const char *reason) {
        _cleanup_(freep) char *said = capture_stderr(load_without_terminal);

        assert_int_equal(refused, answer);
        if (!strstr(said, reason))
                fail_msg("\"%s\" is not in: %s", reason, said);
        assert_null(strstr(said, "barley"));
}

static void test_refused(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = key_fixture_secret("open sesame");

        put_key(passphrase);
        assert_refused(-ENOTTY, "put it into mkosi.secure-boot.passphrase, with mode 0600");
        put_file("mkosi.secure-boot.passphrase", "open barley\n", 0600);
        assert_refused(-EKEYREJECTED, "is not that of the key mkosi.secure-boot.key");
        put_file("mkosi.secure-boot.passphrase", "open\nbarley\n", 0600);
        assert_refused(-EINVAL, "is more than one line of text");
        put_file("mkosi.secure-boot.passphrase", "\n", 0600);
        assert_refused(-EINVAL, "is empty");

        put_key(NULL);
        put_file("mkosi.secure-boot.passphrase", "open barley\n", 0600);
        key_fixture_make("other", KEY_PAIR_RSA_2048, NULL);
        assert_int_equal(rename("other.crt", "mkosi.secure-boot.crt"), 0);
        assert_refused(-EKEYREJECTED, "The key is not that of the certificate 'CN=other'");
        put_file("mkosi.secure-boot.key", "nonsense", 0600);
        assert_refused(-EBADMSG, "holds no private key in PEM form");
}

static void load_with_expired(void) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed();
        _cleanup_(signer_freep) Signer *signer = NULL;

        refused = signer_new(&loaded->config, SIGNER_SECURE_BOOT, &signer);
}

/* Neither key nor passphrase is looked at, whatever they are. */
static void test_offline(void **state) {
        _cleanup_(signer_freep) Signer *signer = NULL;

        put_key(NULL);
        put_file("mkosi.secure-boot.key", "nonsense", 0666);
        put_file("mkosi.secure-boot.passphrase", "nonsense", 0666);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_signed("--sign-offline");

        assert_problems(loaded, "");
        assert_int_equal(signer_new(&loaded->config, SIGNER_SECURE_BOOT, &signer), 0);
        assert_null(signer->key);
        assert_string_equal(signer->certificate->subject, "CN=mkosi.secure-boot");
        put_file("mkosi.secure-boot.crt", "nonsense", 0644);
        _cleanup_(strv_freep) char **problems = NULL;
        assert_int_equal(signer_check(&loaded->config, SIGNER_SECURE_BOOT, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_non_null(strstr(problems[0], "mkosi.secure-boot.crt holds no certificate in PEM form"));
}

/* Variables that firmware enrolls have no room for signatures of unknown sizes. */
static void test_offline_enrollment(void **state) {
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_EC_P256 };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                key_fixture_make("mkosi.secure-boot", types[i], NULL);
                _cleanup_(loaded_config_freep)
                        LoadedConfig *loaded = load_signed("--sign-offline",
                                                           "--secure-boot-auto-enroll=manual"),
                                     *here = load_signed("--secure-boot-auto-enroll=manual");

                assert_problems(here, "");
                assert_problems(loaded,
                                i == 0 ? ""
                                       : "SecureBootAutoEnroll=manual needs an RSA key with "
                                         "SignOffline=yes: signatures by the EC key of "
                                         "'CN=mkosi.secure-boot' have no fixed size, so that no place "
                                         "can be kept for them\n");
        }
}

static void test_expired(void **state) {
        const KeyPairWish wish = {
                .type = KEY_PAIR_EC_P256, .common_name = "old", .not_before = 1, .not_after = 2
        };
        _cleanup_(freep) char *certificate = NULL, *said = NULL;
        _cleanup_(secret_freep) Secret *key = NULL;

        assert_int_equal(key_pair_generate(&wish, &key, &certificate, NULL), 0);
        assert_int_equal(file_write(AT_FDCWD, "mkosi.secure-boot.key", key->bytes, key->size, 0600), 0);
        put_file("mkosi.secure-boot.crt", certificate, 0644);
        said = capture_stderr(load_with_expired);
        assert_int_equal(refused, 0);
        assert_non_null(strstr(said, "'CN=old' has expired"));
}

/* A key for the root hash is all that it takes; the other role is not affected. */
static void test_verity(void **state) {
        _cleanup_(signer_freep) Signer *signer = NULL;

        key_fixture_make("mkosi.verity", KEY_PAIR_EC_P384, NULL);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("--verity"),
                                                    *without = load_fine("--debug");
        assert_true(signer_wanted(&loaded->config, SIGNER_VERITY));
        assert_false(signer_wanted(&loaded->config, SIGNER_SECURE_BOOT));
        assert_false(signer_wanted(&without->config, SIGNER_VERITY));
        assert_int_equal(signer_new(&loaded->config, SIGNER_VERITY, &signer), 0);
        assert_string_equal(signer->certificate->subject, "CN=mkosi.verity");
        assert_non_null(signer->key);
        signer_forget_key(signer);
        assert_null(signer->key);
        assert_int_equal(chmod("mkosi.verity.key", 0604), 0);
        _cleanup_(strv_freep) char **problems = NULL;
        assert_int_equal(signer_check(&loaded->config, SIGNER_VERITY, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_int_equal(signer_check(&without->config, SIGNER_VERITY, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
}

/* What the settings say comes first. */
static void test_source(void **state) {
        SignerSource source = signer_source(&(const Config){}, SIGNER_VERITY);

        assert_string_equal(source.key, "mkosi.verity.key");
        assert_string_equal(source.certificate, "mkosi.verity.crt");
        assert_null(source.passphrase_file);
        put_file("mkosi.verity.passphrase", "open\n", 0600);
        source = signer_source(&(const Config){ .verity_key = (char *)"a.key",
                                                .secure_boot_key = (char *)"b.key" },
                               SIGNER_VERITY);
        assert_string_equal(source.key, "a.key");
        assert_string_equal(source.passphrase_file, "mkosi.verity.passphrase");
        source = signer_source(&(const Config){ .secure_boot_passphrase_file = (char *)"p" },
                               SIGNER_SECURE_BOOT);
        assert_string_equal(source.passphrase_file, "p");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_wanted),       TEST(test_modes),
                TEST(test_modes_by_uri), TEST(test_bad_certificate),
                TEST(test_load),         TEST(test_refused),
                TEST(test_offline),      TEST(test_offline_enrollment),
                TEST(test_expired),      TEST(test_verity),
                TEST(test_source),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
