/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "verify/verify-check.h"
#include "verity/verity-signature.h"

#define OBJECT "root hash signature"

static int check_signature(VerifyDisk *disk, const VeritySignature *signature) {
        const Certificate *certificate = disk->verity_certificate;
        _cleanup_(reason_done) Reason reason = {};

        if (disk->n_root_hashes == 0 ||
            memcmp(&signature->root_hash, &disk->root_hashes[0].digest, sizeof(Sha256Digest)) != 0)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "It is of another root hash");
        if (!certificate)
                return verify_add(&disk->results, VERIFY_ABSENT, OBJECT,
                                  "It is of this root hash; there is no certificate to check it by");
        const int r = verity_signature_verify(signature, certificate->encoding.bytes,
                                              certificate->encoding.size, &reason);
        if (r == 0)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "%s",
                                  reason_text(&reason, -EKEYREJECTED));
        return r < 0 ? r
                     : verify_add(&disk->results, VERIFY_OK, OBJECT, "Signed by '%s'", certificate->subject);
}

int verify_check_root_signature(VerifyDisk *disk) {
        const GptEntry *entry = verify_disk_find(disk, PARTITION_ROOT_VERITY_SIGNATURE);
        _cleanup_(verity_signature_done) VeritySignature signature = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *content = NULL;

        if (!entry)
                return verify_add(&disk->results, verify_disk_absence(disk, VERIFY_WANTS_ROOT_SIGNATURE),
                                  OBJECT, "There is none");
        if (entry->size > VERITY_SIGNATURE_SIZE_MAX)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "Its partition is too large: %llu bytes", (unsigned long long)entry->size);
        content = malloc((size_t)entry->size);
        if (!content)
                return -ENOMEM;
        int r = fd_pread_all(disk->fd, content, (size_t)entry->size, entry->offset);
        if (r < 0)
                return r;
        if (content[0] == '\0' && memcmp(content, content + 1, (size_t)entry->size - 1) == 0)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                                  "It is not there yet: its partition is empty, and waits for it");
        r = verity_signature_read(content, (size_t)entry->size, &signature, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "%s", reason_text(&reason, r));
        return r < 0 ? r : check_signature(disk, &signature);
}
