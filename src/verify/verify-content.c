/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <blkid/blkid.h>

#include "base/text.h"
#include "format/partition-type.h"
#include "verify/content.h"
#include "verify/verify-check.h"

static inline void probe_freep(blkid_probe *probe) {
        blkid_free_probe(*probe);
}

#define CONTENTS_MAX 8

/* What a type of partition may hold, by libblkid's names. */
static const struct {
        PartitionType type;
        const char *contents[CONTENTS_MAX];
} expectations[] = {
        { PARTITION_ESP, { "vfat" } },
        { PARTITION_XBOOTLDR, { "vfat", "ext4", "btrfs" } },
        { PARTITION_SWAP, { "swap", "crypto_LUKS" } },
        { PARTITION_HOME, { "ext4", "btrfs", "xfs", "squashfs", "erofs", "crypto_LUKS" } },
        { PARTITION_SRV, { "ext4", "btrfs", "xfs", "squashfs", "erofs", "crypto_LUKS" } },
        { PARTITION_ROOT, { "ext4", "btrfs", "xfs", "squashfs", "erofs", "crypto_LUKS" } },
        { PARTITION_ROOT_VERITY, { "DM_verity_hash" } },
};

/* What a file may hold that is no disk; whether it makes sense as an image is the caller's business. */
static const char *const file_contents[CONTENTS_MAX] = { "squashfs", "erofs", "ext4",       "btrfs",
                                                         "xfs",      "vfat",  "crypto_LUKS" };

static const char *const *find_expectation(PartitionType type) {
        for (size_t i = 0; i < ELEMENTSOF(expectations); i++)
                if (expectations[i].type == type)
                        return expectations[i].contents;
        return NULL;
}

static const char *lookup(blkid_probe probe, const char *name) {
        const char *value;

        return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? value : NULL;
}

/* -ENOENT: nothing that is known, or more than one thing. */
static int probe_content(const ContentPlace *place, blkid_probe *ret) {
        _cleanup_(probe_freep) blkid_probe probe = blkid_new_probe();

        if (!probe)
                return -ENOMEM;
        if (blkid_probe_set_device(probe, place->fd, (blkid_loff_t)place->offset,
                                   (blkid_loff_t)place->size) != 0)
                return -EIO;
        (void)blkid_probe_enable_superblocks(probe, 1);
        (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_BADCSUM);
        if (blkid_do_safeprobe(probe) != 0)
                return -ENOENT;
        *ret = TAKE_PTR(probe);
        return 0;
}

/* What lies in the file, which must be one of the contents, by libblkid's names; there are at most CONTENTS_MAX. */
static int check_place(VerifyDisk *disk, const char *object, const ContentPlace *place,
                       const char *const *contents) {
        _cleanup_(probe_freep) blkid_probe probe = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *said = NULL;
        bool expected = false;

        int r = probe_content(place, &probe);
        if (r == -ENOENT)
                return verify_add(&disk->results, VERIFY_FAILED, object, "What it holds is nothing known");
        if (r < 0)
                return r;
        const char *content = lookup(probe, "TYPE") ?: "nothing";
        if (lookup(probe, "SBBADCSUM"))
                return verify_add(&disk->results, VERIFY_FAILED, object,
                                  "The superblock of its %s does not have the check sum it says", content);
        for (size_t i = 0; i < CONTENTS_MAX && contents[i]; i++)
                expected = expected || text_equal(contents[i], content);
        if (!expected)
                return verify_add(&disk->results, VERIFY_FAILED, object,
                                  "It holds %s, which is not what it is for", content);
        r = content_read(content, place, &said, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, object, "%s", reason_text(&reason, r));
        return r < 0 ? r : verify_add(&disk->results, r > 0 ? VERIFY_OK : VERIFY_ABSENT, object, "%s", said);
}

int verify_check_content(VerifyDisk *disk) {
        for (size_t i = 0; i < disk->table.n_entries; i++) {
                const GptEntry *entry = &disk->table.entries[i];
                const ContentPlace place = { disk->fd, entry->offset, entry->size };
                _cleanup_(freep) char *object = NULL;
                const char *const *contents;
                unsigned architecture;
                PartitionType type;

                if (partition_type_find(entry->type, &type, &architecture) < 0 ||
                    !(contents = find_expectation(type)))
                        continue;
                int r = text_format(&object, "%s partition", partition_type_name(type));
                if (r >= 0)
                        r = check_place(disk, object, &place, contents);
                if (r < 0)
                        return r;
        }
        return 0;
}

int verify_check_file_system(VerifyDisk *disk) {
        return check_place(disk, "file system", &(ContentPlace){ disk->fd, 0, disk->size }, file_contents);
}
