/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the text is: it is refused, or it is a verity signature, which is the same after it was written and read
 * again; and asking whether somebody has signed it has an answer. The input is padded with NULs first. */

#include <string.h>
#include <strings.h>

#include "verity/root-hash.h"
#include "verity/verity-signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static void check_root_hash(const char *text) {
        char again[2 * SHA256_SIZE + 1];
        Sha256Digest hash;

        if (root_hash_parse(text, &hash) < 0)
                return;
        sha256_format(&hash, again);
        check(strncasecmp(again, text, 2 * SHA256_SIZE) == 0);
}

static void check_signature(const VeritySignature *signature) {
        _cleanup_(verity_signature_done) VeritySignature again = {};
        _cleanup_(freep) char *content = NULL;
        size_t size;

        const int r = verity_signature_write(signature, &content, &size);
        if (r == -EFBIG)
                return;
        check(r == 0 && verity_signature_read(content, size, &again, NULL) == 0);
        check(memcmp(&again.root_hash, &signature->root_hash, sizeof(Sha256Digest)) == 0);
        check(again.has_fingerprint == signature->has_fingerprint);
        check(memcmp(&again.certificate_fingerprint, &signature->certificate_fingerprint,
                     sizeof(Sha256Digest)) == 0);
        check(again.signature_size == signature->signature_size);
        check(memcmp(again.signature, signature->signature, signature->signature_size) == 0);

        /* No certificate at all, and bytes that may be one. */
        check(verity_signature_verify(signature, (const uint8_t *)"", 0, NULL) < 0);
        check(verity_signature_verify(signature, signature->signature, signature->signature_size, NULL) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(verity_signature_done) VeritySignature signature = {};
        _cleanup_(reason_done) Reason reason = {};
        const size_t padded_size = align_up(size + 1, 4096);
        _cleanup_(freep) char *content = calloc(1, padded_size);

        check(content != NULL);
        memcpy(content, data, size);
        check_root_hash(content);
        if (verity_signature_read(content, padded_size, &signature, &reason) < 0)
                check(reason.text != NULL);
        else
                check_signature(&signature);
        return 0;
}
