/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* make-tar TREE OUT [COMPRESSOR[:LEVEL]]: turns a directory into an archive. No file in it is later than the environment's
 * SOURCE_DATE_EPOCH, or now; N_THREADS is the number of threads. */

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/fd.h"
#include "format/tar.h"
#include "stream-wish.h"

static int make(const char *directory, const char *out, const TarOptions *options, const StreamOptions *wish,
                Reason *reason) {
        _cleanup_(fd_closep) int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        _cleanup_(stream_freep) Stream *stream = NULL;
        _cleanup_(tree_freep) Tree *tree = NULL;
        StreamOptions stream_options = *wish;
        StreamResult result;

        if (fd < 0)
                return -errno;
        int r = tree_load(AT_FDCWD, directory, &tree, reason);
        if (r < 0)
                return r;
        stream_options.fd = fd;
        r = stream_new(&stream_options, &stream);
        if (r < 0)
                return r;
        r = tar_write(tree, options, stream, reason);
        return r < 0 ? r : stream_finish(stream, &result);
}

int main(int argc, char **argv) {
        const char *epoch = getenv("SOURCE_DATE_EPOCH");
        _cleanup_(reason_done) Reason reason = {};
        uint64_t seconds = (uint64_t)time(NULL);
        StreamOptions stream_options;

        if (argc < 3 || argc > 4 || stream_wish_parse(argv[3], &stream_options) < 0 ||
            (epoch && parse_uint64(epoch, &seconds) < 0)) {
                (void)fprintf(stderr, "Usage: %s TREE OUT [COMPRESSOR[:LEVEL]]\n", argv[0]);
                return 2;
        }
        const TarOptions options = { .time = (int64_t)seconds };
        const int r = make(argv[1], argv[2], &options, &stream_options, &reason);
        if (r < 0) {
                (void)fprintf(stderr, "Cannot make %s: %s\n", argv[2], reason_text(&reason, r));
                return 1;
        }
        return 0;
}
