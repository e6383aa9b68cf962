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
#include "pe-builder.h"
#include "temporary-directory.h"

#include "secureboot/authenticode-offline.h"

static const BuildSection plain[] = {
        { ".text", "code" },
        { ".data", "values" },
        {},
};

static int build_program(const char *name) {
        const BuildImage built = build_image(plain);

        assert_int_equal(file_write(AT_FDCWD, name, built.bytes, built.size, 0644), 0);
        const int fd = open(name, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

static AuthenticodeVerdict verify(int fd, const Certificate *certificate, Reason *reason) {
        _cleanup_(pe_image_done) PeImage image = {};
        AuthenticodeVerdict verdict;

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_verify(&image, certificate, &verdict, reason), 0);
        return verdict;
}

static void sign(int fd, const KeyFixture *fixture, int64_t time) {
        _cleanup_(pe_image_done) PeImage image = {};

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_sign(&image, fixture->key, fixture->certificate, time, NULL), 0);
}

static void flip(int fd, uint64_t offset) {
        uint8_t byte;

        assert_int_equal(fd_pread_all(fd, &byte, 1, offset), 0);
        byte ^= 1;
        assert_int_equal(fd_pwrite_all(fd, &byte, 1, offset), 0);
}

static void test_verdicts(void **state) {
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_EC_P256, KEY_PAIR_EC_P384 };
        _cleanup_(key_fixture_done) KeyFixture foreign = key_fixture_load("foreign", KEY_PAIR_RSA_2048);

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", types[i]);
                _cleanup_(fd_closep) int fd = build_program("program.efi");

                assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_UNSIGNED);
                sign(fd, &foreign, 1700000000);
                assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_FOREIGN);
                sign(fd, &fixture, AUTHENTICODE_NO_TIME);
                assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_GOOD);
                assert_int_equal(verify(fd, foreign.certificate, NULL), AUTHENTICODE_GOOD);
                flip(fd, BUILD_HEADER_SIZE + 1);
                assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_CHANGED);
                assert_string_equal(authenticode_verdict_texts[AUTHENTICODE_CHANGED],
                                    "changed since it was signed");
        }
}

/* Every byte counts that is not the checksum, the place of the table, or padding of a signature. */
static void test_every_byte(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(fd_closep) int fd = build_program("program.efi");
        const uint64_t end = lseek(fd, 0, SEEK_END);

        sign(fd, &fixture, 1700000000);
        for (uint64_t offset = 0; offset < end; offset++) {
                _cleanup_(pe_image_done) PeImage image = {};
                AuthenticodeVerdict verdict = AUTHENTICODE_CHANGED;
                const bool counts = (offset < BUILD_OPTIONAL + 64 || offset >= BUILD_OPTIONAL + 68) &&
                                    (offset < BUILD_DIRECTORIES + 32 || offset >= BUILD_DIRECTORIES + 40);

                flip(fd, offset);
                if (pe_image_load(fd, &image, NULL) == 0)
                        assert_int_equal(authenticode_verify(&image, fixture.certificate, &verdict, NULL), 0);
                else if (!counts)
                        verdict = AUTHENTICODE_GOOD; /* the place of the table has to be what it is */
                assert_int_equal(verdict, counts ? AUTHENTICODE_CHANGED : AUTHENTICODE_GOOD);
                flip(fd, offset);
        }
        assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_GOOD);
}

/* A signature in which any byte was changed is no good, or still the same one: certificates that come with it may
 * hold bytes that nobody signed, since theirs are not checked. */
static void test_every_byte_of_signature(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(fd_closep) int fd = build_program("program.efi");
        const uint64_t start = lseek(fd, 0, SEEK_END);
        size_t n_good = 0;

        sign(fd, &fixture, 1700000000);
        const uint64_t end = lseek(fd, 0, SEEK_END);
        for (uint64_t offset = start + 8; offset < end; offset++) {
                flip(fd, offset);
                n_good += verify(fd, fixture.certificate, NULL) == AUTHENTICODE_GOOD;
                flip(fd, offset);
        }
        print_message("%zu of %zu bytes may change\n", n_good, (size_t)(end - start - 8));
        assert_true(n_good < 100);
}

/* The certificate that is trusted has signed that of the signer. */
static void test_chain(void **state) {
        static const char script[] =
                "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=root -keyout root.key -out root.crt -days 2 &&"
                "openssl req -newkey rsa:2048 -nodes -subj /CN=leaf -keyout leaf.key -out leaf.csr &&"
                "openssl x509 -req -in leaf.csr -CA root.crt -CAkey root.key -CAcreateserial -days 1 -out leaf.crt";
        free(FOREIGN_CHECK("sh", "-ec", script));
        _cleanup_(certificate_freep) Certificate *root = NULL;
        KeyFixture leaf = {};
        _cleanup_(fd_closep) int fd = build_program("program.efi");

        assert_int_equal(certificate_load("root.crt", &root, NULL), 0);
        assert_int_equal(certificate_load("leaf.crt", &leaf.certificate, NULL), 0);
        assert_int_equal(signing_key_load("leaf.key", NULL, &leaf.key, NULL), PRIVATE_KEY_LOADED);
        sign(fd, &leaf, AUTHENTICODE_NO_TIME);
        assert_int_equal(verify(fd, leaf.certificate, NULL), AUTHENTICODE_GOOD);
        assert_int_equal(verify(fd, root, NULL), AUTHENTICODE_GOOD);
        key_fixture_done(&leaf);
}

/* What others sign is read as what ours is. */
static void test_foreign_signer(void **state) {
        static const char *const commands[][12] = {
                { "sbsign", "--key", "teapot.key", "--cert", "teapot.crt", "--output", "signed.efi",
                  "program.efi" },
                { "osslsigncode", "sign", "-h", "sha256", "-certs", "teapot.crt", "-key", "teapot.key", "-in",
                  "program.efi", "-out", "signed.efi" },
        };
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _unused_ _cleanup_(fd_closep) int unsigned_fd = build_program("program.efi");

        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                const char *argv[ELEMENTSOF(commands[0]) + 1] = {};
                _cleanup_(authenticode_signature_done) AuthenticodeSignature signature = {};
                _cleanup_(pe_image_done) PeImage image = {};
                CertificateTable table;

                memcpy(argv, commands[i], sizeof(commands[i]));
                (void)unlink("signed.efi");
                free(foreign_check(argv));
                _cleanup_(fd_closep) int fd = open("signed.efi", O_RDWR | O_CLOEXEC);
                assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_GOOD);
                assert_int_equal(pe_image_load(fd, &image, NULL), 0);
                assert_int_equal(certificate_table_read(&image, &table, NULL), 0);
                assert_int_equal(authenticode_read(&image, &table.entries[0], &signature, NULL), 0);
                assert_string_equal(signature.signer, "CN=teapot");
                flip(fd, BUILD_HEADER_SIZE);
                assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_CHANGED);
        }
}

static void test_read(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        static const int64_t times[] = { AUTHENTICODE_NO_TIME, 0, 1700000000, INT64_C(4000000000) };
        _cleanup_(fd_closep) int fd = build_program("program.efi");
        _cleanup_(pe_image_done) PeImage image = {};
        CertificateTable table;
        Sha256Digest digest;

        for (size_t i = 0; i < ELEMENTSOF(times); i++)
                sign(fd, &fixture, times[i]);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_digest(&image, &digest), 0);
        assert_int_equal(certificate_table_read(&image, &table, NULL), 0);
        assert_int_equal(table.n_entries, ELEMENTSOF(times));
        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                _cleanup_(authenticode_signature_done) AuthenticodeSignature signature = {};

                assert_int_equal(authenticode_read(&image, &table.entries[i], &signature, NULL), 0);
                assert_string_equal(signature.signer, "CN=teapot");
                assert_int_equal(signature.time, times[i]);
                assert_memory_equal(&signature.digest, &digest, sizeof(digest));
        }
}

/* Entries that cannot be read are passed over. */
/* The subject of a certificate that comes with a signature is whatever its maker likes, and is printed. */
static void test_hostile_signer(void **state) {
        static const char *const names[] = { "\033[31mred", "bell\a\r\nline", "\302\23331mred",
                                             "\302\205next" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load(names[i], KEY_PAIR_EC_P256);
                _cleanup_(authenticode_signature_done) AuthenticodeSignature signature = {};
                _cleanup_(fd_closep) int fd = build_program("program");
                _cleanup_(pe_image_done) PeImage image = {};
                CertificateTable table;

                sign(fd, &fixture, AUTHENTICODE_NO_TIME);
                assert_int_equal(pe_image_load(fd, &image, NULL), 0);
                assert_int_equal(certificate_table_read(&image, &table, NULL), 0);
                assert_int_equal(authenticode_read(&image, &table.entries[0], &signature, NULL), 0);
                const char *const printed[] = { signature.signer, fixture.certificate->subject };
                for (size_t k = 0; k < ELEMENTSOF(printed); k++)
                        for (const char *c = printed[k]; *c; c++)
                                assert_true(*c >= ' ' && *c < 0x7f);
                assert_int_equal(close(TAKE_FD(fd)), 0);
                assert_int_equal(unlink("program"), 0);
        }
}

static void test_unreadable(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        _cleanup_(fd_closep) int fd = build_program("program.efi");
        _cleanup_(authenticode_signature_done) AuthenticodeSignature signature = {};
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {}, other = {};
        CertificateTable table;
        _cleanup_(der_done) Der nonsense = {};

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        der_add_raw(&nonsense, "nonsense", 8);
        assert_int_equal(certificate_table_append(&image, &nonsense, NULL), 0);
        assert_int_equal(verify(fd, fixture.certificate, &reason), AUTHENTICODE_FOREIGN);
        assert_non_null(strstr(reason.text, "no Authenticode signature"));
        sign(fd, &fixture, AUTHENTICODE_NO_TIME);
        assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_GOOD);

        pe_image_done(&image);
        image = (PeImage){};
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(certificate_table_read(&image, &table, NULL), 0);
        assert_int_equal(table.n_entries, 2);
        for (size_t i = 0; i < table.n_entries; i++) {
                AuthenticodeVerdict verdict;

                assert_int_equal(authenticode_verify_entry(&image, &table.entries[i], fixture.certificate,
                                                           &verdict, NULL),
                                 0);
                assert_int_equal(verdict, i == 0 ? AUTHENTICODE_FOREIGN : AUTHENTICODE_GOOD);
        }
        assert_int_equal(authenticode_read(&image, &table.entries[0], &signature, NULL), -EBADMSG);
        table.entries[0].type = 1;
        assert_int_equal(authenticode_read(&image, &table.entries[0], &signature, &other), -EBADMSG);
        assert_non_null(strstr(other.text, "unknown kind"));
}

/* A place that waits for a signature is none, before and behind others. */
static void test_reserved(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_2048);
        _cleanup_(fd_closep) int fd = build_program("program.efi");
        _cleanup_(pe_image_done) PeImage image = {};

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_reserve(&image, fixture.certificate, AUTHENTICODE_NO_TIME, NULL), 0);
        assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_UNSIGNED);
        sign(fd, &other, AUTHENTICODE_NO_TIME);
        assert_int_equal(verify(fd, fixture.certificate, NULL), AUTHENTICODE_FOREIGN);
        assert_int_equal(verify(fd, other.certificate, NULL), AUTHENTICODE_GOOD);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_verdicts),
                unit_test_in_directory(test_every_byte),
                unit_test_in_directory(test_every_byte_of_signature),
                unit_test_in_directory(test_chain),
                unit_test_in_directory(test_foreign_signer),
                unit_test_in_directory(test_hostile_signer),
                unit_test_in_directory(test_read),
                unit_test_in_directory(test_unreadable),
                unit_test_in_directory(test_reserved),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
