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
#include "temporary-directory.h"

#include "secureboot/key-fault.h"
#include "secureboot/private-key.h"

#define PASSPHRASE "open sesame"
#define PASS       "pass:" PASSPHRASE

/* What openssl(1) makes. */
static void make_files(void) {
        free(FOREIGN_CHECK("openssl", "genpkey", "-algorithm", "RSA", "-out", "plain"));
        free(FOREIGN_CHECK("openssl", "pkcs8", "-topk8", "-in", "plain", "-passout", PASS, "-out", "locked"));
        free(FOREIGN_CHECK("openssl", "pkcs8", "-topk8", "-in", "plain", "-passout", PASS, "-v1",
                           "PBE-MD5-DES", "-provider", "legacy", "-provider", "default", "-out", "ancient"));
        free(FOREIGN_CHECK("openssl", "rsa", "-in", "plain", "-traditional", "-aes256", "-passout", PASS,
                           "-out", "traditional"));
        free(FOREIGN_CHECK("openssl", "pkey", "-in", "plain", "-pubout", "-out", "public"));
        free(FOREIGN_CHECK("openssl", "pkey", "-in", "plain", "-outform", "DER", "-out", "binary"));
        free(FOREIGN_CHECK("openssl", "req", "-x509", "-key", "plain", "-subj", "/CN=tea", "-out",
                           "certificate"));
        free(FOREIGN_CHECK("openssl", "req", "-new", "-key", "plain", "-subj", "/CN=tea", "-out", "request"));
}

/* A copy of a file in which a line is another one from the column on; without a text it ends behind the line. */
static void damage(const char *from, const char *to, unsigned line, size_t column, const char *text) {
        FILE *in = fopen(from, "re"), *out = fopen(to, "we");
        char buffer[256];

        assert_true(in && out);
        for (unsigned n = 1; fgets(buffer, sizeof(buffer), in); n++) {
                if (text && n == line)
                        (void)fprintf(out, "%.*s%s", (int)column, buffer, text + column);
                else if (text || n <= line)
                        (void)fputs(buffer, out);
        }
        assert_int_equal(fclose(in) | fclose(out), 0);
}

static Secret *read_text(const char *path) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        Secret *secret = NULL;

        assert_int_equal(file_read(AT_FDCWD, path, 100000, &text, &size), 0);
        assert_int_equal(secret_new(size + 1, &secret), 0);
        memcpy(secret->bytes, text, size);
        secret->size = size;
        return secret;
}

static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";

static void make_damaged(void) {
        static const char nonsense[] = "-----BEGIN PRIVATE KEY-----\n////\n-----END PRIVATE KEY-----\n";
        static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n";

        damage("plain", "cut", 3, 0, NULL);
        damage("plain", "changed", 2, 0, zeros);
        damage("locked", "locked-cut", 3, 0, NULL);
        damage("locked", "locked-head", 2, 0, zeros);
        damage("locked", "locked-begin", 4, 8, zeros);
        damage("locked", "locked-middle", 10, 0, zeros);
        damage("traditional", "traditional-begin", 5, 0, zeros);
        damage("traditional", "traditional-cipher", 3, 0, "DEK-Info: ROT13,00\n");
        assert_int_equal(file_write_text(AT_FDCWD, "empty", "", 0600), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "nonsense", nonsense, 0600), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "openssh", openssh, 0600), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "words", "tea\n", 0600), 0);
        assert_int_equal(file_write(AT_FDCWD, "zeros", "a\0b", 3, 0600), 0);
        free(FOREIGN_CHECK("openssl", "genpkey", "-algorithm", "X25519", "-out", "strange"));
}

static const struct {
        const char *path, *passphrase;
        int answer;
        const char *reason; /* behind the path, or around it */
} cases[] = {
        { "locked", NULL, PRIVATE_KEY_LOCKED, NULL },
        { "locked", "barley", PRIVATE_KEY_WRONG_PASSPHRASE, NULL },
        { "traditional", NULL, PRIVATE_KEY_LOCKED, NULL },
        { "traditional", "barley", PRIVATE_KEY_WRONG_PASSPHRASE, NULL },
        { "ancient", PASSPHRASE, -ENOTSUP, "ancient is encrypted in a way that OpenSSL does not support" },
        { "traditional-cipher", PASSPHRASE, -ENOTSUP, "is encrypted in a way that OpenSSL does not" },
        { "cut", NULL, -EBADMSG, "The private key in cut is damaged" },
        { "cut", PASSPHRASE, -EBADMSG, "The private key in cut is damaged" },
        { "changed", NULL, -EBADMSG, "The private key in changed is damaged" },
        { "nonsense", NULL, -EBADMSG, "The private key in nonsense is damaged" },
        { "locked-cut", PASSPHRASE, -EBADMSG, "The private key in locked-cut is damaged" },
        { "locked-head", PASSPHRASE, -EBADMSG, "The private key in locked-head is damaged" },
        { "locked-begin", PASSPHRASE, PRIVATE_KEY_WRONG_PASSPHRASE, NULL },
        { "locked-middle", PASSPHRASE, -EBADMSG, "The private key in locked-middle is damaged" },
        { "traditional-begin", PASSPHRASE, PRIVATE_KEY_WRONG_PASSPHRASE, NULL },
        { "public", PASSPHRASE, -EBADMSG, "public holds no private key in PEM form, but a public key" },
        { "certificate", NULL, -EBADMSG, "holds no private key in PEM form, but a certificate" },
        { "request", NULL, -EBADMSG, "in PEM form, but a request for a certificate" },
        { "binary", PASSPHRASE, -EBADMSG, "openssl pkey -in binary -out NEW" },
        { "openssh", PASSPHRASE, -ENOTSUP, "ssh-keygen -p -m PKCS8 -f openssh" },
        { "empty", NULL, -EBADMSG, "empty is empty, and should hold a private key" },
        { "words", NULL, -EBADMSG, "words holds no private key in PEM form" },
        { "zeros", NULL, -EBADMSG, "zeros holds no private key in PEM form, and is no text" },
        { "strange", NULL, -ENOTSUP, "is of a kind that OpenSSL does not support here, X25519" },
};

static void test_find(void **state) {
        make_files();
        make_damaged();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(secret_freep) Secret *text = read_text(cases[i].path),
                                               *passphrase = cases[i].passphrase
                                                                     ? key_fixture_secret(cases[i].passphrase)
                                                                     : NULL;
                _cleanup_(reason_done) Reason reason = {};

                const int r = key_fault_find(cases[i].path, text, passphrase, &reason);
                if (r != cases[i].answer)
                        fail_msg("%s: %d, %s", cases[i].path, r, reason.text ?: "no reason");
                if (cases[i].reason && !strstr(reason.text, cases[i].reason))
                        fail_msg("%s: %s", cases[i].path, reason.text);
        }
}

/* Whoever loads such a file, by its path or by its URI, gets to know the same. */
static void test_load(void **state) {
        _cleanup_(freep) char *directory = getcwd(NULL, 0);

        make_files();
        make_damaged();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(secret_freep) Secret *passphrase =
                        cases[i].passphrase ? key_fixture_secret(cases[i].passphrase) : NULL;
                _cleanup_(private_key_freep) PrivateKey *key = NULL;
                _cleanup_(reason_done) Reason reason = {}, again = {};
                _cleanup_(freep) char *uri = NULL;

                /* These are keys for OpenSSL, if not good ones, or it knows more forms by URI. */
                if (text_equal(cases[i].path, "strange") || text_equal(cases[i].path, "binary") ||
                    text_equal(cases[i].path, "locked-middle"))
                        continue;
                assert_int_equal(text_format(&uri, "file:%s/%s", directory, cases[i].path), 0);
                assert_int_equal(private_key_load(cases[i].path, passphrase, &key, &reason), cases[i].answer);
                assert_int_equal(private_key_load(uri, passphrase, &key, &again), cases[i].answer);
                assert_null(key);
                if (cases[i].reason && !strstr(reason.text, cases[i].reason))
                        fail_msg("%s: %s", cases[i].path, reason.text);
                assert_int_equal(!reason.text, !again.text);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_find),
                unit_test_in_directory(test_load),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
