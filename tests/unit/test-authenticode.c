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

#include "secureboot/authenticode.h"

/* Their order in the file is not that of the table, below. */
static const BuildSection plain[] = {
        { ".text", "code" },
        { ".data", "values" },
        { ".sbat", "sbat,1,SBAT Version\n" },
        {},
};

static int build_program(const char *name, size_t n_bytes_more) {
        BuildImage built = build_image(plain);

        built.bytes[built.size] = 'x';
        built.size += n_bytes_more;
        assert_int_equal(file_write(AT_FDCWD, name, built.bytes, built.size, 0644), 0);
        const int fd = open(name, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

/* Computed from what the specification says, with the whole file at hand. */
static Sha256Digest expected_digest(const BuildImage *built, size_t size) {
        uint8_t bytes[BUILD_SIZE_MAX];
        size_t n = 0;
        Sha256Digest digest;
        const size_t checksum = BUILD_OPTIONAL + 64, directory = BUILD_DIRECTORIES + 4 * 8;

        memcpy(bytes, built->bytes, checksum);
        n += checksum;
        memcpy(bytes + n, built->bytes + checksum + 4, directory - checksum - 4);
        n += directory - checksum - 4;
        memcpy(bytes + n, built->bytes + directory + 8, size - directory - 8);
        n += size - directory - 8;
        assert_int_equal(sha256(bytes, n, &digest), 0);
        return digest;
}

static void test_digest(void **state) {
        for (size_t more = 0; more <= 9; more++) {
                BuildImage built = build_image(plain);
                _cleanup_(pe_image_done) PeImage image = {}, signed_image = {};
                Sha256Digest digest, again;

                built.bytes[built.size] = 'x';
                built.size += more;
                const Sha256Digest expected = expected_digest(&built, align_up(built.size, 8));
                _cleanup_(fd_closep) int fd = build_image_file(&built);
                assert_int_equal(pe_image_load(fd, &image, NULL), 0);
                assert_int_equal(authenticode_digest(&image, &digest), 0);
                assert_memory_equal(&digest, &expected, sizeof(digest));

                /* A signature does not change it, nor does the checksum. */
                built.size = align_up(built.size, 8);
                build_sign(&built);
                build_number(&built, BUILD_OPTIONAL + 64, 4, 0x87654321);
                _cleanup_(fd_closep) int signed_fd = build_image_file(&built);
                assert_int_equal(pe_image_load(signed_fd, &signed_image, NULL), 0);
                assert_int_equal(authenticode_digest(&signed_image, &again), 0);
                assert_memory_equal(&again, &digest, sizeof(digest));
        }
}

/* Sections are taken in the order of the file. */
static void test_digest_order(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        const size_t first = BUILD_TABLE + 20, second = BUILD_TABLE + 40 + 20;
        Sha256Digest digest;

        build_number(&built, first, 4, 0x400);
        build_number(&built, second, 4, 0x200);
        const Sha256Digest expected = expected_digest(&built, built.size);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_digest(&image, &digest), 0);
        assert_memory_equal(&digest, &expected, sizeof(digest));
}

static void test_request(void **state) {
        static const uint8_t digest_bytes[SHA256_SIZE] = { 0xaa };
        Sha256Digest digest;
        _cleanup_(authenticode_request_done) AuthenticodeRequest timeless = {}, timed = {};

        memcpy(digest.bytes, digest_bytes, sizeof(digest.bytes));
        assert_int_equal(authenticode_request_make(&digest, AUTHENTICODE_NO_TIME, &timeless), 0);
        assert_int_equal(authenticode_request_make(&digest, 1700000000, &timed), 0);
        assert_int_equal(timeless.content.size, timed.content.size);
        assert_memory_equal(timeless.content.bytes, timed.content.bytes, timed.content.size);
        assert_memory_equal(timed.content.bytes + timed.content.size - SHA256_SIZE, digest_bytes,
                            SHA256_SIZE);
        assert_int_equal(timed.attributes.size, timeless.attributes.size + 30);
        assert_non_null(memmem(timed.attributes.bytes, timed.attributes.size, "231114221320Z", 13));
        assert_int_equal(timed.attributes.bytes[0], DER_SET);
}

static void check_by_sbverify(const char *path, const char *certificate) {
        _cleanup_(freep) char *said = FOREIGN_CHECK("sbverify", "--cert", certificate, path);

        assert_non_null(strstr(said, "Signature verification OK"));
}

/* Of several signatures it reads the first one only. */
static void check_by_osslsigncode(const char *path, const char *certificate) {
        _cleanup_(freep) char *said =
                FOREIGN_CHECK("osslsigncode", "verify", "-CAfile", certificate, "-in", path);

        assert_null(strstr(said, "MISMATCH"));
        assert_null(strstr(said, "invalid PE checksum"));
}

static void test_sign(void **state) {
        for (KeyPairType type = 0; type < KEY_PAIR_TYPE_MAX; type++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", type);
                _cleanup_(pe_image_done) PeImage image = {};
                _cleanup_(fd_closep) int fd = build_program("program.efi", type);

                assert_int_equal(pe_image_load(fd, &image, NULL), 0);
                assert_int_equal(
                        authenticode_sign(&image, fixture.key, fixture.certificate, 1700000000, NULL), 0);
                check_by_sbverify("program.efi", "teapot.crt");
                check_by_osslsigncode("program.efi", "teapot.crt");
        }
}

static void test_several(void **state) {
        _cleanup_(key_fixture_done) KeyFixture one = key_fixture_load("one", KEY_PAIR_RSA_2048);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_2048);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(fd_closep) int fd = build_program("program.efi", 0);
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(authenticode_sign(&image, one.key, one.certificate, AUTHENTICODE_NO_TIME, NULL), 0);
        assert_int_equal(authenticode_sign(&image, other.key, other.certificate, AUTHENTICODE_NO_TIME, NULL),
                         0);
        said = FOREIGN_CHECK("sbverify", "--list", "program.efi");
        assert_non_null(strstr(said, "signature 1"));
        assert_non_null(strstr(said, "signature 2"));
        check_by_sbverify("program.efi", "one.crt");
        check_by_sbverify("program.efi", "other.crt");
}

/* The same input gives the same bytes. */
static void test_reproducible(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        uint8_t bytes[2][BUILD_SIZE_MAX] = {};
        struct stat status[2];

        for (size_t i = 0; i < 2; i++) {
                _cleanup_(pe_image_done) PeImage image = {};
                _cleanup_(fd_closep) int fd = build_program("program.efi", 3);

                assert_int_equal(pe_image_load(fd, &image, NULL), 0);
                assert_int_equal(
                        authenticode_sign(&image, fixture.key, fixture.certificate, 1700000000, NULL), 0);
                assert_int_equal(fstat(fd, &status[i]), 0);
                assert_int_equal(fd_pread_all(fd, bytes[i], (size_t)status[i].st_size, 0), 0);
        }
        assert_int_equal(status[0].st_size, status[1].st_size);
        assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_digest),        cmocka_unit_test(test_digest_order),
                cmocka_unit_test(test_request),       unit_test_in_directory(test_sign),
                unit_test_in_directory(test_several), unit_test_in_directory(test_reproducible),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
