/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* make-volume FILE PASSPHRASE [THREADS]: makes a LUKS volume of a file whose content lies behind the header's place. */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "format/luks.h"

int main(int argc, char *argv[]) {
        _cleanup_(secret_freep) Secret *passphrase = NULL;
        _cleanup_(reason_done) Reason reason = {};
        LuksOptions options = { .kdf = LUKS_KDF_PBKDF2, .iterations = 1000 };
        uint64_t n_threads = 0;
        struct stat status;

        if (argc < 3 || argc > 4 || (argc == 4 && parse_uint64(argv[3], &n_threads) < 0)) {
                (void)fprintf(stderr, "Usage: make-volume FILE PASSPHRASE [THREADS]\n");
                return 2;
        }
        _cleanup_(fd_closep) int fd = open(argv[1], O_RDWR | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0) {
                perror(argv[1]);
                return 1;
        }
        int r = secret_new(LUKS_PASSPHRASE_SIZE_MAX, &passphrase);
        if (r >= 0) {
                passphrase->size = strnlen(argv[2], LUKS_PASSPHRASE_SIZE_MAX);
                memcpy(passphrase->bytes, argv[2], passphrase->size);
                options.passphrase = passphrase;
                options.n_threads = (unsigned)n_threads;
                r = luks_encrypt(&options, &(LuksVolume){ fd, 0, (uint64_t)status.st_size }, &reason);
        }
        if (r < 0)
                (void)fprintf(stderr, "%s: %s\n", argv[1], reason_text(&reason, r));
        return r < 0 ? 1 : 0;
}
