/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* make-filesystem TYPE[:COMPRESSION[:LEVEL]] TREE OUT [SIZE [SUBVOLUME...]]: turns a directory into a file system. Its
 * time is that of the environment's SOURCE_DATE_EPOCH, or now, N_THREADS is the number of threads, READ_ONLY makes it
 * read-only if it is set, and LEAVE_OUT lets it leave out what it could refuse; its UUIDs are always the same. A size of
 * 0 is what the content needs. */

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "format/filesystem.h"

typedef struct Wish {
        const Filesystem *filesystem;
        FilesystemOptions options;
        uint64_t size;
} Wish;

static int make(const Wish *wish, const char *directory, const char *out, Reason *reason) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(strv_freep) char **left_out = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        FilesystemOptions options = wish->options;
        uint64_t size;

        const int r = tree_load(AT_FDCWD, directory, &tree, reason);
        if (r < 0)
                return r;
        fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0)
                return -errno;
        if (getenv("LEAVE_OUT"))
                options.left_out = &left_out;
        return wish->filesystem->make(tree, &options, &(FilesystemPlace){ .fd = fd, .size = wish->size },
                                      &size, reason);
}

/* "squashfs", "squashfs:zstd", "squashfs:zstd:19" */
static int parse_type(char *text, Wish *wish) {
        char *compression = strchr(text, ':'), *level = compression ? strchr(compression + 1, ':') : NULL;
        uint64_t number = 0;

        if (compression)
                *compression++ = '\0';
        if (level)
                *level++ = '\0';
        wish->filesystem = filesystem_find(text);
        if (!wish->filesystem || (level && parse_uint64(level, &number) < 0))
                return -EINVAL;
        wish->options.compression_level = (int)number;
        for (Compression i = 0; compression && i < COMPRESSION_MAX; i++)
                if (text_equal(compression_names[i], compression)) {
                        wish->options.compression = i;
                        return filesystem_compresses(wish->filesystem, i) ? 0 : -ENOTSUP;
                }
        return compression ? -EINVAL : 0;
}

/* So that tests can ask what there is. */
static bool knows_type(const char *text) {
        _cleanup_(freep) char *copy = strdup(text);
        Wish wish = {};

        return copy && parse_type(copy, &wish) == 0;
}

/* The time, and the number of threads: variables of the environment. */
static int read_environment(FilesystemOptions *options) {
        const char *epoch = getenv("SOURCE_DATE_EPOCH"), *threads = getenv("N_THREADS");
        uint64_t seconds = (uint64_t)time(NULL), n_threads = 0;

        if ((epoch && parse_uint64(epoch, &seconds) < 0) ||
            (threads && parse_uint64(threads, &n_threads) < 0))
                return -EINVAL;
        options->time = (int64_t)seconds;
        options->n_threads = (unsigned)n_threads;
        options->read_only = getenv("READ_ONLY") != NULL;

        const int r = uuid_parse("6a5b1c5e-3f0d-4c4b-8e41-0d7a6a1fbb01", &options->uuid);
        return r < 0 ? r : uuid_derive(options->uuid, "hash seed", &options->hash_seed);
}

int main(int argc, char **argv) {
        _cleanup_(reason_done) Reason reason = {};
        Wish wish = { .options = { .label = "test", .last_mounted = "/" } };

        if (argc > 1 && !knows_type(argv[1])) {
                (void)fprintf(stderr, "Unknown file system \"%s\"\n", argv[1]);
                return 2;
        }
        if (argc < 4 || parse_type(argv[1], &wish) < 0 || read_environment(&wish.options) < 0) {
                (void)fprintf(stderr, "Usage: %s TYPE[:COMPRESSION[:LEVEL]] TREE OUT [SIZE [SUBVOLUME...]]\n",
                              argv[0]);
                return 2;
        }
        if (argc > 4 && parse_size(argv[4], &wish.size) < 0) {
                (void)fprintf(stderr, "\"%s\" is no size\n", argv[4]);
                return 2;
        }
        if (argc > 5)
                wish.options.subvolumes = (const char *const *)(argv + 5);

        int r = make(&wish, argv[2], argv[3], &reason);
        if (r < 0)
                (void)log_error(r, "Cannot make %s: %s", argv[3], reason_text(&reason, r));
        return r < 0;
}
