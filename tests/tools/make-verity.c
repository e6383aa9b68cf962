/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hash trees of dm-verity, for the end-to-end tests and tools/bench-verity. N_THREADS is the number of threads, OFFSET
 * where the data begins in its file, and HASH_OFFSET where the hash area does in its own, which may be the same file.
 *
 * make-verity size BYTES                         prints the size of the hash area
 * make-verity hash DATA HASH SALT UUID [BYTES]   writes the hash area and prints the root hash; the salt is hexadecimal
 * make-verity check DATA HASH ROOT-HASH          says what does not fit, and ends with 1 */

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/text.h"
#include "verity/root-hash.h"
#include "verity/verity-check.h"

typedef struct Files {
        VerityData data;
        VerityPlace place;
        unsigned n_threads;
} Files;

static int fail(int r, const Reason *reason) {
        (void)fprintf(stderr, "%s\n", reason_text(reason, r));
        return 2;
}

static uint64_t number_from(const char *variable) {
        const char *text = getenv(variable);
        uint64_t number = 0;

        return text && parse_uint64(text, &number) == 0 ? number : 0;
}

/* What is left of the data's file, without the hash area if that follows in it. */
static int open_files(const char *data, const char *hash, int flags, Files *ret) {
        Files files = { .data.offset = number_from("OFFSET"),
                        .n_threads = (unsigned)number_from("N_THREADS") };
        struct stat status;

        files.place.offset = number_from("HASH_OFFSET");
        files.data.fd = open(data, O_RDONLY | O_CLOEXEC);
        files.place.fd = open(hash, flags | O_CLOEXEC, 0666);
        if (files.data.fd < 0 || files.place.fd < 0 || fstat(files.data.fd, &status) < 0)
                return -errno;
        files.data.size =
                (text_equal(data, hash) ? files.place.offset : (uint64_t)status.st_size) - files.data.offset;
        *ret = files;
        return 0;
}

static void close_files(Files *files) {
        (void)fd_close(files->data.fd);
        (void)fd_close(files->place.fd);
}

static int parse_salt(const char *text, VeritySalt *ret) {
        const size_t length = strlen(text);

        if (length % 2 != 0 || length / 2 > sizeof(ret->bytes))
                return -EINVAL;
        ret->size = length / 2;
        for (size_t i = 0; i < ret->size; i++) {
                const char digits[] = { text[2 * i], text[2 * i + 1], '\0' };
                char *end;

                ret->bytes[i] = (uint8_t)strtoul(digits, &end, 16);
                if (*end != '\0')
                        return -EINVAL;
        }
        return 0;
}

static int print_size(char **arguments) {
        uint64_t size;

        if (parse_uint64(arguments[0], &size) < 0)
                return 2;
        (void)printf("%" PRIu64 "\n", verity_size(size));
        return 0;
}

static int hash(char **arguments) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(close_files) Files files = { .data.fd = -EBADF, .place.fd = -EBADF };
        char text[2 * SHA256_SIZE + 1];
        VerityOptions options = {};
        Sha256Digest root_hash;

        int r = open_files(arguments[0], arguments[1], O_RDWR | O_CREAT, &files);
        if (r >= 0)
                r = parse_salt(arguments[2], &options.salt);
        if (r >= 0)
                r = uuid_parse(arguments[3], &options.uuid);
        if (r >= 0 && arguments[4])
                r = parse_uint64(arguments[4], &files.data.size);
        if (r < 0)
                return fail(r, NULL);
        options.n_threads = files.n_threads;
        r = verity_hash_file(&files.data, &options, &files.place, &root_hash, &reason);
        if (r < 0)
                return fail(r, &reason);
        sha256_format(&root_hash, text);
        (void)printf("%s\n", text);
        return 0;
}

static int check(char **arguments) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(close_files) Files files = { .data.fd = -EBADF, .place.fd = -EBADF };
        _cleanup_(freep) char *text = NULL;
        VerityCheck wish = {};
        VerityFault fault;
        struct stat status;

        int r = open_files(arguments[0], arguments[1], O_RDONLY, &files);
        if (r >= 0)
                r = root_hash_parse(arguments[2], &wish.root_hash);
        if (r >= 0)
                r = fstat(files.place.fd, &status) < 0 ? -errno : 0;
        if (r < 0)
                return fail(r, NULL);
        wish.data = files.data;
        wish.area = (VerityArea){
                .fd = files.place.fd,
                .offset = files.place.offset,
                .size = (uint64_t)status.st_size - files.place.offset,
        };
        wish.n_threads = files.n_threads;
        r = verity_check(&wish, &fault, &reason);
        if (r < 0)
                return fail(r, &reason);
        if (verity_fault_format(&fault, &text) < 0)
                return 2;
        (void)printf("%s\n", text);
        return r;
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                int n_min, n_max;
                int (*run)(char **arguments);
        } verbs[] = { { "size", 1, 1, print_size }, { "hash", 4, 5, hash }, { "check", 3, 3, check } };

        for (size_t i = 0; argc > 1 && i < ELEMENTSOF(verbs); i++)
                if (text_equal(argv[1], verbs[i].name) && argc - 2 >= verbs[i].n_min &&
                    argc - 2 <= verbs[i].n_max)
                        return verbs[i].run(argv + 2);
        (void)fprintf(stderr, "Usage: %s size|hash|check ARGUMENT...\n", argv[0]);
        return 2;
}
