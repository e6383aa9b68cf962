/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libcryptsetup.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/luks-cipher.h"
#include "format/luks-reader.h"
#include "format/luks.h"

#define SECTOR_SIZE_SMALL 512
#define SECTOR_SIZE_LARGE 4096

/* A header under way, in a file in memory: libcryptsetup wants a file that begins with it. */
typedef struct Header {
        struct crypt_device *device;
        int fd;
        char message[256]; /* the last that libcryptsetup said of a failure */
} Header;

static void header_done(Header *header) {
        crypt_free(header->device);
        (void)fd_close(header->fd);
}

static void note_message(int level, const char *message, void *argument) {
        Header *header = argument;

        if (level != CRYPT_LOG_ERROR)
                return;
        (void)snprintf(header->message, sizeof(header->message), "%s", message);
        header->message[strcspn(header->message, "\n")] = '\0';
}

static int fail(const Header *header, int r, const char *what, Reason *reason) {
        if (header->message[0])
                return reason_set(reason, r, "%s: %s", what, header->message);
        return reason_set(reason, r, "%s: %m", what);
}

/* A file as long as the volume's smallest, all of it holes, opened by libcryptsetup. */
static int header_open(Header *header, Reason *reason) {
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

        header->fd = memfd_create("luks-header", MFD_CLOEXEC);
        if (header->fd < 0)
                return -errno;
        if (ftruncate(header->fd, (off_t)(LUKS_HEADER_SIZE + SECTOR_SIZE_LARGE)) < 0)
                return -errno;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", header->fd);

        int r = crypt_init(&header->device, path);
        if (r < 0)
                return fail(header, r, "Cannot begin a header", reason);
        crypt_set_log_callback(header->device, note_message, header);
        /* Nobody else knows the file, so nothing has to be locked in /run. */
        (void)crypt_metadata_locking(header->device, 0);
        return 0;
}

/* What is asked for, in the words of the header. */
static LuksDerivation choose_derivation(const LuksOptions *options) {
        if (options->kdf == LUKS_KDF_PBKDF2)
                return (LuksDerivation){ .type = (char *)CRYPT_KDF_PBKDF2,
                                         .iterations = options->iterations ?: LUKS_PBKDF2_ITERATIONS };
        return (LuksDerivation){ .type = (char *)CRYPT_KDF_ARGON2ID,
                                 .iterations = options->iterations ?: LUKS_ARGON2ID_ITERATIONS,
                                 .memory_size = options->memory_size ?: LUKS_ARGON2ID_MEMORY_SIZE,
                                 .n_lanes = 1 };
}

static int set_key_derivation(const Header *header, const LuksDerivation *wanted) {
        const struct crypt_pbkdf_type type = {
                .type = wanted->type,
                .hash = "sha256",
                .iterations = (uint32_t)wanted->iterations,
                .max_memory_kb = (uint32_t)(wanted->memory_size / KIB),
                .parallel_threads = (uint32_t)wanted->n_lanes,
                .flags = CRYPT_PBKDF_NO_BENCHMARK,
        };

        return crypt_set_pbkdf_type(header->device, &type);
}

/* libcryptsetup takes no more memory than half of what this machine has, and says nothing: guessing passphrases would become
 * cheaper by where an image was built. */
static int check_derivation(const Header *header, const LuksDerivation *wanted, Reason *reason) {
        _cleanup_(luks_header_done) LuksHeader made = {};
        char wanted_size[24], made_size[24];

        const int r = luks_header_read(header->fd, 0, LUKS_HEADER_SIZE + SECTOR_SIZE_LARGE, &made, reason);
        if (r < 0)
                return r;
        const LuksDerivation *got = &made.metadata.slots[0].derivation;
        if (got->memory_size != wanted->memory_size) {
                size_format(wanted->memory_size, wanted_size);
                size_format(got->memory_size, made_size);
                return reason_set(
                        reason, -ERANGE,
                        "%s is to take %s of memory, and this machine has so little that libcryptsetup "
                        "makes it %s: build on one with twice as much as is to be taken, or choose less by "
                        "EncryptKDFMemory=",
                        wanted->type, wanted_size, made_size);
        }
        if (!text_equal(got->type, wanted->type) || got->iterations != wanted->iterations ||
            got->n_lanes != wanted->n_lanes)
                return reason_set(
                        reason, -EBADMSG,
                        "libcryptsetup derives the key by %s with %llu iterations, and not as it was told: "
                        "%s with %llu",
                        got->type, (unsigned long long)got->iterations, wanted->type,
                        (unsigned long long)wanted->iterations);
        return 0;
}

static int header_make(Header *header, const LuksOptions *options, const Secret *key, unsigned sector_size,
                       Reason *reason) {
        struct crypt_params_luks2 parameters = { .sector_size = sector_size };
        const LuksDerivation derivation = choose_derivation(options);
        char uuid[UUID_TEXT_SIZE];

        int r = set_key_derivation(header, &derivation);
        if (r < 0)
                return fail(header, r, "Cannot derive keys so", reason);
        r = crypt_set_data_offset(header->device, LUKS_HEADER_SIZE / SECTOR_SIZE_SMALL);
        if (r < 0)
                return fail(header, r, "Cannot set the size of the header", reason);
        uuid_format(options->uuid, uuid);
        r = crypt_format(header->device, CRYPT_LUKS2, "aes", "xts-plain64", uuid, (const char *)key->bytes,
                         key->size, &parameters);
        if (r < 0)
                return fail(header, r, "Cannot make the header", reason);
        assert(crypt_get_data_offset(header->device) == LUKS_HEADER_SIZE / SECTOR_SIZE_SMALL);

        r = crypt_keyslot_add_by_volume_key(header->device, 0, (const char *)key->bytes, key->size,
                                            (const char *)options->passphrase->bytes,
                                            options->passphrase->size);
        if (r < 0)
                return fail(header, r, "Cannot make the key slot", reason);
        return check_derivation(header, &derivation, reason);
}

int luks_encrypt(const LuksOptions *options, const LuksVolume *volume, Reason *reason) {
        _cleanup_(header_done) Header header = { .fd = -EBADF };
        _cleanup_(secret_freep) Secret *key = NULL;

        assert(options->passphrase && options->passphrase->size > 0 &&
               options->passphrase->size <= LUKS_PASSPHRASE_SIZE_MAX && options->kdf < LUKS_KDF_MAX);
        assert(volume->size > LUKS_HEADER_SIZE && volume->size % SECTOR_SIZE_SMALL == 0);

        const uint64_t size = volume->size - LUKS_HEADER_SIZE;
        const unsigned sector_size = size % SECTOR_SIZE_LARGE == 0 ? SECTOR_SIZE_LARGE : SECTOR_SIZE_SMALL;
        const LuksCipherRange range = { volume->fd, volume->offset + LUKS_HEADER_SIZE, size, sector_size };

        int r = secret_new_random(LUKS_CIPHER_KEY_SIZE, &key);
        if (r < 0)
                return reason_set(reason, r, "Cannot make a random key: %m");
        r = header_open(&header, reason);
        if (r >= 0)
                r = header_make(&header, options, key, sector_size, reason);
        if (r >= 0)
                r = luks_cipher_encrypt(&range, key->bytes, options->n_threads, options->progress);
        /* Last, so that no header is before what is not encrypted. */
        if (r >= 0)
                r = fd_copy_range(header.fd, 0, volume->fd, volume->offset, LUKS_HEADER_SIZE);
        return r;
}
