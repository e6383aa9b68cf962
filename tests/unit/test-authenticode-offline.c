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

/* A program that does not end at 8 bytes. */
static int build_program(const char *name, PeImage *ret) {
        BuildImage built = build_image(plain);

        built.size += 5;
        assert_int_equal(file_write(AT_FDCWD, name, built.bytes, built.size, 0644), 0);
        const int fd = open(name, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pe_image_load(fd, ret, NULL), 0);
        return fd;
}

/* The signature is made by openssl(1). */
static void sign_elsewhere(const AuthenticodeRequest *request, const char *key, Der *ret) {
        _cleanup_(freep) char *bytes = NULL;
        size_t size;

        assert_int_equal(file_write(AT_FDCWD, "request", request->attributes.bytes, request->attributes.size,
                                    0644),
                         0);
        free(FOREIGN_CHECK("openssl", "dgst", "-sha256", "-sign", key, "-out", "signature", "request"));
        assert_int_equal(file_read(AT_FDCWD, "signature", 4096, &bytes, &size), 0);
        der_add_raw(ret, bytes, size);
}

static void reserve_and_fill(PeImage *image, const Certificate *certificate, int64_t time) {
        _cleanup_(authenticode_request_done) AuthenticodeRequest request = {}, again = {};
        _cleanup_(der_done) Der signature = {};
        CertificateEntry entry;

        assert_int_equal(authenticode_find_reserved(image, &entry, NULL), 0);
        assert_int_equal(authenticode_reserve(image, certificate, time, NULL), 0);
        assert_int_equal(authenticode_find_reserved(image, &entry, NULL), 1);
        assert_int_equal(authenticode_is_reserved(image, &entry), 1);
        assert_int_equal(authenticode_request_of(image, time, &request), 0);

        sign_elsewhere(&request, "teapot.key", &signature);
        assert_int_equal(authenticode_fill(image, &entry, time, certificate, &signature, NULL), 0);
        assert_int_equal(authenticode_is_reserved(image, &entry), 0);
        assert_int_equal(authenticode_find_reserved(image, &entry, NULL), 0);

        /* What was to be signed is the same afterwards. */
        assert_int_equal(authenticode_request_of(image, time, &again), 0);
        assert_int_equal(again.attributes.size, request.attributes.size);
        assert_memory_equal(again.attributes.bytes, request.attributes.bytes, request.attributes.size);
}

/* Of every kind of key; with RSA it is, byte for byte, what is signed at once. */
static void test_offline(void **state) {
        static const int64_t times[] = { AUTHENTICODE_NO_TIME, 1700000000, 4000000000 };

        for (KeyPairType type = 0; type < KEY_PAIR_TYPE_MAX; type++)
                for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", type);
                        _cleanup_(pe_image_done) PeImage offline = {}, at_once = {};
                        _unused_ _cleanup_(fd_closep) int fd = build_program("offline.efi", &offline);
                        _unused_ _cleanup_(fd_closep) int other_fd = build_program("at-once.efi", &at_once);

                        reserve_and_fill(&offline, fixture.certificate, times[i]);
                        free(FOREIGN_CHECK("sbverify", "--cert", "teapot.crt", "offline.efi"));
                        assert_int_equal(authenticode_sign(&at_once, fixture.key, fixture.certificate,
                                                           times[i], NULL),
                                         0);
                        if (fixture.certificate->algorithm == SIGNATURE_RSA)
                                free(FOREIGN_CHECK("cmp", "offline.efi", "at-once.efi"));
                }
}

/* Behind a signature of somebody else, which stays. */
static void test_behind_another(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_2048);
        _cleanup_(pe_image_done) PeImage image = {};
        _unused_ _cleanup_(fd_closep) int fd = build_program("program.efi", &image);

        assert_int_equal(authenticode_sign(&image, other.key, other.certificate, AUTHENTICODE_NO_TIME, NULL),
                         0);
        reserve_and_fill(&image, fixture.certificate, AUTHENTICODE_NO_TIME);
        free(FOREIGN_CHECK("sbverify", "--cert", "teapot.crt", "program.efi"));
        free(FOREIGN_CHECK("sbverify", "--cert", "other.crt", "program.efi"));
}

/* A signature by another key, or of other bytes, changes nothing. */
static void test_refused(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(authenticode_request_done) AuthenticodeRequest request = {}, later = {};
        _cleanup_(pe_image_done) PeImage image = {};
        _unused_ _cleanup_(fd_closep) int fd = build_program("program.efi", &image);
        _cleanup_(der_done) Der foreign = {}, stale = {};
        _cleanup_(reason_done) Reason reason = {};
        CertificateEntry entry;

        key_fixture_make("other", KEY_PAIR_RSA_2048, NULL);
        assert_int_equal(authenticode_reserve(&image, fixture.certificate, AUTHENTICODE_NO_TIME, NULL), 0);
        assert_int_equal(authenticode_find_reserved(&image, &entry, NULL), 1);
        assert_int_equal(authenticode_request_of(&image, AUTHENTICODE_NO_TIME, &request), 0);
        assert_int_equal(authenticode_request_of(&image, 1700000000, &later), 0);
        sign_elsewhere(&request, "other.key", &foreign);
        sign_elsewhere(&later, "teapot.key", &stale);
        assert_int_equal(authenticode_fill(&image, &entry, AUTHENTICODE_NO_TIME, fixture.certificate,
                                           &foreign, &reason),
                         -EKEYREJECTED);
        assert_non_null(strstr(reason.text, "'CN=teapot' did not make this signature"));
        assert_int_equal(authenticode_fill(&image, &entry, AUTHENTICODE_NO_TIME, fixture.certificate, &stale,
                                           NULL),
                         -EKEYREJECTED);
        assert_int_equal(authenticode_is_reserved(&image, &entry), 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_offline),
                unit_test_in_directory(test_behind_another),
                unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
