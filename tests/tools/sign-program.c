/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signs an EFI program in its place: for tools/bench-secure-boot.
 *
 * sign-program KEY CERTIFICATE PROGRAM */

#include <stdio.h>

#include "base/fd.h"
#include "secureboot/authenticode.h"

static int sign(char **arguments, Reason *reason) {
        _cleanup_(certificate_freep) Certificate *certificate = NULL;
        _cleanup_(fd_closep) int fd = open(arguments[2], O_RDWR | O_CLOEXEC);
        _cleanup_(signing_key_freep) SigningKey *key = NULL;
        _cleanup_(pe_image_done) PeImage image = {};

        if (fd < 0)
                return reason_set(reason, -errno, "%s: %m", arguments[2]);
        int r = signing_key_load(arguments[0], NULL, &key, reason);
        if (r > 0)
                return reason_set(reason, -EKEYREJECTED, "The key is encrypted");
        if (r >= 0)
                r = certificate_load(arguments[1], &certificate, reason);
        if (r >= 0)
                r = signing_key_check(key, certificate, reason);
        if (r >= 0)
                r = pe_image_load(fd, &image, reason);
        if (r >= 0)
                r = authenticode_sign(&image, key, certificate, AUTHENTICODE_NO_TIME, reason);
        return r;
}

int main(int argc, char **argv) {
        _cleanup_(reason_done) Reason reason = {};

        if (argc != 4) {
                (void)fprintf(stderr, "Usage: %s KEY CERTIFICATE PROGRAM\n", argv[0]);
                return 2;
        }
        const int r = sign(argv + 1, &reason);
        if (r < 0)
                (void)fprintf(stderr, "%s: %s\n", argv[0], reason_text(&reason, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
