/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A request with an item of each kind, which is of no image that there is. */

#include <string.h>

#include "base/text.h"
#include "image/sign-request.h"
#include "secureboot/authenticode.h"

#define REQUEST_FIXTURE_SIZE UINT64_C(10000)

static inline SignItem *request_fixture_add(SignRequest *request, SignKind kind, const char *path,
                                            const char *bytes) {
        SignItem *item = NULL;

        assert_int_equal(sign_request_add(request, kind, path, &item), 0);
        if (bytes) {
                der_add_raw(&item->bytes, bytes, strlen(bytes));
                assert_int_equal(text_copy("CN=teapot", &item->certificate), 0);
                item->fingerprint = (Sha256Digest){ { 0xfe } };
        }
        return item;
}

static inline SignRequest request_fixture_make(void) {
        SignRequest request = { .size = REQUEST_FIXTURE_SIZE, .digest = { { 0xd1 } }, .time = 1700000000 };

        assert_int_equal(text_copy("image.raw", &request.image), 0);
        SignItem *item = request_fixture_add(&request, SIGN_SECURE_BOOT, "EFI/BOOT/BOOTX64.EFI", "program");
        item->ranges[0] = (SignRange){ 100, 50 };
        item->ranges[1] = (SignRange){ 96, 4 };
        item->n_ranges = 2;
        item = request_fixture_add(&request, SIGN_VERITY, "Signature", "hash");
        item->ranges[0] = (SignRange){ 5904, 4096 };
        item->n_ranges = 1;
        (void)request_fixture_add(&request, SIGN_CHECKSUMS, "SHA256SUMS", NULL);
        return request;
}
