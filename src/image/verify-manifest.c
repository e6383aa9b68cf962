/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "base/fd.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "image/artefact.h"
#include "image/verify-manifest.h"

#define OBJECT "manifest"
#define SUFFIX ".manifest"

#define MANIFEST_SIZE_MAX (64 * MIB)

#define LUKS_MAGIC "LUKS\xba\xbe"

void verify_manifest_done(VerifyManifest *manifest) {
        free(manifest->name);
        reason_done(&manifest->reason);
        manifest_done(&manifest->manifest);
}

int verify_manifest_read(const Beside *beside, VerifyManifest *ret, VerifyDisk *disk) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        int r = beside_name(beside, SUFFIX, &ret->name);
        if (r < 0)
                return r;
        r = file_read(beside->directory_fd, ret->name, MANIFEST_SIZE_MAX, &text, &size);
        ret->there = r != -ENOENT;
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        if (r < 0) {
                (void)reason_set(&ret->reason, r, "%s", file_read_error(r));
                return 0;
        }
        r = manifest_read(text, size, &ret->manifest, &ret->reason);
        if (r < 0)
                return r == -EBADMSG ? 0 : r;
        return ret->manifest.has_root_hash
                       ? verify_disk_add_root_hash(disk, &ret->manifest.root_hash, ret->name)
                       : 0;
}

static int differ(Reason *reason, const char *name, const char *what, uint64_t found, uint64_t said) {
        return reason_set(reason, -EBADMSG, "The %s of %s is %" PRIu64 ", and not %" PRIu64, what, name,
                          found, said);
}

static int compare_encryption(const VerifyDisk *disk, const ManifestPartition *said, Reason *reason) {
        char begin[sizeof(LUKS_MAGIC) - 1] = {};

        const int r = fd_pread_all(disk->fd, begin, sizeof(begin), said->offset);
        if (r < 0)
                return r;
        const bool encrypted = memcmp(begin, LUKS_MAGIC, sizeof(begin)) == 0;
        return encrypted == said->encrypted
                       ? 0
                       : reason_set(reason, -EBADMSG, "The partition '%s' is %sencrypted", said->name,
                                    encrypted ? "" : "not ");
}

static int compare_partition(const VerifyDisk *disk, const ManifestPartition *said, const GptEntry *found,
                             Reason *reason) {
        if (!uuid_equal(said->uuid, found->uuid))
                return reason_set(reason, -EBADMSG, "The partition '%s' has another UUID", found->name);
        if (!uuid_equal(said->type, found->type))
                return reason_set(reason, -EBADMSG, "The partition '%s' has another type", found->name);
        if (!text_equal(said->name, found->name))
                return reason_set(reason, -EBADMSG, "The partition '%s' should be called '%s'", found->name,
                                  said->name);
        const struct {
                const char *name;
                uint64_t found, said;
        } numbers[] = {
                { "first byte", found->offset, said->offset },
                { "size", found->size, said->size },
                { "set of attributes", found->attributes, said->attributes },
        };
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (numbers[i].found != numbers[i].said)
                        return differ(reason, found->name, numbers[i].name, numbers[i].found,
                                      numbers[i].said);
        return compare_encryption(disk, said, reason);
}

/* Of a disk whose table was read; partitions are told in the order of the table. */
static int compare_disk(const Manifest *manifest, const VerifyDisk *disk, Reason *reason) {
        const GptDisk *table = &disk->table;

        if (!disk->has_table)
                return 0;
        if (!manifest->has_disk || !uuid_equal(manifest->disk_uuid, table->uuid))
                return reason_set(reason, -EBADMSG, "It is of another image");
        if (manifest->disk_size != disk->size)
                return differ(reason, "the disk", "size", disk->size, manifest->disk_size);
        if (manifest->n_partitions != table->n_entries)
                return differ(reason, "partitions", "number", table->n_entries, manifest->n_partitions);
        for (size_t i = 0; i < table->n_entries; i++) {
                const int r = compare_partition(disk, &manifest->partitions[i], &table->entries[i], reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The one that it has is among those of the disk, and has to be theirs. */
static int compare_root_hash(const Manifest *manifest, const VerifyDisk *disk, Reason *reason) {
        return !manifest->has_root_hash && verify_disk_find(disk, PARTITION_ROOT_VERITY)
                       ? reason_set(reason, -EBADMSG, "It knows of no root hash")
                       : 0;
}

/* The image itself may have been decompressed since; under another name it is another. */
static int compare_name(const ManifestFile *file, const Beside *beside, Reason *reason) {
        _cleanup_(freep) char *own = NULL, *said = NULL;

        int r = config_output_stem_of(beside->name, &own);
        if (r >= 0)
                r = config_output_stem_of(file->name, &said);
        if (r < 0)
                return r;
        return text_equal(own, said)
                       ? 0
                       : reason_set(reason, -EBADMSG, "It is of %s, and not of %s", file->name, beside->name);
}

/* 1 when the file is there, and what it should be; what is not there need not be. */
static int compare_file(const ManifestFile *file, Beside *beside, Reason *reason) {
        BesideFile found;
        int r = 0;

        if (text_equal(file->kind, artefact_name(ARTEFACT_IMAGE)))
                r = compare_name(file, beside, reason);
        if (r < 0 || !file->hashed)
                return r;
        r = beside_hash(beside, file->name, &found);
        if (r <= 0)
                return r;
        if (file->size != found.size)
                return differ(reason, file->name, "size", found.size, file->size);
        if (memcmp(&file->digest, &found.digest, sizeof(found.digest)) != 0)
                return reason_set(reason, -EBADMSG, "%s has another SHA-256", file->name);
        return 1;
}

static int compare(const Manifest *manifest, Beside *beside, const VerifyDisk *disk, size_t *ret_n,
                   Reason *reason) {
        size_t n = 0;

        int r = compare_disk(manifest, disk, reason);
        if (r >= 0)
                r = compare_root_hash(manifest, disk, reason);
        for (size_t i = 0; i < manifest->n_files && r >= 0; i++) {
                r = compare_file(&manifest->files[i], beside, reason);
                n += r > 0;
        }
        *ret_n = n;
        return r;
}

int verify_manifest(const VerifyManifest *manifest, Beside *beside, VerifyDisk *disk) {
        _cleanup_(reason_done) Reason reason = {};
        size_t n;

        if (!manifest->there)
                return verify_add(&disk->results, VERIFY_ABSENT, OBJECT, "There is no %s", manifest->name);
        if (manifest->reason.text)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "Cannot read %s: %s", manifest->name,
                                  manifest->reason.text);
        if (manifest->manifest.version != MANIFEST_VERSION)
                return verify_add(&disk->results, VERIFY_ABSENT, OBJECT,
                                  "%s is of version %" PRIu64 ", which is not known here", manifest->name,
                                  manifest->manifest.version);
        const int r = compare(&manifest->manifest, beside, disk, &n, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "%s: %s", manifest->name,
                                  reason_text(&reason, r));
        if (r < 0)
                return r;
        if (disk->has_table)
                return verify_add(&disk->results, VERIFY_OK, OBJECT,
                                  "The partition table and %zu file%s are what %s says", n, n == 1 ? "" : "s",
                                  manifest->name);
        if (n > 0)
                return verify_add(&disk->results, VERIFY_OK, OBJECT, "%zu file%s %s what %s says", n,
                                  n == 1 ? "" : "s", n == 1 ? "is" : "are", manifest->name);
        return verify_add(&disk->results, VERIFY_ABSENT, OBJECT, "Nothing that %s tells of can be compared",
                          manifest->name);
}
