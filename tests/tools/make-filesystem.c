/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* make-filesystem TYPE TREE OUT [SIZE]: turns a directory into a file system. Its time is that of the environment's
 * SOURCE_DATE_EPOCH, or now; its UUIDs are always the same. */

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "format/filesystem.h"

static int make(const Filesystem *filesystem, const char *directory, const char *out, uint64_t size,
                Reason *reason) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *epoch = getenv("SOURCE_DATE_EPOCH");
        uint64_t seconds = (uint64_t)time(NULL);
        FilesystemOptions options = { .label = "test", .last_mounted = "/" };
        int r;

        if (epoch) {
                r = parse_uint64(epoch, &seconds);
                if (r < 0)
                        return r;
        }
        options.time = (int64_t)seconds;
        r = uuid_parse("6a5b1c5e-3f0d-4c4b-8e41-0d7a6a1fbb01", &options.uuid);
        if (r < 0)
                return r;
        r = uuid_derive(options.uuid, "hash seed", &options.hash_seed);
        if (r < 0)
                return r;

        r = tree_load(AT_FDCWD, directory, &tree, reason);
        if (r < 0)
                return r;
        if (size == 0) {
                r = filesystem->measure(tree, &options, 0, &size, reason);
                if (r < 0)
                        return r;
        }

        fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t)size) < 0)
                return -errno;
        return filesystem->make(tree, &options, &(FilesystemPlace){ .fd = fd, .size = size }, reason);
}

int main(int argc, char **argv) {
        _cleanup_(reason_done) Reason reason = {};
        const Filesystem *filesystem;
        uint64_t size = 0;

        if (argc < 4 || argc > 5 || (argc == 5 && parse_size(argv[4], &size) < 0)) {
                (void)fprintf(stderr, "Usage: %s TYPE TREE OUT [SIZE]\n", argv[0]);
                return 2;
        }
        filesystem = filesystem_find(argv[1]);
        if (!filesystem) {
                (void)fprintf(stderr, "Unknown file system \"%s\"\n", argv[1]);
                return 2;
        }

        int r = make(filesystem, argv[2], argv[3], size, &reason);
        if (r < 0) {
                (void)fprintf(stderr, "Cannot make %s: %s\n", argv[3], reason_text(&reason, r));
                return 1;
        }
        return 0;
}
