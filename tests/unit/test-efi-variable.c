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

#include "secureboot/efi-variable.h"

static const Uuid owner = { { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                              0xee, 0xff, 0x00 } };
#define OWNER_TEXT "11223344-5566-7788-99aa-bbccddeeff00"

#define TIME      1700000000
#define TIME_TEXT "2023-11-14 22:13:20"

static void write_der(const char *path, const Der *der) {
        assert_int_equal(der_finish(der), 0);
        assert_int_equal(file_write(AT_FDCWD, path, der->bytes, der->size, 0644), 0);
}

/* cert-to-efi-sig-list(1) writes the same bytes. */
static void test_signature_list(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(freep) char *said = NULL, *expected = NULL;
        _cleanup_(der_done) Der list = {};
        size_t size;

        efi_signature_list_write(fixture.certificate, owner, &list);
        assert_int_equal(der_finish(&list), 0);
        said = FOREIGN_CHECK("cert-to-efi-sig-list", "-g", OWNER_TEXT, "teapot.crt", "expected.esl");
        assert_int_equal(file_read(AT_FDCWD, "expected.esl", 65536, &expected, &size), 0);
        assert_int_equal(list.size, size);
        assert_memory_equal(list.bytes, expected, size);
}

/* sign-efi-sig-list(1) signs the same bytes; RSA makes the same signature of them, and what stands around it is read
 * by openssl(1). */
static void test_variable(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(der_done) Der list = {};

        efi_signature_list_write(fixture.certificate, owner, &list);
        write_der("list.esl", &list);
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX; variable++) {
                _cleanup_(freep) char *said = NULL, *expected = NULL;
                _cleanup_(der_done) Der ours = {};
                size_t size;

                assert_int_equal(efi_variable_write(variable, &list, TIME, fixture.key, fixture.certificate,
                                                    &ours, NULL),
                                 0);
                said = FOREIGN_CHECK("sign-efi-sig-list", "-t", TIME_TEXT, "-k", "teapot.key", "-c",
                                     "teapot.crt", efi_variable_names[variable], "list.esl", "expected.auth");
                assert_int_equal(file_read(AT_FDCWD, "expected.auth", 65536, &expected, &size), 0);

                /* Its time is the same, and so is the content at the end, and the signature before that. */
                assert_memory_equal(ours.bytes, expected, 16);
                assert_memory_equal(ours.bytes + ours.size - list.size - 256,
                                    expected + size - list.size - 256, list.size + 256);
        }
}

/* openssl(1) verifies what the header holds, against what the specification says is signed. */
static void test_signature(void **state) {
        static const char name[] = "P\0K\0";
        static const uint8_t vendor[] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                          0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
        static const uint8_t attributes[] = { 0x27, 0, 0, 0 };
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_EC_P256 };
        /* ContentInfo, whose lengths are put in below. */
        uint8_t info[] = { 0x30, 0x82, 0,    0,    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                           0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x82, 0,    0 };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", types[i]);
                _cleanup_(der_done) Der content = {}, variable = {}, bytes = {}, signature = {};
                _cleanup_(freep) char *said = NULL;

                der_add_raw(&content, "content", 7);
                assert_int_equal(efi_variable_write(EFI_VARIABLE_PK, &content, TIME, fixture.key,
                                                    fixture.certificate, &variable, NULL),
                                 0);
                der_add_raw(&bytes, name, 4);
                der_add_raw(&bytes, vendor, sizeof(vendor));
                der_add_raw(&bytes, attributes, sizeof(attributes));
                der_add_raw(&bytes, variable.bytes, 16);
                der_add_raw(&bytes, "content", 7);
                write_der("bytes", &bytes);

                const size_t size = variable.size - 16 - 24 - 7;
                assert_int_equal(variable.bytes[16] | variable.bytes[17] << 8, size + 24);
                assert_memory_equal(variable.bytes + 18, "\0\0\x00\x02\xf1\x0e", 6);
                info[2] = (uint8_t)((size + 15) >> 8), info[3] = (uint8_t)(size + 15);
                info[17] = (uint8_t)(size >> 8), info[18] = (uint8_t)size;
                der_add_raw(&signature, info, sizeof(info));
                der_add_raw(&signature, variable.bytes + 40, size);
                write_der("signature", &signature);
                said = FOREIGN_CHECK("openssl", "smime", "-verify", "-inform", "DER", "-in", "signature",
                                     "-content", "bytes", "-binary", "-purpose", "any", "-partial_chain",
                                     "-CAfile", "teapot.crt");
        }
}

/* The signature is made by openssl(1): then it is the file that efi_variable_write() makes. */
static void test_offline(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_3072);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_3072);
        _cleanup_(der_done) Der list = {};

        efi_signature_list_write(fixture.certificate, owner, &list);
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX; variable++) {
                _cleanup_(der_done) Der file = {}, expected = {}, raw = {}, signature = {};
                _cleanup_(efi_variable_parts_done) EfiVariableParts parts = {}, again = {};
                _cleanup_(freep) char *bytes = NULL;
                size_t size;

                assert_int_equal(efi_variable_reserve(&list, TIME, fixture.certificate, &file, NULL), 0);
                assert_int_equal(efi_variable_read(variable, file.bytes, file.size, &parts, NULL), 0);
                assert_int_equal(efi_variable_is_signed(file.bytes, &parts, fixture.certificate), 0);
                for (size_t i = 0; i < parts.signature_size; i++)
                        assert_int_equal(file.bytes[parts.signature_offset + i], 0);
                write_der("request", &parts.signed_bytes);
                free(FOREIGN_CHECK("openssl", "dgst", "-sha256", "-sign", "teapot.key", "-out", "signature",
                                   "request"));
                assert_int_equal(file_read(AT_FDCWD, "signature", 4096, &bytes, &size), 0);
                der_add_raw(&raw, bytes, size);
                assert_int_equal(efi_variable_signature_make(fixture.certificate, &raw, &signature), 0);
                assert_int_equal(signature.size, parts.signature_size);
                memcpy(file.bytes + parts.signature_offset, signature.bytes, signature.size);

                assert_int_equal(efi_variable_write(variable, &list, TIME, fixture.key, fixture.certificate,
                                                    &expected, NULL),
                                 0);
                assert_int_equal(file.size, expected.size);
                assert_memory_equal(file.bytes, expected.bytes, file.size);
                assert_int_equal(efi_variable_is_signed(file.bytes, &parts, fixture.certificate), 1);
                assert_int_equal(efi_variable_is_signed(file.bytes, &parts, other.certificate), 0);
                file.bytes[file.size - 1] ^= 1;
                assert_int_equal(efi_variable_read(variable, file.bytes, file.size, &again, NULL), 0);
                assert_int_equal(efi_variable_is_signed(file.bytes, &again, fixture.certificate), 0);
        }
}

static void test_reserve_refused(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        _cleanup_(der_done) Der content = {}, file = {};
        _cleanup_(reason_done) Reason reason = {};

        der_add_raw(&content, "content", 7);
        assert_int_equal(efi_variable_reserve(&content, TIME, fixture.certificate, &file, &reason), -ENOTSUP);
        assert_non_null(strstr(reason.text, "no fixed size"));
}

/* Whatever is in the header. */
static void test_read_refused(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_RSA_2048);
        _cleanup_(der_done) Der content = {}, file = {};
        EfiVariableParts parts;

        der_add_raw(&content, "content", 7);
        assert_int_equal(efi_variable_reserve(&content, TIME, fixture.certificate, &file, NULL), 0);
        for (size_t size = 0; size < file.size - content.size; size++)
                assert_int_equal(efi_variable_read(EFI_VARIABLE_PK, file.bytes, size, &parts, NULL),
                                 -EBADMSG);
        for (size_t at = 16 + 3; at < 40; at++) {
                _cleanup_(reason_done) Reason reason = {};

                file.bytes[at] ^= 0x80;
                assert_int_equal(efi_variable_read(EFI_VARIABLE_PK, file.bytes, file.size, &parts, &reason),
                                 -EBADMSG);
                assert_string_equal(reason.text, "This is no EFI variable with a signature");
                file.bytes[at] ^= 0x80;
        }
        memcpy(file.bytes + 16, "\x18\0\0\0", 4); /* no signature */
        assert_int_equal(efi_variable_read(EFI_VARIABLE_PK, file.bytes, file.size, &parts, NULL), -EBADMSG);
}

static void test_bad_time(void **state) {
        _cleanup_(key_fixture_done) KeyFixture fixture = key_fixture_load("teapot", KEY_PAIR_EC_P256);
        _cleanup_(der_done) Der content = {}, variable = {};
        _cleanup_(reason_done) Reason reason = {};

        der_add_raw(&content, "content", 7);
        assert_int_equal(efi_variable_write(EFI_VARIABLE_DB, &content, INT64_MAX, fixture.key,
                                            fixture.certificate, &variable, &reason),
                         -ERANGE);
        assert_non_null(strstr(reason.text, "time"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_signature_list),  unit_test_in_directory(test_variable),
                unit_test_in_directory(test_signature),       unit_test_in_directory(test_offline),
                unit_test_in_directory(test_reserve_refused), unit_test_in_directory(test_read_refused),
                unit_test_in_directory(test_bad_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
