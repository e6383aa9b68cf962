/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "secureboot/certificate-table.h"

#include "pe-builder.h"

static const BuildSection plain[] = {
        { ".text", "code" },
        { ".data", "values" },
        {},
};

/* An image whose certificate table holds these bytes. */
static int build_table(const void *bytes, size_t size, PeImage *ret) {
        BuildImage built = build_image(plain);

        build_number(&built, BUILD_DIRECTORIES + 4 * 8, 4, built.size);
        build_number(&built, BUILD_DIRECTORIES + 4 * 8 + 4, 4, size);
        memcpy(built.bytes + built.size, bytes, size);
        built.size += size;
        const int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, ret, NULL), 0);
        return fd;
}

static uint64_t file_size(int fd) {
        struct stat status;

        assert_int_equal(fstat(fd, &status), 0);
        return (uint64_t)status.st_size;
}

static void test_read(void **state) {
        /* One of 5 bytes, padded, and one of 8. */
        static const uint8_t table[] = { 13, 0, 0, 0, 0, 2, 2, 0, 'f', 'i', 'r', 's', 't', 0,   0,   0,
                                         16, 0, 0, 0, 0, 1, 1, 0, 's', 'e', 'c', 'o', 'n', 'd', '!', '!' };
        _cleanup_(pe_image_done) PeImage image = {};
        _unused_ _cleanup_(fd_closep) int fd = build_table(table, sizeof(table), &image);
        _cleanup_(der_done) Der content = {};
        CertificateTable read;

        assert_int_equal(certificate_table_read(&image, &read, NULL), 0);
        assert_int_equal(read.n_entries, 2);
        assert_int_equal(read.entries[0].revision, CERTIFICATE_REVISION);
        assert_int_equal(read.entries[0].type, CERTIFICATE_SIGNED_DATA);
        assert_int_equal(read.entries[0].size, 5);
        assert_int_equal(read.entries[1].revision, 0x0100);
        assert_int_equal(read.entries[1].type, 1);
        assert_int_equal(certificate_entry_read(&image, &read.entries[1], &content), 0);
        assert_int_equal(content.size, 8);
        assert_memory_equal(content.bytes, "second!!", 8);
}

static void test_refused(void **state) {
        static const struct {
                uint8_t table[24];
                const char *reason;
        } cases[] = {
                { { 0 }, "0 bytes" },
                { { 8 }, "8 bytes" },
                { { 25 }, "25 bytes" },
                { { 255, 255, 255, 255 }, "4294967295 bytes" },
                { { 16 }, "ends within an entry" },
                { { 12, [16] = 9 }, "ends within an entry" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(pe_image_done) PeImage image = {};
                _unused_ _cleanup_(fd_closep) int fd =
                        build_table(cases[i].table, sizeof(cases[i].table), &image);
                _cleanup_(reason_done) Reason reason = {};
                CertificateTable read = { .n_entries = 77 };

                assert_int_equal(certificate_table_read(&image, &read, &reason), -EBADMSG);
                assert_int_equal(read.n_entries, 77);
                assert_non_null(strstr(reason.text, cases[i].reason));
        }
}

static void test_too_many(void **state) {
        uint8_t table[(CERTIFICATE_ENTRIES_MAX + 1) * 16] = {};
        _cleanup_(reason_done) Reason reason = {};
        CertificateTable read;

        for (size_t i = 0; i < sizeof(table); i += 16)
                table[i] = 16;
        _cleanup_(pe_image_done) PeImage many = {}, most = {};
        _unused_ _cleanup_(fd_closep) int many_fd = build_table(table, sizeof(table), &many);
        _unused_ _cleanup_(fd_closep) int most_fd = build_table(table, sizeof(table) - 16, &most);
        assert_int_equal(certificate_table_read(&many, &read, &reason), -EBADMSG);
        assert_non_null(strstr(reason.text, "more than 64"));
        assert_int_equal(certificate_table_read(&most, &read, NULL), 0);
        assert_int_equal(read.n_entries, CERTIFICATE_ENTRIES_MAX);
}

/* An independent computation of the checksum: words of 16 bits, carries added at once, the size at the end. */
static uint32_t slow_checksum(int fd) {
        const size_t size = file_size(fd);
        _cleanup_(freep) uint8_t *bytes = calloc(1, size + 1);
        uint32_t sum = 0;

        assert_int_equal(fd_pread_all(fd, bytes, size, 0), 0);
        memset(bytes + BUILD_OPTIONAL + 64, 0, 4);
        for (size_t i = 0; i < size; i += 2) {
                sum += (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8;
                sum = (sum & 0xffff) + (sum >> 16);
        }
        return sum + (uint32_t)size;
}

/* What is in the file is what is in memory, and all of it can be read again. */
static void check_file(const PeImage *image) {
        _cleanup_(pe_image_done) PeImage again = {};

        assert_int_equal(pe_image_load(image->fd, &again, NULL), 0);
        assert_int_equal(again.certificates_offset, image->certificates_offset);
        assert_int_equal(again.certificates_size, image->certificates_size);
        assert_memory_equal(again.headers, image->headers, image->header_size);
        assert_int_equal(file_size(image->fd) % 8, 0);
}

static void append(PeImage *image, const char *text) {
        _cleanup_(der_done) Der signature = {};

        der_add_raw(&signature, text, strlen(text));
        assert_int_equal(certificate_table_append(image, &signature, NULL), 0);
        check_file(image);
        assert_int_equal(build_get(image->headers, BUILD_OPTIONAL + 64, 4), slow_checksum(image->fd));
}

static void test_append_and_remove(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(der_done) Der content = {};
        CertificateTable read;
        uint8_t original[BUILD_SIZE_MAX];

        /* A file that does not end at 8 bytes is filled up. */
        built.bytes[built.size++] = 0xee;
        const size_t size = align_up(built.size, 8);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);

        append(&image, "first");
        assert_int_equal(image.certificates_offset, size);
        append(&image, "secondsecond");
        assert_int_equal(image.certificates_offset, size);
        assert_int_equal(certificate_table_read(&image, &read, NULL), 0);
        assert_int_equal(read.n_entries, 2);
        assert_int_equal(certificate_entry_read(&image, &read.entries[1], &content), 0);
        assert_memory_equal(content.bytes, "secondsecond\0\0\0", 16);

        assert_int_equal(certificate_table_remove(&image), 0);
        check_file(&image);
        assert_int_equal(image.certificates_size, 0);
        assert_int_equal(file_size(fd), size);
        assert_int_equal(build_get(image.headers, BUILD_OPTIONAL + 64, 4), slow_checksum(fd));
        assert_int_equal(fd_pread_all(fd, original, size, 0), 0);
        memset(original + BUILD_OPTIONAL + 64, 0, 4);
        build_number(&built, BUILD_OPTIONAL + 64, 4, 0);
        assert_memory_equal(original, built.bytes, size);
        assert_int_equal(certificate_table_remove(&image), 0);
}

/* More than is read at a time. */
static void test_checksum_of_large_file(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        uint8_t bytes[4096];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(255 - i % 7);
        for (size_t i = 0; i < 200; i++)
                assert_int_equal(fd_pwrite_all(fd, bytes, sizeof(bytes), built.size + i * sizeof(bytes)), 0);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        append(&image, "signature");
}

/* Filling what was reserved changes nothing but the place and the checksum. */
static void test_reserve(void **state) {
        const BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        _cleanup_(der_done) Der signature = {}, large = {};
        _cleanup_(reason_done) Reason reason = {};
        uint8_t before[BUILD_SIZE_MAX], after[BUILD_SIZE_MAX];
        CertificateEntry entry;
        CertificateTable read;

        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        assert_int_equal(certificate_table_reserve(&image, 100, &entry, NULL), 0);
        check_file(&image);
        assert_int_equal(build_get(image.headers, BUILD_OPTIONAL + 64, 4), 0);
        assert_true(entry.size >= 100);
        const size_t size = file_size(fd);
        assert_int_equal(fd_pread_all(fd, before, size, 0), 0);

        der_add_raw(&signature, "signature", 9);
        assert_int_equal(certificate_entry_fill(&image, &entry, &signature, NULL), 0);
        assert_int_equal(file_size(fd), size);
        assert_int_equal(fd_pread_all(fd, after, size, 0), 0);
        check_file(&image);
        assert_int_equal(build_get(after, BUILD_OPTIONAL + 64, 4), slow_checksum(fd));
        memset(after + BUILD_OPTIONAL + 64, 0, 4);
        assert_memory_equal(before, after, entry.offset);
        assert_memory_equal(after + entry.offset, "signature\0", 10);
        assert_int_equal(certificate_table_read(&image, &read, NULL), 0);
        assert_int_equal(read.n_entries, 1);
        assert_memory_equal(&read.entries[0], &entry, sizeof(entry));

        der_add_raw(&large, before, entry.size + 1);
        assert_int_equal(certificate_entry_fill(&image, &entry, &large, &reason), -ENOSPC);
        assert_non_null(strstr(reason.text, "reserved"));
}

static void test_no_room(void **state) {
        BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(der_done) Der signature = {}, large = {};

        /* Four directories: the fifth would be the table's. */
        build_number(&built, BUILD_OPTIONAL + 108, 4, 4);
        _cleanup_(fd_closep) int fd = build_image_file(&built);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        der_add_raw(&signature, "signature", 9);
        assert_int_equal(certificate_table_append(&image, &signature, &reason), -ENOTSUP);
        assert_non_null(strstr(reason.text, "no room for signatures"));
        assert_int_equal(file_size(fd), built.size);

        _cleanup_(freep) uint8_t *bytes = calloc(1, 2 * MIB);
        der_add_raw(&large, bytes, 2 * MIB);
        assert_int_equal(certificate_table_append(&image, &large, NULL), -EFBIG);
}

/* A file that a table would make larger than its offsets can say. */
static void test_file_too_large(void **state) {
        const BuildImage built = build_image(plain);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(der_done) Der signature = {};
        _cleanup_(fd_closep) int fd = build_image_file(&built);

        assert_int_equal(ftruncate(fd, UINT32_MAX - 8), 0);
        assert_int_equal(pe_image_load(fd, &image, NULL), 0);
        der_add_raw(&signature, "signature", 9);
        assert_int_equal(certificate_table_append(&image, &signature, NULL), -EFBIG);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_append_and_remove),
                cmocka_unit_test(test_checksum_of_large_file),
                cmocka_unit_test(test_reserve),
                cmocka_unit_test(test_no_room),
                cmocka_unit_test(test_file_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
