/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "sign-request-fixture.h"

static void test_add_and_find(void **state) {
        _cleanup_(sign_request_done) SignRequest request = request_fixture_make();
        static const char *const ids[] = { "secure-boot-1", "verity", "SHA256SUMS", "secure-boot-2" };

        (void)request_fixture_add(&request, SIGN_SECURE_BOOT, "other", "program");
        assert_int_equal(request.n_items, ELEMENTSOF(ids));
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                assert_string_equal(request.items[i].id, ids[i]);
                assert_true(sign_id_is_valid(ids[i]));
                assert_ptr_equal(sign_request_find(&request, ids[i]), &request.items[i]);
        }
        assert_null(sign_request_find(&request, "secure-boot"));

        SignItem *item;
        while (request.n_items < SIGN_ITEMS_MAX)
                assert_int_equal(sign_request_add(&request, SIGN_VERITY, "x", &item), 0);
        assert_int_equal(sign_request_add(&request, SIGN_VERITY, "x", &item), -E2BIG);
}

/* They become names of files. */
static void test_ids(void **state) {
        static const char *const good[] = { "a", "A.b_c-9", "9" };
        static const char *const bad[] = { "", ".", "..", ".a", "a/b", "a b", "a\n", "ä", "*" };
        char longest[SIGN_ID_LENGTH_MAX + 2] = {};

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(sign_id_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(sign_id_is_valid(bad[i]));
        memset(longest, 'a', SIGN_ID_LENGTH_MAX);
        assert_true(sign_id_is_valid(longest));
        longest[SIGN_ID_LENGTH_MAX] = 'a';
        assert_false(sign_id_is_valid(longest));
}

static void test_format(void **state) {
        _cleanup_(sign_request_done)
                SignRequest request = { .size = 7, .digest = { { 0xd1 } }, .time = AUTHENTICODE_NO_TIME };
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_copy("image.raw", &request.image), 0);
        SignItem *item = request_fixture_add(&request, SIGN_SECURE_BOOT, "a.efi", "abc");
        item->ranges[item->n_ranges++] = (SignRange){ 2, 4 };
        (void)request_fixture_add(&request, SIGN_CHECKSUMS, "SHA256SUMS", NULL);
        assert_int_equal(sign_request_format(&request, &text), 0);
        assert_string_equal(
                text,
                "{\n"
                "\t\"sign_request_version\": 1,\n"
                "\t\"image\": \"image.raw\",\n"
                "\t\"size\": 7,\n"
                "\t\"sha256\": \"d100000000000000000000000000000000000000000000000000000000000000\",\n"
                "\t\"items\": [\n"
                "\t\t{\n"
                "\t\t\t\"id\": \"secure-boot-1\",\n"
                "\t\t\t\"kind\": \"secure-boot\",\n"
                "\t\t\t\"path\": \"a.efi\",\n"
                "\t\t\t\"digest_algorithm\": \"sha256\",\n"
                "\t\t\t\"bytes\": \"YWJj\",\n"
                "\t\t\t\"digest\": \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\n"
                "\t\t\t\"certificate\": \"CN=teapot\",\n"
                "\t\t\t\"certificate_sha256\": "
                "\"fe00000000000000000000000000000000000000000000000000000000000000\",\n"
                "\t\t\t\"ranges\": [\n"
                "\t\t\t\t{\n"
                "\t\t\t\t\t\"offset\": 2,\n"
                "\t\t\t\t\t\"size\": 4\n"
                "\t\t\t\t}\n"
                "\t\t\t]\n"
                "\t\t},\n"
                "\t\t{\n"
                "\t\t\t\"id\": \"SHA256SUMS\",\n"
                "\t\t\t\"kind\": \"checksums\",\n"
                "\t\t\t\"path\": \"SHA256SUMS\",\n"
                "\t\t\t\"ranges\": []\n"
                "\t\t}\n"
                "\t]\n"
                "}\n");
}

/* What lies in the ranges does not count, also where the file is read in pieces; all else does. */
static void test_hash(void **state) {
        static const SignRange ranges[] = { { 0, 1 }, { MIB - 10, 20 }, { 2 * MIB - 1, 1 } };
        const size_t size = 2 * MIB + 100;
        _cleanup_(fd_closep) int fd = memfd_create("image", MFD_CLOEXEC);
        _cleanup_(freep) uint8_t *bytes = calloc(1, size);
        _cleanup_(sign_request_done) SignRequest request = { .size = size };
        Sha256Digest expected, digest;

        for (size_t i = 0; i < ELEMENTSOF(ranges); i++) {
                SignItem *item = request_fixture_add(&request, SIGN_SECURE_BOOT, "a", "abc");
                item->ranges[item->n_ranges++] = ranges[i];
        }
        memset(bytes + 100, 'x', MIB / 2);
        assert_int_equal(sha256(bytes, size, &expected), 0);
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                memset(bytes + ranges[i].offset, 'y', ranges[i].size);
        assert_int_equal(fd_pwrite_all(fd, bytes, size, 0), 0);
        assert_int_equal(sign_request_hash(&request, fd, NULL, &digest), 0);
        assert_memory_equal(&digest, &expected, sizeof(digest));

        static const uint64_t outside[] = { 1, MIB - 11, MIB + 10, 2 * MIB - 2, 2 * MIB, 2 * MIB + 99 };
        for (size_t i = 0; i < ELEMENTSOF(outside); i++) {
                assert_int_equal(fd_pwrite_all(fd, "z", 1, outside[i]), 0);
                assert_int_equal(sign_request_hash(&request, fd, NULL, &digest), 0);
                assert_memory_not_equal(&digest, &expected, sizeof(digest));
                assert_int_equal(fd_pwrite_all(fd, bytes + outside[i], 1, outside[i]), 0);
        }
        assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
        assert_int_equal(sign_request_hash(&request, fd, NULL, &digest), -ENODATA);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_add_and_find),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_hash),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
