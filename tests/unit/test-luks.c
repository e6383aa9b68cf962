/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <unistd.h>

#include "base/text.h"
#include "foreign-program.h"
#include "format/luks-reader.h"
#include "format/luks.h"
#include "temporary-directory.h"

#define OFFSET       MIB
#define CONTENT_SIZE (UINT64_C(3) * MIB)

/* What libcryptsetup is told of the memory of this machine, in bytes; 0: the truth. */
static uint64_t machine_size;

long sysconf(int name) {
        static long (*real)(int name);

        if (!real)
                real = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
        if (machine_size > 0 && name == _SC_PHYS_PAGES)
                return (long)machine_size / real(_SC_PAGESIZE);
        return real(name);
}

static const char marker[] = "What nobody else should read";

static Secret *make_passphrase(const char *text) {
        Secret *secret;

        assert_int_equal(secret_new(strlen(text), &secret), 0);
        memcpy(secret->bytes, text, strlen(text));
        secret->size = strlen(text);
        return secret;
}

/* Content with holes, also at its end. */
static void put_content(int fd, uint64_t offset) {
        for (uint64_t at = 0; at < MIB; at += 10000)
                assert_int_equal(fd_pwrite_all(fd, marker, sizeof(marker), offset + at), 0);
        assert_int_equal(fd_pwrite_all(fd, marker, sizeof(marker), offset + 2 * MIB), 0);
}

static uint8_t *read_file(const char *path, uint64_t offset, size_t size) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        uint8_t *bytes = malloc(size);

        assert_true(fd >= 0);
        assert_non_null(bytes);
        assert_int_equal(fd_pread_all(fd, bytes, size, offset), 0);
        return bytes;
}

/* A volume as the only thing of its file, as cryptsetup can read it without a loop device. */
static void cut_out(int from_fd, uint64_t size, const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_int_equal(fd_copy_range(from_fd, OFFSET, fd, 0, size), 0);
        assert_int_equal(fd_extend(fd, size), 0);
}

static int try_passphrase(const char *path, const char *passphrase) {
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(file_write_text(AT_FDCWD, "key", passphrase, 0600), 0);
        return FOREIGN_RUN(&said, "cryptsetup", "open", "--disable-locks", "--test-passphrase", "--key-file",
                           "key", path);
}

/* Another program decrypts it, in place, and moves the header out of the way: the content is at the beginning then. */
static void decrypt(const char *path) {
        free(FOREIGN_CHECK("cryptsetup", "reencrypt", "--decrypt", "--header", "header", "--disable-locks",
                           "--force-offline-reencrypt", "--batch-mode", "--key-file", "key", path));
}

static void check_dump(const char *path, const char *const *parts) {
        _cleanup_(freep) char *said = FOREIGN_CHECK("cryptsetup", "luksDump", "--disable-locks", path);

        for (; *parts; parts++)
                if (!strstr(said, *parts))
                        fail_msg("\"%s\" is not in:\n%s", *parts, said);
}

typedef struct Case {
        LuksKdf kdf;
        uint64_t memory_size;
        unsigned iterations, n_threads;
        uint64_t content_size;
        const char *dump[9];
} Case;

static void check_case(const Case *expected) {
        _cleanup_(secret_freep) Secret *passphrase = make_passphrase("open sesame");
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};
        LuksOptions options = {
                .passphrase = passphrase,
                .kdf = expected->kdf,
                .memory_size = expected->memory_size,
                .iterations = expected->iterations,
                .n_threads = expected->n_threads,
        };
        const uint64_t size = LUKS_HEADER_SIZE + expected->content_size;

        assert_int_equal(uuid_parse("01234567-89ab-cdef-0123-456789abcdef", &options.uuid), 0);
        put_content(fd, OFFSET + LUKS_HEADER_SIZE);
        assert_int_equal(luks_encrypt(&options, &(LuksVolume){ fd, OFFSET, size }, &reason), 0);
        assert_int_equal(lseek(fd, 0, SEEK_END), OFFSET + size);
        _cleanup_(freep) uint8_t *before = read_file("image", 0, OFFSET), *zeros = calloc(1, OFFSET);
        assert_memory_equal(before, zeros, OFFSET);
        _cleanup_(freep) uint8_t *bytes = read_file("image", OFFSET, size);
        assert_null(memmem(bytes, size, marker, 16));

        cut_out(fd, size, "volume");
        check_dump("volume", expected->dump);
        assert_int_equal(try_passphrase("volume", "open barley"), 2);
        assert_int_equal(try_passphrase("volume", "open sesame"), 0);

        decrypt("volume");
        _cleanup_(fd_closep) int plain_fd = open("plain", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        put_content(plain_fd, 0);
        assert_int_equal(fd_extend(plain_fd, expected->content_size), 0);
        _cleanup_(freep) uint8_t *decrypted = read_file("volume", 0, expected->content_size),
                                 *plain = read_file("plain", 0, expected->content_size);
        assert_memory_equal(decrypted, plain, expected->content_size);
}

#define COMMON                                                                                   \
        "Version:       \t2", "UUID:          \t01234567-89ab-cdef-0123-456789abcdef",           \
                "offset: 16777216 [bytes]", "length: (whole device)", "cipher: aes-xts-plain64", \
                "Key:        512 bits"

static void test_judge(void **state) {
        static const Case cases[] = {
                { LUKS_KDF_ARGON2ID,
                  32 * KIB,
                  4,
                  0,
                  CONTENT_SIZE,
                  { COMMON, "sector: 4096 [bytes]", "Memory:     32" } },
                { LUKS_KDF_PBKDF2,
                  0,
                  1000,
                  1,
                  CONTENT_SIZE + 512,
                  { COMMON, "sector: 512 [bytes]", "Iterations: 1000" } },
                { LUKS_KDF_ARGON2ID,
                  0,
                  0,
                  3,
                  CONTENT_SIZE,
                  { COMMON, "Time cost:  4", "Memory:     65536" } },
                { LUKS_KDF_PBKDF2,
                  0,
                  0,
                  0,
                  CONTENT_SIZE,
                  { COMMON, "Iterations: 600000", "Hash:       sha256" } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                check_case(&cases[i]);
                (void)unlink("header");
        }
}

/* The key is random, and so is the salt: the same content is never the same volume. */
static void test_random(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = make_passphrase("x");
        const LuksOptions options = { .passphrase = passphrase, .kdf = LUKS_KDF_PBKDF2, .iterations = 1000 };
        _cleanup_(freep) uint8_t *first = NULL;

        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

                assert_int_equal(
                        luks_encrypt(&options, &(LuksVolume){ fd, 0, LUKS_HEADER_SIZE + 4096 }, NULL), 0);
                uint8_t *bytes = read_file("image", LUKS_HEADER_SIZE, 4096);
                if (first) {
                        assert_memory_not_equal(bytes, first, 16);
                        free(bytes);
                } else
                        first = bytes;
        }
}

/* libcryptsetup knows why; the content is as it was then. */
static void test_refusal(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = make_passphrase("x");
        const LuksOptions options = { .passphrase = passphrase, .kdf = LUKS_KDF_PBKDF2, .iterations = 999 };
        _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};

        put_content(fd, LUKS_HEADER_SIZE);
        const int r =
                luks_encrypt(&options, &(LuksVolume){ fd, 0, LUKS_HEADER_SIZE + CONTENT_SIZE }, &reason);
        assert_int_equal(r, -EINVAL);
        assert_non_null(strstr(reason_text(&reason, r), "iteration count is too low"));
        _cleanup_(freep) uint8_t *bytes = read_file("image", LUKS_HEADER_SIZE, sizeof(marker));
        assert_string_equal(bytes, marker);
}

/* libcryptsetup does not believe in machines with less than 128 MiB. One with little memory makes the same key slots as others, or none. */
static void test_little_memory(void **state) {
        _cleanup_(secret_freep) Secret *passphrase = make_passphrase("x");
        static const struct {
                uint64_t machine_size, memory_size;
                bool fits;
        } cases[] = {
                { 160 * MIB, 0, true },
                { 160 * MIB, 96 * MIB, false },
                { 256 * MIB, 96 * MIB, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fd_closep) int fd = open("image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                const LuksOptions options = { .passphrase = passphrase, .memory_size = cases[i].memory_size };
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(luks_header_done) LuksHeader header = {};
                const LuksVolume volume = { fd, 0, LUKS_HEADER_SIZE + CONTENT_SIZE };

                put_content(fd, LUKS_HEADER_SIZE);
                machine_size = cases[i].machine_size;
                const int r = luks_encrypt(&options, &volume, &reason);
                machine_size = 0;
                /* Some versions of libcryptsetup do as they are told. */
                if (r == 0) {
                        assert_int_equal(luks_header_read(fd, 0, volume.size, &header, NULL), 0);
                        assert_int_equal(header.metadata.slots[0].derivation.memory_size,
                                         cases[i].memory_size ?: LUKS_ARGON2ID_MEMORY_SIZE);
                        continue;
                }
                assert_false(cases[i].fits);
                assert_int_equal(r, -ERANGE);
                assert_non_null(strstr(reason_text(&reason, r), "argon2id is to take "));
                assert_non_null(strstr(reason_text(&reason, r), "or choose less by EncryptKDFMemory="));
                _cleanup_(freep) uint8_t *bytes = read_file("image", LUKS_HEADER_SIZE, sizeof(marker));
                assert_string_equal(bytes, marker);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_judge),
                unit_test_in_directory(test_random),
                unit_test_in_directory(test_refusal),
                unit_test_in_directory(test_little_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
