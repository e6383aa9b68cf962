/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/sign-boot.h"
#include "sign-disk-fixture.h"
#include "temporary-directory.h"

/* Programs and variables, each with what is signed and where; test-sign-disk.c has the rest. */
static void test_survey(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make_with(KEY_PAIR_RSA_2048, true);
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(&fixture);
        _cleanup_(sign_request_done) SignRequest request = {};
        static const struct {
                const char *path;
                size_t n_ranges;
        } items[] = {
                { SIGN_FIXTURE_PROGRAM, 2 },
                { BOOT_TREE_KEYS_DIRECTORY "/KEK.auth", 1 },
                { BOOT_TREE_KEYS_DIRECTORY "/PK.auth", 1 },
                { BOOT_TREE_KEYS_DIRECTORY "/db.auth", 1 },
        };

        assert_int_equal(sign_boot_survey(&disk, &request, NULL), 0);
        assert_int_equal(request.n_items, ELEMENTSOF(items));
        for (size_t i = 0; i < ELEMENTSOF(items); i++) {
                assert_string_equal(request.items[i].path, items[i].path);
                assert_int_equal(request.items[i].n_ranges, items[i].n_ranges);
                assert_int_equal(request.items[i].kind, SIGN_SECURE_BOOT);
                assert_string_equal(request.items[i].certificate, "CN=mkosi.secure-boot");
        }
        /* Name, vendor and attributes of a variable are signed with it. */
        assert_memory_equal(request.items[2].bytes.bytes, "P\0K\0\x61\xdf\xe4\x8b", 8);
}

static void apply(const SignFixture *fixture, const SignPatches *patches) {
        for (size_t i = 0; i < patches->n_items; i++)
                assert_int_equal(fd_pwrite_all(fixture->fd, patches->items[i].bytes,
                                               patches->items[i].range.size, patches->items[i].range.offset),
                                 0);
}

static int attach(const SignFixture *fixture, const SignItem *item, const Der *signature,
                  SignPatches *patches, SignState *ret, Reason *reason) {
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(fixture);

        return sign_boot_attach(&disk, item, signature, patches, ret, reason);
}

/* A variable is signed by what the patches change, and nothing but its place is changed. */
static void test_attach(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make_with(KEY_PAIR_RSA_2048, true);

        for (size_t i = 0; i < 4; i++) {
                const SignItem *item = &fixture.request.items[i];
                _cleanup_(sign_patches_done) SignPatches patches = {}, none = {};
                _cleanup_(der_done) Der signature = {};
                SignState found;

                sign_fixture_sign(&fixture, item, &signature);
                assert_int_equal(attach(&fixture, item, &signature, &patches, &found, NULL), 0);
                assert_int_equal(found, SIGN_STATE_EMPTY);
                assert_int_equal(patches.n_items, item->n_ranges);
                apply(&fixture, &patches);
                assert_int_equal(attach(&fixture, item, NULL, &none, &found, NULL), 0);
                assert_int_equal(found, SIGN_STATE_SIGNED);
        }
}

static void refuse(const SignFixture *fixture, const SignItem *item, const Der *signature, int answer,
                   const char *said) {
        _cleanup_(sign_patches_done) SignPatches patches = {};
        _cleanup_(reason_done) Reason reason = {};
        SignState found;

        assert_int_equal(attach(fixture, item, signature, &patches, &found, &reason), answer);
        if (!strstr(reason.text, said))
                fail_msg("\"%s\" is not in: %s", said, reason.text);
        assert_int_equal(patches.n_items, 0);
}

static void flip(const SignFixture *fixture, uint64_t offset) {
        uint8_t byte;

        assert_int_equal(fd_pread_all(fixture->fd, &byte, 1, offset), 0);
        byte ^= 1;
        assert_int_equal(fd_pwrite_all(fixture->fd, &byte, 1, offset), 0);
}

static void test_refused(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make_with(KEY_PAIR_RSA_2048, true);
        static const char stale[] = "is not what the request is about";
        _cleanup_(der_done) Der other = {};
        SignItem *variable = &fixture.request.items[1];
        const SignRange range = variable->ranges[0];

        sign_fixture_sign(&fixture, &fixture.request.items[2], &other);
        refuse(&fixture, variable, &other, -EKEYREJECTED, "did not make this signature of these bytes");
        variable->ranges[0].offset++;
        refuse(&fixture, variable, NULL, -ESTALE, stale);
        variable->ranges[0] = range;
        variable->ranges[0].size--;
        refuse(&fixture, variable, NULL, -ESTALE, stale);
        variable->ranges[0] = range;
        variable->bytes.bytes[0] ^= 1;
        refuse(&fixture, variable, NULL, -ESTALE, stale);
        variable->bytes.bytes[0] ^= 1;

        /* Something in the place, and something else than the certificate behind it. */
        flip(&fixture, range.offset + 7);
        refuse(&fixture, variable, NULL, -ESTALE, stale);
        flip(&fixture, range.offset + 7);
        flip(&fixture, range.offset + range.size + 7);
        refuse(&fixture, variable, NULL, -ESTALE, stale);
        flip(&fixture, range.offset + range.size + 7);

        /* Only these files can be asked for. */
        static const char *const paths[] = { "EFI/text", "EFI", "loader/keys/auto",
                                             "loader/keys/auto/dbx.auth" };
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                free(variable->path);
                assert_int_equal(text_copy(paths[i], &variable->path), 0);
                refuse(&fixture, variable, NULL, -ESTALE, "to be signed on the EFI system partition");
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_survey),
                unit_test_in_directory(test_attach),
                unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
