/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the text is: it is refused with a reason, or it is a request, which is the same after it was written and read
 * again, and whose ranges can be blanked out of an image of its size. The same text may be signatures as well. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/given-signatures.h"
#include "image/sign-request.h"

#define HASHED_SIZE_MAX (64 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static void check_hash(const SignRequest *request) {
        _cleanup_(fd_closep) int fd = memfd_create("image", MFD_CLOEXEC);
        Sha256Digest zeros, ones;

        if (request->size > HASHED_SIZE_MAX)
                return;
        check(ftruncate(fd, (off_t)request->size) == 0);
        check(sign_request_hash(request, fd, NULL, &zeros) == 0);
        for (size_t i = 0; i < request->n_items; i++)
                for (size_t k = 0; k < request->items[i].n_ranges; k++) {
                        const SignRange *range = &request->items[i].ranges[k];

                        check(fd_pwrite_all(fd, "1", 1, range->offset) == 0);
                        check(fd_pwrite_all(fd, "1", 1, range->offset + range->size - 1) == 0);
                }
        check(sign_request_hash(request, fd, NULL, &ones) == 0);
        check(memcmp(&zeros, &ones, sizeof(zeros)) == 0);
}

static void check_request(const SignRequest *request) {
        _cleanup_(freep) char *text = NULL, *text_again = NULL;
        _cleanup_(sign_request_done) SignRequest again = {};
        unsigned line;

        for (size_t i = 0; i < request->n_items; i++)
                check(sign_id_is_valid(request->items[i].id) &&
                      sign_request_find(request, request->items[i].id) == &request->items[i]);
        check(sign_request_format(request, &text) == 0);
        check(sign_request_parse(text, strlen(text), &again, &line, NULL) == 0);
        check(sign_request_format(&again, &text_again) == 0);
        check(strcmp(text, text_again) == 0);
        check_hash(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(given_signatures_done) GivenSignatures given = {};
        _cleanup_(sign_request_done) SignRequest request = {};
        _cleanup_(reason_done) Reason reason = {}, other = {};
        unsigned line = 0;

        if (sign_request_parse((const char *)data, size, &request, &line, &reason) < 0)
                check(reason.text != NULL && line > 0);
        else
                check_request(&request);
        if (given_signatures_parse(&given, "file", (const char *)data, size, &line, &other) < 0)
                check(other.text != NULL && line > 0);
        for (size_t i = 0; i < given.n_items; i++)
                check(sign_id_is_valid(given.items[i].id) && given.items[i].bytes.size > 0);
        return 0;
}
