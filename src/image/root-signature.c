/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "base/log.h"
#include "image/image-file.h"
#include "image/root-signature.h"
#include "secureboot/detached-signature.h"
#include "verity/verity-signature.h"

/* What failed within the callback. */
typedef struct Signing {
        const Signer *signer;
        Reason *reason;
} Signing;

static int sign(void *userdata, const void *data, size_t size, uint8_t **ret_der, size_t *ret_size) {
        const Signing *signing = userdata;
        _cleanup_(der_done) Der signature = {}, whole = {};

        int r = signing_key_sign(signing->signer->key, data, size, &signature, signing->reason);
        if (r >= 0)
                r = detached_signature_make(signing->signer->certificate, &signature, &whole);
        if (r < 0)
                return r;
        *ret_size = whole.size;
        *ret_der = TAKE_PTR(whole.bytes);
        return 0;
}

/* As large as it is at most with this certificate, so that the size does not depend on the signature. */
static int partition_size(const Certificate *certificate, uint64_t *ret) {
        size_t signature_size;

        const int r = detached_signature_size(certificate, &signature_size);
        if (r < 0)
                return r;
        *ret = verity_signature_partition_size(signature_size);
        return 0;
}

static int write_signature(const Image *image, int fd, uint64_t offset, Reason *reason) {
        const Signer *signer = image->signers[SIGNER_VERITY];
        _cleanup_(verity_signature_done) VeritySignature signature = {};
        _cleanup_(freep) char *content = NULL;
        size_t size;
        const VeritySigner verity_signer = {
                .certificate = signer->certificate->encoding.bytes,
                .certificate_size = signer->certificate->encoding.size,
                .sign = sign,
                .userdata = &(Signing){ signer, reason },
        };

        int r = verity_signature_make(&image->root_hash, &verity_signer, &signature, reason);
        if (r >= 0)
                r = verity_signature_write(&signature, &content, &size);
        if (r >= 0)
                r = fd_pwrite_all(fd, content, size, offset);
        return r;
}

int root_signature_write(Image *image, int fd, uint64_t offset, Partition *partition) {
        Signer *signer = image->signers[SIGNER_VERITY];
        _cleanup_(reason_done) Reason reason = {};
        uint64_t size = 0;

        assert(signer && image->has_root_hash);

        progress_detail(image->progress, partition->name);
        int r = partition_size(signer->certificate, &size);
        if (r >= 0)
                r = fd_extend(fd, offset + size);
        if (r >= 0 && !image->config->sign_offline)
                r = write_signature(image, fd, offset, &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason, "Cannot write the signature of the root hash");
        partition->size = size;
        log_debug("%s the root hash by '%s'",
                  image->config->sign_offline ? "Kept a place for a signature of" : "Signed",
                  signer->certificate->subject);
        signer_forget_key(signer);
        return 0;
}
