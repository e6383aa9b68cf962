/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/prctl.h>

#include "config-fixture.h"

#include "capture.h"

#include "image/generate-key.h"
#include "secureboot/private-key.h"
#include "secureboot/signing-key.h"

static int answer;
static Config wish;
static const char *const *words;

static void generate(void) {
        answer = generate_keys(&wish, words);
}

static void assert_generated(const char *key_path, const char *certificate_path, unsigned n_bits,
                             const Secret *passphrase) {
        _cleanup_(certificate_freep) Certificate *certificate = NULL;
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_(freep) char *said = capture_stderr(generate);
        struct stat status;

        if (answer < 0)
                fail_msg("%s", said);
        assert_null(strstr(said, "PRIVATE"));
        assert_int_equal(signing_key_load(key_path, passphrase, &key, NULL), PRIVATE_KEY_LOADED);
        assert_int_equal(certificate_load(certificate_path, &certificate, NULL), 0);
        assert_int_equal(signing_key_check(key, certificate, NULL), 0);
        assert_int_equal(certificate->n_key_bits, n_bits);
        assert_int_equal(stat(key_path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(stat(certificate_path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0644);
        assert_int_equal(certificate->not_after - certificate->not_before,
                         (wish.secure_boot_valid_days > 0 ? wish.secure_boot_valid_days : 730) *
                                 INT64_C(86400));
}

/* Nothing else is left behind. */
static void assert_files(size_t expected) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        size_t n = 0;

        assert_int_equal(tree_load(AT_FDCWD, ".", &tree, NULL), 0);
        for (size_t i = 0; i < tree->n_nodes; i++)
                n += S_ISREG(tree->nodes[i]->status.st_mode) &&
                     !text_equal(tree->nodes[i]->name, "os-release");
        assert_int_equal(n, expected);
}

static void test_default(void **state) {
        wish = (Config){};
        assert_generated("mkosi.secure-boot.key", "mkosi.secure-boot.crt", 2048, NULL);
        assert_files(2);
        assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

static void test_named(void **state) {
        wish = (Config){
                .secure_boot_key = (char *)"a.key",
                .secure_boot_certificate = (char *)"a.crt",
                .secure_boot_key_type = SECURE_BOOT_KEY_TYPE_P384,
                .secure_boot_valid_days = 10,
                .secure_boot_common_name = (char *)"teapot",
        };
        _cleanup_(certificate_freep) Certificate *certificate = NULL;

        assert_generated("a.key", "a.crt", 384, NULL);
        assert_int_equal(certificate_load("a.crt", &certificate, NULL), 0);
        assert_string_equal(certificate->subject, "CN=teapot");
}

static void test_types(void **state) {
        static const unsigned bits[] = { 2048, 3072, 4096, 256, 384 };

        wish = (Config){};
        for (unsigned type = 0; type < SECURE_BOOT_KEY_TYPE_MAX; type++) {
                wish.secure_boot_key_type = type;
                assert_generated("mkosi.secure-boot.key", "mkosi.secure-boot.crt", bits[type], NULL);
                assert_int_equal(unlink("mkosi.secure-boot.key") | unlink("mkosi.secure-boot.crt"), 0);
        }
}

static void test_passphrase(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = NULL;
        _cleanup_(signing_key_freep) SigningKey *key = NULL;

        assert_int_equal(secret_new(4, &passphrase), 0);
        memcpy(passphrase->bytes, "open", 4);
        passphrase->size = 4;
        wish = (Config){};
        put_file("mkosi.secure-boot.passphrase", "open\n", 0600);
        assert_generated("mkosi.secure-boot.key", "mkosi.secure-boot.crt", 2048, passphrase);
        assert_int_equal(signing_key_load("mkosi.secure-boot.key", NULL, &key, NULL), PRIVATE_KEY_LOCKED);
}

static void assert_refused(int expected, const char *reason) {
        _cleanup_(freep) char *said = capture_stderr(generate);

        assert_int_equal(answer, expected);
        if (!strstr(said, reason))
                fail_msg("\"%s\" is not in: %s", reason, said);
}

/* Whichever of the two is there stays as it is, and does not get a companion. */
static void test_existing(void **state) {
        static const char *const names[] = { "mkosi.secure-boot.key", "mkosi.secure-boot.crt" };

        static const char *const reasons[] = {
                "The key mkosi.secure-boot.key exists without its certificate mkosi.secure-boot.crt",
                "The certificate mkosi.secure-boot.crt exists without its key mkosi.secure-boot.key",
        };

        wish = (Config){};
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *text = NULL;

                put_file(names[i], "precious", 0600);
                assert_refused(-EEXIST, reasons[i]);
                assert_int_equal(file_read(AT_FDCWD, names[i], 100, &text, NULL), 0);
                assert_string_equal(text, "precious");
                assert_files(1);
                assert_int_equal(unlink(names[i]), 0);
        }

        assert_int_equal(symlink("nowhere", "mkosi.secure-boot.key"), 0);
        assert_refused(-EEXIST, "is not replaced");
}

/* One file for both, by whatever way it is named. */
static void test_same(void **state) {
        static const char *const names[] = { "a", "./a", "link/../a", "/proc/self/cwd/a" };

        assert_int_equal(mkdir("directory", 0755), 0);
        assert_int_equal(symlink("directory", "link"), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                wish = (Config){ .secure_boot_key = (char *)"a",
                                 .secure_boot_certificate = (char *)(uintptr_t)names[i] };
                assert_refused(-EINVAL, "are the same file: a key and its certificate need two");
        }
        assert_files(0);
}

/* When one cannot be made the other is not left behind. */
static void test_no_half(void **state) {
        wish = (Config){ .secure_boot_certificate = (char *)"missing/a.crt" };
        assert_refused(-ENOENT, "missing/a.crt");
        assert_files(0);
        wish = (Config){ .secure_boot_key = (char *)"missing/a.key" };
        assert_refused(-ENOENT, "missing/a.key");
        assert_files(0);
}

static void test_uri(void **state) {
        wish = (Config){ .secure_boot_key = (char *)"pkcs11:object=key" };
        assert_refused(-EINVAL, "pkcs11:object=key");
        assert_files(0);
}

/* Pairs by name, whatever the settings say. */
static void test_words(void **state) {
        const char *const verity[] = { "verity", NULL }, *const unknown[] = { "teapot", NULL };

        wish = (Config){ .secure_boot = true, .secure_boot_common_name = (char *)"not this" };
        words = verity;
        assert_generated("mkosi.verity.key", "mkosi.verity.crt", 2048, NULL);
        assert_files(2);
        _cleanup_(certificate_freep) Certificate *certificate = NULL;
        assert_int_equal(certificate_load("mkosi.verity.crt", &certificate, NULL), 0);
        assert_string_equal(certificate->subject, "CN=dm-verity key made by mkosi");
        assert_refused(-EEXIST, "mkosi.verity.key exists");
        words = unknown;
        assert_refused(-EINVAL, "there are secure-boot and verity");
        words = NULL;
}

/* What the settings speak of, as far as it is missing. */
static void test_settings(void **state) {
        wish = (Config){ .verity = true,
                         .verity_key = (char *)"v.key",
                         .verity_certificate = (char *)"v.crt" };
        assert_generated("v.key", "v.crt", 2048, NULL);
        assert_files(2);
        wish.secure_boot = true;
        assert_generated("mkosi.secure-boot.key", "mkosi.secure-boot.crt", 2048, NULL);
        assert_files(4);
        assert_refused(-EEXIST, "mkosi.secure-boot.key exists");
        /* Half a pair is not passed over. */
        assert_int_equal(unlink("v.key"), 0);
        assert_refused(-EEXIST, "The certificate v.crt exists without its key v.key");
        assert_files(3);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_default),  TEST(test_named),    TEST(test_types), TEST(test_passphrase),
                TEST(test_existing), TEST(test_no_half),  TEST(test_same),  TEST(test_uri),
                TEST(test_words),    TEST(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
