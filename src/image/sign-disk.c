/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "format/partition-type.h"
#include "image/sign-boot.h"
#include "secureboot/detached-signature.h"
#include "verity/root-hash.h"
#include "verity/verity-signature.h"

void sign_patches_done(SignPatches *patches) {
        for (size_t i = 0; i < patches->n_items; i++)
                free(patches->items[i].bytes);
        free(patches->items);
        *patches = (SignPatches){};
}

int sign_patches_add(SignPatches *patches, SignRange range, SignPatch **ret) {
        SignPatch *more = reallocarray(patches->items, patches->n_items + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        patches->items = more;
        more[patches->n_items] = (SignPatch){ .range = range, .bytes = calloc(1, range.size) };
        if (!more[patches->n_items].bytes)
                return -ENOMEM;
        *ret = &more[patches->n_items++];
        return 0;
}

static const GptEntry *find_partition(const SignDisk *disk, PartitionType type) {
        for (size_t i = 0; i < disk->table.n_entries; i++) {
                PartitionType found;
                unsigned architecture;

                if (partition_type_find(disk->table.entries[i].type, &found, &architecture) >= 0 &&
                    found == type)
                        return &disk->table.entries[i];
        }
        return NULL;
}

int sign_disk_open(SignDisk *disk, Reason *reason) {
        int r = gpt_read(disk->fd, disk->size, &disk->table, reason);
        if (r < 0)
                return r;
        disk->boot_entry = find_partition(disk, PARTITION_ESP);
        if (!disk->boot_entry)
                return 0;
        return vfat_reader_new(disk->fd, disk->boot_entry->offset, disk->boot_entry->size, &disk->boot,
                               reason);
}

void sign_disk_done(SignDisk *disk) {
        gpt_disk_done(&disk->table);
        vfat_reader_free(disk->boot);
}

SignerRole sign_kind_role(SignKind kind) {
        assert(kind == SIGN_SECURE_BOOT || kind == SIGN_VERITY);
        return kind == SIGN_SECURE_BOOT ? SIGNER_SECURE_BOOT : SIGNER_VERITY;
}

int sign_disk_name_certificate(const SignDisk *disk, SignItem *item) {
        const Certificate *certificate = disk->certificates[sign_kind_role(item->kind)];

        item->fingerprint = certificate->fingerprint;
        return text_copy(certificate->subject, &item->certificate);
}

/* The root hash is told by the UUIDs of the partitions. */
static int read_root_hash(const SignDisk *disk, Sha256Digest *ret, Reason *reason) {
        const GptEntry *data = find_partition(disk, PARTITION_ROOT),
                       *hash = find_partition(disk, PARTITION_ROOT_VERITY);

        if (!data || !hash)
                return reason_set(reason, -EBADMSG,
                                  "There is no root partition with a hash tree to be signed");
        root_hash_from_uuids(data->uuid, hash->uuid, ret);
        return 0;
}

static int read_partition(const SignDisk *disk, const GptEntry *partition, char **ret, Reason *reason) {
        _cleanup_(freep) char *content = NULL;

        if (partition->size > VERITY_SIGNATURE_SIZE_MAX)
                return reason_set(reason, -EBADMSG,
                                  "The partition for the signature of the root hash is too large");
        content = malloc(partition->size);
        if (!content)
                return -ENOMEM;
        const int r = fd_pread_all(disk->fd, content, partition->size, partition->offset);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(content);
        return 0;
}

static bool is_zero(const char *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (bytes[i] != '\0')
                        return false;
        return true;
}

static int survey_signature(const SignDisk *disk, SignRequest *request, Reason *reason) {
        const GptEntry *partition = find_partition(disk, PARTITION_ROOT_VERITY_SIGNATURE);
        char digits[2 * SHA256_SIZE + 1];
        Sha256Digest root_hash;
        SignItem *item;

        if (!partition)
                return reason_set(reason, -EBADMSG,
                                  "There is no partition for the signature of the root hash");
        int r = read_root_hash(disk, &root_hash, reason);
        if (r >= 0)
                r = sign_request_add(request, SIGN_VERITY, partition->name, &item);
        if (r < 0)
                return r;
        sha256_format(&root_hash, digits);
        der_add_raw(&item->bytes, digits, sizeof(digits) - 1);
        item->ranges[item->n_ranges++] = (SignRange){ .offset = partition->offset, .size = partition->size };
        r = der_finish(&item->bytes);
        return r < 0 ? r : sign_disk_name_certificate(disk, item);
}

int sign_disk_survey(const SignDisk *disk, SignRequest *request, Reason *reason) {
        int r = 0;

        assert(disk && request);

        if (disk->certificates[SIGNER_SECURE_BOOT])
                r = sign_boot_survey(disk, request, reason);
        if (r >= 0 && disk->certificates[SIGNER_VERITY])
                r = survey_signature(disk, request, reason);
        return r;
}

int sign_disk_fail_stale(const SignItem *item, Reason *reason) {
        return reason_set(
                reason, -ESTALE,
                "%s is not what the request is about: the image was changed since, or is another one",
                item->path);
}

int sign_disk_fail_key(const Certificate *certificate, Reason *reason) {
        return reason_set(reason, -EKEYREJECTED,
                          "The key of the certificate '%s' did not make this signature of these bytes",
                          certificate->subject);
}

static int judge_signature(const SignDisk *disk, const GptEntry *partition, const Sha256Digest *root_hash,
                           const SignItem *item, SignState *ret, Reason *reason) {
        const Certificate *certificate = disk->certificates[SIGNER_VERITY];
        _cleanup_(verity_signature_done) VeritySignature signature = {};
        _cleanup_(freep) char *content = NULL;

        int r = read_partition(disk, partition, &content, reason);
        if (r < 0)
                return r;
        *ret = SIGN_STATE_EMPTY;
        if (is_zero(content, partition->size))
                return 0;
        *ret = SIGN_STATE_SIGNED;
        r = verity_signature_read(content, partition->size, &signature, NULL);
        if (r >= 0)
                r = verity_signature_verify(&signature, certificate->encoding.bytes,
                                            certificate->encoding.size, NULL);
        if (r == -ENOMEM)
                return r;
        return r > 0 && memcmp(&signature.root_hash, root_hash, sizeof(*root_hash)) == 0
                       ? 0
                       : sign_disk_fail_stale(item, reason);
}

static int make_signature(const Certificate *certificate, const Sha256Digest *root_hash, const SignItem *item,
                          const Der *raw, SignPatches *patches, Reason *reason) {
        _cleanup_(verity_signature_done) VeritySignature signature = {};
        _cleanup_(freep) char *content = NULL;
        _cleanup_(der_done) Der whole = {};
        SignPatch *patch;
        size_t size;

        int r = certificate_verify(certificate, item->bytes.bytes, item->bytes.size, raw->bytes, raw->size);
        if (r == 0)
                return sign_disk_fail_key(certificate, reason);
        if (r > 0)
                r = detached_signature_make(certificate, raw, &whole);
        if (r >= 0)
                r = verity_signature_attach(root_hash, whole.bytes, whole.size, certificate->encoding.bytes,
                                            certificate->encoding.size, &signature, reason);
        if (r >= 0)
                r = verity_signature_write(&signature, &content, &size);
        if (r >= 0 && size > item->ranges[0].size)
                r = reason_set(reason, -ENOSPC,
                               "The partition for the signature of the root hash is too small");
        if (r >= 0)
                r = sign_patches_add(patches, item->ranges[0], &patch);
        if (r >= 0)
                memcpy(patch->bytes, content, size);
        return r;
}

static int attach_signature(const SignDisk *disk, const SignItem *item, const Der *signature,
                            SignPatches *patches, SignState *ret, Reason *reason) {
        const GptEntry *partition = find_partition(disk, PARTITION_ROOT_VERITY_SIGNATURE);
        char digits[2 * SHA256_SIZE + 1];
        Sha256Digest root_hash;

        if (!partition)
                return reason_set(reason, -ESTALE,
                                  "There is no partition for the signature of the root hash");
        int r = read_root_hash(disk, &root_hash, reason);
        if (r < 0)
                return r;
        sha256_format(&root_hash, digits);
        if (item->n_ranges != 1 || partition->offset != item->ranges[0].offset ||
            partition->size != item->ranges[0].size || item->bytes.size != sizeof(digits) - 1 ||
            memcmp(item->bytes.bytes, digits, item->bytes.size) != 0)
                return sign_disk_fail_stale(item, reason);
        r = judge_signature(disk, partition, &root_hash, item, ret, reason);
        if (r < 0 || !signature)
                return r;
        return make_signature(disk->certificates[SIGNER_VERITY], &root_hash, item, signature, patches,
                              reason);
}

int sign_disk_attach(const SignDisk *disk, const SignItem *item, const Der *signature, SignPatches *patches,
                     SignState *ret, Reason *reason) {
        assert(disk && item && patches && ret);
        assert(disk->certificates[sign_kind_role(item->kind)]);

        return item->kind == SIGN_SECURE_BOOT ? sign_boot_attach(disk, item, signature, patches, ret, reason)
                                              : attach_signature(disk, item, signature, patches, ret, reason);
}
