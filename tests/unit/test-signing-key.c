/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "foreign-program.h"
#include "key-fixture.h"
#include "memory-search.h"
#include "temporary-directory.h"

#include "secureboot/private-key.h"

/* openssl(1) finds the signature good with the certificate's key. */
static void check_signature(const SigningKey *key) {
        static const char data[] = "what is signed";
        _cleanup_(freep) char *said = NULL;
        _cleanup_(der_done) Der signature = {};

        assert_int_equal(signing_key_sign(key, data, strlen(data), &signature, NULL), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "data", data, 0644), 0);
        assert_int_equal(file_write(AT_FDCWD, "signature", signature.bytes, signature.size, 0644), 0);
        said = FOREIGN_CHECK("openssl", "x509", "-in", "teapot.crt", "-noout", "-pubkey", "-out", "public");
        free(TAKE_PTR(said));
        said = FOREIGN_CHECK("openssl", "dgst", "-sha256", "-verify", "public", "-signature", "signature",
                             "data");
}

static void test_sign(void **state) {
        for (KeyPairType type = 0; type < KEY_PAIR_TYPE_MAX; type++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", type);

                assert_int_equal(signing_key_check(fixture.key, fixture.certificate, NULL), 0);
                check_signature(fixture.key);
        }
}

static void test_foreign_certificate(void **state) {
        _cleanup_(key_fixture_done) KeyFixture one = key_fixture_load("one", KEY_PAIR_EC_P256);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_EC_P256);
        _cleanup_(key_fixture_done) KeyFixture rsa = key_fixture_load("rsa", KEY_PAIR_RSA_2048);
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(signing_key_check(one.key, other.certificate, &reason), -EKEYREJECTED);
        assert_non_null(strstr(reason.text, "CN=other"));
        assert_int_equal(signing_key_check(one.key, rsa.certificate, NULL), -EKEYREJECTED);
}

/* The answers are those of private_key_load(), and so are its reasons. */
static void test_load(void **state) {
        _cleanup_(secret_freep) Secret *right = key_fixture_secret("open sesame"),
                                       *wrong = key_fixture_secret("open barley");
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_(reason_done) Reason reason = {};

        key_fixture_make("teapot", KEY_PAIR_RSA_2048, right);
        assert_int_equal(signing_key_load("teapot.key", NULL, &key, NULL), PRIVATE_KEY_LOCKED);
        assert_int_equal(signing_key_load("teapot.key", wrong, &key, NULL), PRIVATE_KEY_WRONG_PASSPHRASE);
        assert_null(key);
        assert_int_equal(signing_key_load("missing.key", NULL, &key, &reason), -ENOENT);
        assert_string_equal(reason.text, "Cannot read missing.key: No such file or directory");
        assert_null(key);
        assert_int_equal(signing_key_load("teapot.key", right, &key, NULL), PRIVATE_KEY_LOADED);
        check_signature(key);
}

/* The 32 bytes of a private key on the curve P-256, as numbers of OpenSSL have them in memory, and turned round for the search.
 * They are taken in a child, of whose memory nothing stays: see RFC 5915, 3. */
static void take_turned_key(const char *path, uint8_t turned[static 32]) {
        const int fd = open("turned", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const pid_t pid = fork();
        uint8_t der[7 + 32];
        int status;

        assert_true(fd >= 0 && pid >= 0);
        if (pid == 0) {
                const int key_fd = open(path, O_RDONLY | O_CLOEXEC);

                if (fd_pread_all(key_fd, der, sizeof(der), 0) < 0)
                        _exit(1);
                for (size_t i = 0; i < 32; i++)
                        turned[31 - i] = (uint8_t)~der[7 + i];
                _exit(fd_write_all(fd, turned, 32) < 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(fd_pread_all(fd, turned, 32, 0), 0);
        assert_int_equal(close(fd), 0);
}

/* Nothing of a key gets into this process, whatever is done with it; if it did it would be found. */
static void test_memory(void **state) {
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_(private_key_freep) PrivateKey *here = NULL;
        _cleanup_(der_done) Der signature = {};
        uint8_t turned[32] = {};

        free(FOREIGN_CHECK("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                           "teapot.key"));
        free(FOREIGN_CHECK("openssl", "ec", "-in", "teapot.key", "-outform", "DER", "-out", "teapot.der"));
        take_turned_key("teapot.der", turned);
        assert_int_equal(signing_key_load("teapot.key", NULL, &key, NULL), PRIVATE_KEY_LOADED);
        assert_int_equal(signing_key_sign(key, "tea", 3, &signature, NULL), 0);
        assert_false(memory_search(turned, sizeof(turned)));

        assert_int_equal(private_key_load("teapot.key", NULL, &here, NULL), PRIVATE_KEY_LOADED);
        assert_true(memory_search(turned, sizeof(turned)));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_sign),
                unit_test_in_directory(test_foreign_certificate),
                unit_test_in_directory(test_load),
                unit_test_in_directory(test_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
