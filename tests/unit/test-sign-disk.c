/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/path.h"
#include "sign-disk-fixture.h"
#include "temporary-directory.h"

/* What waits is found, and where it is in the image; nothing else is. */
static void test_survey(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(KEY_PAIR_RSA_2048);
        const SignRequest *request = &fixture.request;
        const PartitionPlace *places = fixture.layout->places;
        char digits[2 * SHA256_SIZE + 1];

        assert_int_equal(request->n_items, 2);
        const SignItem *program = &request->items[0], *hash = &request->items[1];
        assert_string_equal(program->id, "secure-boot-1");
        assert_string_equal(program->path, SIGN_FIXTURE_PROGRAM);
        assert_string_equal(program->certificate, "CN=mkosi.secure-boot");
        assert_int_equal(program->n_ranges, 2);
        assert_int_equal(program->bytes.bytes[0], DER_SET);
        for (size_t i = 0; i < program->n_ranges; i++) {
                _cleanup_(freep) uint8_t *bytes = malloc(program->ranges[i].size);

                assert_true(program->ranges[i].offset > places[SIGN_FIXTURE_BOOT].offset);
                assert_int_equal(fd_pread_all(fixture.fd, bytes, program->ranges[i].size,
                                              program->ranges[i].offset),
                                 0);
                for (size_t k = 0; k < program->ranges[i].size; k++)
                        assert_int_equal(bytes[k], 0);
        }
        assert_int_equal(program->ranges[1].size, 4);

        assert_string_equal(hash->id, "verity");
        assert_string_equal(hash->path, "Signature");
        assert_int_equal(hash->n_ranges, 1);
        assert_int_equal(hash->ranges[0].offset, places[SIGN_FIXTURE_SIGNATURE].offset);
        assert_int_equal(hash->ranges[0].size, places[SIGN_FIXTURE_SIGNATURE].size);
        sha256_format(&fixture.root_hash, digits);
        assert_int_equal(hash->bytes.size, sizeof(digits) - 1);
        assert_memory_equal(hash->bytes.bytes, digits, sizeof(digits) - 1);
        for (size_t i = 0; i < 2; i++)
                assert_memory_equal(&request->items[i].fingerprint, &fixture.keys[i].certificate->fingerprint,
                                    SHA256_SIZE);
}

/* Without a certificate nothing is looked for. */
static void test_survey_of_one(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(KEY_PAIR_RSA_2048);
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(&fixture);
        _cleanup_(sign_request_done) SignRequest request = {};

        disk.certificates[SIGNER_SECURE_BOOT] = NULL;
        assert_int_equal(sign_disk_survey(&disk, &request, NULL), 0);
        assert_int_equal(request.n_items, 1);
        assert_int_equal(request.items[0].kind, SIGN_VERITY);
}

static SignState attach(const SignFixture *fixture, const SignItem *item, const Der *signature,
                        SignPatches *patches) {
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(fixture);
        _cleanup_(reason_done) Reason reason = {};
        SignState state = SIGN_STATE_MAX;

        const int r = sign_disk_attach(&disk, item, signature, patches, &state, &reason);
        if (r < 0)
                fail_msg("%s: %s", item->id, reason_text(&reason, r));
        return state;
}

static void apply(const SignFixture *fixture, const SignPatches *patches) {
        for (size_t i = 0; i < patches->n_items; i++)
                assert_int_equal(fd_pwrite_all(fixture->fd, patches->items[i].bytes,
                                               patches->items[i].range.size, patches->items[i].range.offset),
                                 0);
}

/* Places are empty, and are signed when the patches are in the image; a second time gives the same patches. */
static void test_attach(void **state) {
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_EC_P384 };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(types[i]);

                for (size_t k = 0; k < fixture.request.n_items; k++) {
                        const SignItem *item = &fixture.request.items[k];
                        _cleanup_(sign_patches_done) SignPatches patches = {}, again = {}, none = {};
                        _cleanup_(der_done) Der signature = {};
                        Sha256Digest digest;

                        assert_int_equal(attach(&fixture, item, NULL, &none), SIGN_STATE_EMPTY);
                        assert_int_equal(none.n_items, 0);
                        sign_fixture_sign(&fixture, item, &signature);
                        assert_int_equal(attach(&fixture, item, &signature, &patches), SIGN_STATE_EMPTY);
                        assert_int_equal(patches.n_items, item->n_ranges);
                        for (size_t n = 0; n < item->n_ranges; n++)
                                assert_memory_equal(&patches.items[n].range, &item->ranges[n],
                                                    sizeof(item->ranges[n]));
                        apply(&fixture, &patches);
                        assert_int_equal(attach(&fixture, item, NULL, &none), SIGN_STATE_SIGNED);
                        assert_int_equal(attach(&fixture, item, &signature, &again), SIGN_STATE_SIGNED);
                        for (size_t n = 0; n < item->n_ranges; n++)
                                assert_memory_equal(again.items[n].bytes, patches.items[n].bytes,
                                                    item->ranges[n].size);
                        assert_int_equal(sign_request_hash(&fixture.request, fixture.fd, NULL, &digest), 0);
                        assert_memory_equal(&digest, &fixture.request.digest, sizeof(digest));
                }
        }
}

static void refuse(const SignFixture *fixture, const SignItem *item, const Der *signature, int answer,
                   const char *said) {
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(fixture);
        _cleanup_(sign_patches_done) SignPatches patches = {};
        _cleanup_(reason_done) Reason reason = {};
        SignState state;

        assert_int_equal(sign_disk_attach(&disk, item, signature, &patches, &state, &reason), answer);
        assert_non_null(reason.text);
        if (!strstr(reason.text, said))
                fail_msg("\"%s\" is not in: %s", said, reason.text);
        assert_int_equal(patches.n_items, 0);
}

/* The signature of the one is none of the other. */
static void test_wrong_signature(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(KEY_PAIR_RSA_2048);

        for (size_t i = 0; i < 2; i++) {
                _cleanup_(der_done) Der signature = {};

                sign_fixture_sign(&fixture, &fixture.request.items[1 - i], &signature);
                refuse(&fixture, &fixture.request.items[i], &signature, -EKEYREJECTED,
                       "did not make this signature of these bytes");
        }
}

static void flip(const SignFixture *fixture, uint64_t offset) {
        uint8_t byte;

        assert_int_equal(fd_pread_all(fixture->fd, &byte, 1, offset), 0);
        byte ^= 1;
        assert_int_equal(fd_pwrite_all(fixture->fd, &byte, 1, offset), 0);
}

/* The request says otherwise than the image. */
static void test_stale(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(KEY_PAIR_RSA_2048);
        static const char said[] = "is not what the request is about";
        SignItem *program = &fixture.request.items[0], *hash = &fixture.request.items[1];

        for (size_t i = 0; i < program->n_ranges; i++) {
                program->ranges[i].offset += 8;
                refuse(&fixture, program, NULL, -ESTALE, said);
                program->ranges[i].offset -= 8;
                program->ranges[i].size += 8;
                refuse(&fixture, program, NULL, -ESTALE, said);
                program->ranges[i].size -= 8;
        }
        hash->ranges[0].size -= 512;
        refuse(&fixture, hash, NULL, -ESTALE, said);
        hash->ranges[0].size += 512;
        for (size_t i = 0; i < 2; i++) {
                fixture.request.items[i].bytes.bytes[20] ^= 1;
                refuse(&fixture, &fixture.request.items[i], NULL, -ESTALE, said);
                fixture.request.items[i].bytes.bytes[20] ^= 1;
        }

        /* Something is in the places that is no signature. */
        for (size_t i = 0; i < 2; i++) {
                flip(&fixture, fixture.request.items[i].ranges[0].offset);
                refuse(&fixture, &fixture.request.items[i], NULL, -ESTALE, said);
                flip(&fixture, fixture.request.items[i].ranges[0].offset);
        }

        /* The program itself. */
        flip(&fixture, program->ranges[0].offset - 100);
        refuse(&fixture, program, NULL, -ESTALE, said);
        free(program->path);
        assert_int_equal(text_copy("EFI/nothing.efi", &program->path), 0);
        refuse(&fixture, program, NULL, -ESTALE,
               "There is no EFI/nothing.efi to be signed on the EFI system partition");
}

static void test_no_disk(void **state) {
        _cleanup_(fd_closep) int fd = memfd_create("disk", MFD_CLOEXEC);
        _cleanup_(sign_disk_done) SignDisk disk = { .fd = fd, .size = MIB };
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(ftruncate(fd, MIB), 0);
        assert_int_equal(sign_disk_open(&disk, &reason), -EBADMSG);
        assert_string_equal(reason.text, "There is no protective MBR");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_survey), unit_test_in_directory(test_survey_of_one),
                unit_test_in_directory(test_attach), unit_test_in_directory(test_wrong_signature),
                unit_test_in_directory(test_stale),  unit_test_in_directory(test_no_disk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
