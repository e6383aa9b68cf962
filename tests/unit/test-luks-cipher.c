/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "format/luks-cipher.h"
#include "temporary-directory.h"

static const uint8_t key[LUKS_CIPHER_KEY_SIZE] = {
        0x27, 0x18, 0x28, 0x18, 0x28, 0x45, 0x90, 0x45, 0x23, 0x53, 0x60, 0x28, 0x74, 0x71, 0x35, 0x26,
        0x62, 0x49, 0x77, 0x57, 0x24, 0x70, 0x93, 0x69, 0x99, 0x59, 0x57, 0x49, 0x66, 0x96, 0x76, 0x27,
        0x31, 0x41, 0x59, 0x26, 0x53, 0x58, 0x97, 0x93, 0x23, 0x84, 0x62, 0x64, 0x33, 0x83, 0x27, 0x95,
        0x02, 0x88, 0x41, 0x97, 0x16, 0x93, 0x99, 0x37, 0x51, 0x05, 0x82, 0x09, 0x74, 0x94, 0x45, 0x92,
};

static int make_file(const char *name) {
        const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        return fd;
}

static uint8_t *read_range(int fd, uint64_t offset, size_t size) {
        uint8_t *bytes = malloc(size);

        assert_non_null(bytes);
        assert_int_equal(fd_pread_all(fd, bytes, size, offset), 0);
        return bytes;
}

/* IEEE 1619-2007, annex B, vector 10: XTS-AES-256, 512 bytes that count up, data unit 0xff. */
static void test_vector(void **state) {
        static const uint8_t begin[] = { 0x1c, 0x3b, 0x3a, 0x10, 0x2f, 0x77, 0x03, 0x86,
                                         0xe4, 0x83, 0x6c, 0x99, 0xe3, 0x70, 0xcf, 0x9b };
        static const uint8_t end[] = { 0xc4, 0xf3, 0x6f, 0xfd, 0xa9, 0xfc, 0xea, 0x70,
                                       0xb9, 0xc6, 0xe6, 0x93, 0xe1, 0x48, 0xc1, 0x51 };
        _cleanup_(fd_closep) int fd = make_file("file");
        uint8_t plain[512];

        for (size_t i = 0; i < sizeof(plain); i++)
                plain[i] = (uint8_t)i;
        assert_int_equal(fd_pwrite_all(fd, plain, sizeof(plain), 0xff * 512), 0);
        const LuksCipherRange range = { fd, 0, UINT64_C(0x100) * 512, 512 };
        assert_int_equal(luks_cipher_encrypt(&range, key, 1, NULL), 0);
        _cleanup_(freep) uint8_t *bytes = read_range(fd, 0xff * 512, 512);
        assert_memory_equal(bytes, begin, sizeof(begin));
        assert_memory_equal(bytes + 512 - sizeof(end), end, sizeof(end));
}

/* The tweak counts 512 bytes, so that the first 512 bytes of the sector with that tweak are the same for both sizes: XTS
 * goes through a sector block by block. */
static void test_large_sectors(void **state) {
        _cleanup_(fd_closep) int small_fd = make_file("small"), large_fd = make_file("large");
        const LuksCipherRange small = { small_fd, 0, UINT64_C(16) * 4096, 512 },
                              large = { large_fd, 0, UINT64_C(16) * 4096, 4096 };

        assert_int_equal(luks_cipher_encrypt(&small, key, 1, NULL), 0);
        assert_int_equal(luks_cipher_encrypt(&large, key, 1, NULL), 0);
        for (uint64_t sector = 0; sector < 16; sector++) {
                _cleanup_(freep) uint8_t *a = read_range(small_fd, sector * 4096, 4096),
                                         *b = read_range(large_fd, sector * 4096, 4096);

                assert_memory_equal(a, b, 512);
                assert_memory_not_equal(a + 512, b + 512, 512);
        }
}

#define SIZE   (UINT64_C(5) * MIB + 4096)
#define OFFSET (UINT64_C(3) * 512)

/* As many threads as one likes give the same, nothing outside of the range changes, and nothing inside stays: neither data
 * nor holes, also behind the end of the file. */
static void test_threads(void **state) {
        static const char marker[] = "What nobody else should read";
        static const uint8_t zeros[64];
        _cleanup_(freep) uint8_t *first = NULL;

        for (unsigned n_threads = 0; n_threads <= 5; n_threads++) {
                _cleanup_(fd_closep) int fd = make_file("file");

                assert_int_equal(fd_pwrite_all(fd, marker, sizeof(marker), OFFSET - sizeof(marker)), 0);
                for (uint64_t at = 0; at < 2 * MIB; at += 4096)
                        assert_int_equal(fd_pwrite_all(fd, marker, sizeof(marker), OFFSET + at), 0);
                const LuksCipherRange range = { fd, OFFSET, SIZE, 4096 };
                assert_int_equal(luks_cipher_encrypt(&range, key, n_threads, NULL), 0);

                assert_int_equal(lseek(fd, 0, SEEK_END), OFFSET + SIZE);
                _cleanup_(freep) uint8_t *before = read_range(fd, OFFSET - sizeof(marker), sizeof(marker)),
                                         *bytes = read_range(fd, OFFSET, SIZE);
                assert_string_equal(before, marker);
                assert_null(memmem(bytes, SIZE, marker, 16));
                assert_null(memmem(bytes, SIZE, zeros, sizeof(zeros)));
                if (first)
                        assert_memory_equal(bytes, first, SIZE);
                else
                        first = TAKE_PTR(bytes);
        }
}

static void test_read_only_file(void **state) {
        (void)fd_close(make_file("file"));
        _cleanup_(fd_closep) int fd = open("file", O_RDONLY | O_CLOEXEC);

        assert_int_equal(luks_cipher_encrypt(&(LuksCipherRange){ fd, 0, 4096, 512 }, key, 3, NULL), -EBADF);
}

/* What is reserved first is what makes a full disk known before anything is changed. */
static void test_full_disk(void **state) {
        _cleanup_(fd_closep) int fd = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        _cleanup_(freep) uint8_t *bytes = NULL;

        assert_int_equal(fd_pwrite_all(fd, "plain", 5, 0), 0);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
        assert_int_equal(luks_cipher_encrypt(&(LuksCipherRange){ fd, 0, 4096, 512 }, key, 3, NULL), -EPERM);
        bytes = read_range(fd, 0, 5);
        assert_memory_equal(bytes, "plain", 5);
}

static void test_nothing(void **state) {
        _cleanup_(fd_closep) int fd = make_file("file");

        assert_int_equal(luks_cipher_encrypt(&(LuksCipherRange){ fd, 0, 0, 4096 }, key, 2, NULL), 0);
        assert_int_equal(lseek(fd, 0, SEEK_END), 0);
}

/* Comes last: an interrupt stays. */
static void test_interrupt(void **state) {
        _cleanup_(fd_closep) int fd = make_file("file");
        _cleanup_(freep) uint8_t *bytes = NULL;

        assert_int_equal(fd_pwrite_all(fd, "plain", 5, 0), 0);
        assert_int_equal(interrupt_catch(), 0);
        assert_int_equal(raise(SIGINT), 0);
        assert_int_equal(luks_cipher_encrypt(&(LuksCipherRange){ fd, 0, 4096, 512 }, key, 3, NULL), -EINTR);
        bytes = read_range(fd, 0, 5);
        assert_memory_equal(bytes, "plain", 5);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_vector),    unit_test_in_directory(test_large_sectors),
                unit_test_in_directory(test_threads),   unit_test_in_directory(test_read_only_file),
                unit_test_in_directory(test_full_disk), unit_test_in_directory(test_nothing),
                unit_test_in_directory(test_interrupt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
