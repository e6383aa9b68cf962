/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* make-stream IN OUT [COMPRESSOR[:LEVEL]]: copies a file as outputs are written, compressed or not, and prints the SHA-256
 * of what was written. N_THREADS of the environment is the number of threads. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "format/stream.h"
#include "stream-wish.h"

static int copy(const StreamOptions *wish, const char *in, const char *out, StreamResult *ret) {
        _cleanup_(fd_closep) int from = open(in, O_RDONLY | O_CLOEXEC),
                                 to = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        _cleanup_(stream_freep) Stream *stream = NULL;
        StreamOptions options = *wish;
        struct stat status;

        if (from < 0 || to < 0 || fstat(from, &status) < 0)
                return -errno;
        options.fd = to;
        int r = stream_new(&options, &stream);
        if (r < 0)
                return r;
        r = stream_write_file(stream, from, 0, (uint64_t)status.st_size, NULL);
        return r < 0 ? r : stream_finish(stream, ret);
}

int main(int argc, char **argv) {
        char text[2 * SHA256_SIZE + 1];
        StreamOptions options = {};
        StreamResult result;

        if (argc < 3 || argc > 4 || stream_wish_parse(argv[3], &options) < 0) {
                (void)fprintf(stderr, "Usage: %s IN OUT [COMPRESSOR[:LEVEL]]\n", argv[0]);
                return 2;
        }
        const int r = copy(&options, argv[1], argv[2], &result);
        if (r < 0) {
                (void)fprintf(stderr, "Cannot write %s: %s\n", argv[2], strerror(-r));
                return 1;
        }
        sha256_format(&result.digest, text);
        return printf("%s *%s\n", text, argv[2]) < 0;
}
