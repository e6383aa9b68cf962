/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "verify/verify-check.h"

#define BEGIN_SIZE 1024

typedef int (*Check)(VerifyDisk *disk);

static const Check disk_checks[] = {
        verify_check_table, verify_check_content,        verify_check_boot,
        verify_check_root,  verify_check_root_signature, NULL,
};

/* There are no partitions, so that whoever wants what they have is told. */
static const Check file_system_checks[] = {
        verify_check_file_system, verify_check_boot, verify_check_root, verify_check_root_signature, NULL,
};

/* Bytes that say what it is that they are in. */
typedef struct Mark {
        size_t offset;
        const char *bytes;
        size_t size;
} Mark;

typedef struct Kind {
        Mark marks[2];       /* all of which there are */
        const Check *checks; /* NULL: it is not looked into */
        const char *why;
} Kind;

/* The first whose marks are there; what has none is a file system, or nothing. */
static const Kind kinds[] = {
        { { { 512, "EFI PART", 8 } }, disk_checks },
        /* A protective MBR alone tells of a table that was destroyed. */
        { { { 446 + 4, "\xee", 1 }, { 510, "\x55\xaa", 2 } }, disk_checks },
        { { { 0, "QFI\xfb", 4 } },
          .why = "A disk inside of QCOW2, which is not looked into: qemu-img convert -O raw makes a raw one of it" },
        { { { 257, "ustar", 5 } }, .why = "A tar archive, whose files are not looked into" },
        { .checks = file_system_checks },
};

int verify_disk_add_root_hash(VerifyDisk *disk, const Sha256Digest *digest, const char *source) {
        _cleanup_(freep) char *copy = NULL;

        const int r = text_copy(source, &copy);
        if (r < 0)
                return r;
        VerifyRootHash *more = reallocarray(disk->root_hashes, disk->n_root_hashes + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        disk->root_hashes = more;
        more[disk->n_root_hashes++] = (VerifyRootHash){ .digest = *digest, .source = TAKE_PTR(copy) };
        return 0;
}

static bool is_of_type(const GptEntry *entry, PartitionType type) {
        PartitionType found;
        unsigned architecture;

        return partition_type_find(entry->type, &found, &architecture) == 0 && found == type;
}

const GptEntry *verify_disk_find(const VerifyDisk *disk, PartitionType type) {
        for (size_t i = 0; i < disk->table.n_entries; i++)
                if (is_of_type(&disk->table.entries[i], type))
                        return &disk->table.entries[i];
        return NULL;
}

size_t verify_disk_count(const VerifyDisk *disk, PartitionType type) {
        size_t n = 0;

        for (size_t i = 0; i < disk->table.n_entries; i++)
                n += is_of_type(&disk->table.entries[i], type);
        return n;
}

VerifyVerdict verify_disk_absence(const VerifyDisk *disk, VerifyWants wants) {
        return disk->wants & wants ? VERIFY_FAILED : VERIFY_ABSENT;
}

int verify_disk_pass_over(VerifyDisk *disk, const char *why) {
        return verify_add(&disk->results,
                          verify_disk_absence(disk, VERIFY_WANTS_ROOT_HASH | VERIFY_WANTS_BOOT_SIGNATURE |
                                                            VERIFY_WANTS_ROOT_SIGNATURE),
                          "image", "%s", why);
}

static bool has_marks(const Kind *kind, const uint8_t begin[static BEGIN_SIZE]) {
        for (size_t i = 0; i < ELEMENTSOF(kind->marks); i++)
                if (memcmp(begin + kind->marks[i].offset, kind->marks[i].bytes ?: "", kind->marks[i].size) !=
                    0)
                        return false;
        return true;
}

int verify_disk(VerifyDisk *disk) {
        uint8_t begin[BEGIN_SIZE] = {};
        const Kind *kind = kinds;
        int r = 0;

        if (pread(disk->fd, begin, sizeof(begin), 0) < 0)
                return -errno;
        while (!has_marks(kind, begin))
                kind++;
        if (!kind->checks)
                return verify_disk_pass_over(disk, kind->why);
        for (const Check *check = kind->checks; *check && r == 0; check++)
                r = (*check)(disk);
        return MIN(r, 0);
}

void verify_disk_done(VerifyDisk *disk) {
        for (size_t i = 0; i < disk->n_root_hashes; i++)
                free(disk->root_hashes[i].source);
        free(disk->root_hashes);
        gpt_disk_done(&disk->table);
        verify_results_done(&disk->results);
}
