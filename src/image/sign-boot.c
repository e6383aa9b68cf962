/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "image/sign-boot.h"
#include "secureboot/authenticode-offline.h"
#include "secureboot/boot-tree.h"
#include "secureboot/efi-variable.h"

#define PROGRAM_SUFFIX    ".EFI"
#define VARIABLE_SUFFIX   ".auth"
#define CHECKSUM_SIZE     4
#define VARIABLE_SIZE_MAX MIB

/* A file of the EFI system partition: a copy of it, and where its bytes are. */
typedef struct BootFile {
        const SignDisk *disk;
        int fd;
        uint64_t size;
        VfatExtent *extents; /* in the image of the disk */
        size_t n_extents;
        PeImage program;
        EfiVariable variable;
        char *content; /* of a variable */
} BootFile;

/* Where a signature is, or will be, in the file, and what it is of. */
typedef struct Place {
        SignRange ranges[SIGN_RANGES_MAX]; /* that a signature changes, its own place first */
        size_t n_ranges;
        Der bytes;              /* to be signed */
        CertificateEntry entry; /* of programs */
        bool is_empty;
} Place;

/* What is signed in such files. The places are in the file; locate() finds them on the disk. */
typedef struct BootKind {
        bool (*matches)(const char *path, EfiVariable *ret_variable);
        int (*load)(BootFile *file, Reason *reason);
        /* 1 and the place that begins at the offset on the disk, or, if that is 0, the one that waits for its signature;
         * 0 when there is none. */
        int (*find)(const BootFile *file, uint64_t disk_offset, Place *ret, Reason *reason);
        /* 1 when a signature by the certificate is in the place. */
        int (*judge)(const BootFile *file, const Place *place, const Certificate *certificate);
        /* Puts the signature into the copy. */
        int (*fill)(BootFile *file, const Place *place, const Certificate *certificate, const Der *signature,
                    Reason *reason);
} BootKind;

static void boot_file_done(BootFile *file) {
        pe_image_done(&file->program);
        free(file->content);
        free(file->extents);
        (void)fd_close(file->fd);
}

static void place_done(Place *place) {
        der_done(&place->bytes);
}

/* Where bytes of the file are on the disk. */
static int locate(const BootFile *file, SignRange range, SignRange *ret, Reason *reason) {
        uint64_t begin = 0;

        for (size_t i = 0; i < file->n_extents; i++) {
                const VfatExtent *extent = &file->extents[i];

                if (range.offset >= begin && range.size <= extent->size &&
                    range.offset - begin <= extent->size - range.size) {
                        *ret = (SignRange){ extent->offset + (range.offset - begin), range.size };
                        return 0;
                }
                begin += extent->size;
        }
        return reason_set(reason, -EBADMSG, "The place for its signature is in several pieces");
}

static bool program_matches(const char *path, EfiVariable *ret_variable) {
        const size_t length = strlen(path), suffix = strlen(PROGRAM_SUFFIX);

        return length > suffix && strcasecmp(path + length - suffix, PROGRAM_SUFFIX) == 0;
}

static int program_load(BootFile *file, Reason *reason) {
        return pe_image_load(file->fd, &file->program, reason);
}

/* The entry that begins there, or the one that waits. */
static int find_entry(const BootFile *file, uint64_t disk_offset, CertificateEntry *ret, Reason *reason) {
        CertificateTable table;

        if (disk_offset == 0)
                return authenticode_find_reserved(&file->program, ret, reason);
        const int r = certificate_table_read(&file->program, &table, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < table.n_entries; i++) {
                const SignRange range = { table.entries[i].offset, table.entries[i].size };
                SignRange found;

                if (locate(file, range, &found, NULL) < 0 || found.offset != disk_offset)
                        continue;
                *ret = table.entries[i];
                return 1;
        }
        return 0;
}

static int program_find(const BootFile *file, uint64_t disk_offset, Place *ret, Reason *reason) {
        _cleanup_(authenticode_request_done) AuthenticodeRequest content = {};

        int r = find_entry(file, disk_offset, &ret->entry, reason);
        if (r <= 0)
                return r;
        r = authenticode_is_reserved(&file->program, &ret->entry);
        if (r < 0)
                return r;
        ret->is_empty = r > 0;
        ret->ranges[0] = (SignRange){ ret->entry.offset, ret->entry.size };
        ret->ranges[1] = (SignRange){ file->program.checksum_offset, CHECKSUM_SIZE };
        ret->n_ranges = 2;
        r = authenticode_request_of(&file->program, file->disk->time, &content);
        if (r < 0)
                return r;
        ret->bytes = content.attributes;
        content.attributes = (Der){};
        return 1;
}

static int program_judge(const BootFile *file, const Place *place, const Certificate *certificate) {
        AuthenticodeVerdict verdict;

        const int r = authenticode_verify_entry(&file->program, &place->entry, certificate, &verdict, NULL);
        return r < 0 ? r : verdict == AUTHENTICODE_GOOD;
}

static int program_fill(BootFile *file, const Place *place, const Certificate *certificate,
                        const Der *signature, Reason *reason) {
        return authenticode_fill(&file->program, &place->entry, file->disk->time, certificate, signature,
                                 reason);
}

static bool variable_matches(const char *path, EfiVariable *ret_variable) {
        static const char directory[] = BOOT_TREE_KEYS_DIRECTORY "/";

        if (strncasecmp(path, directory, sizeof(directory) - 1) != 0)
                return false;
        const char *name = path + sizeof(directory) - 1;
        for (EfiVariable variable = 0; variable < EFI_VARIABLE_MAX; variable++) {
                const size_t length = strlen(efi_variable_names[variable]);

                if (strncasecmp(name, efi_variable_names[variable], length) != 0 ||
                    strcasecmp(name + length, VARIABLE_SUFFIX) != 0)
                        continue;
                *ret_variable = variable;
                return true;
        }
        return false;
}

static int variable_load(BootFile *file, Reason *reason) {
        if (file->size > VARIABLE_SIZE_MAX)
                return reason_set(reason, -EBADMSG, "An EFI variable is not that large");
        file->content = malloc(file->size + 1);
        return file->content ? fd_pread_all(file->fd, file->content, file->size, 0) : -ENOMEM;
}

static int variable_find(const BootFile *file, uint64_t disk_offset, Place *ret, Reason *reason) {
        _cleanup_(efi_variable_parts_done) EfiVariableParts parts = {};
        SignRange found;

        const int r = efi_variable_read(file->variable, file->content, file->size, &parts, reason);
        if (r < 0)
                return r;
        ret->ranges[0] = (SignRange){ parts.signature_offset, parts.signature_size };
        ret->n_ranges = 1;
        ret->is_empty = true;
        for (size_t i = 0; i < parts.signature_size && ret->is_empty; i++)
                ret->is_empty = file->content[parts.signature_offset + i] == '\0';
        ret->bytes = parts.signed_bytes;
        parts.signed_bytes = (Der){};
        if (disk_offset == 0)
                return ret->is_empty;
        return locate(file, ret->ranges[0], &found, NULL) >= 0 && found.offset == disk_offset;
}

static int variable_judge(const BootFile *file, const Place *place, const Certificate *certificate) {
        const EfiVariableParts parts = {
                .signature_offset = place->ranges[0].offset,
                .signature_size = place->ranges[0].size,
                .signed_bytes = place->bytes,
        };

        return efi_variable_is_signed(file->content, &parts, certificate);
}

static int variable_fill(BootFile *file, const Place *place, const Certificate *certificate,
                         const Der *signature, Reason *reason) {
        _cleanup_(der_done) Der whole = {};

        int r = certificate_verify(certificate, place->bytes.bytes, place->bytes.size, signature->bytes,
                                   signature->size);
        if (r == 0)
                return sign_disk_fail_key(certificate, reason);
        if (r > 0)
                r = efi_variable_signature_make(certificate, signature, &whole);
        if (r >= 0 && whole.size != place->ranges[0].size)
                return reason_set(reason, -ENOSPC, "The signature does not have the size of its place");
        return r < 0 ? r : fd_pwrite_all(file->fd, whole.bytes, whole.size, place->ranges[0].offset);
}

static const BootKind kinds[] = {
        { program_matches, program_load, program_find, program_judge, program_fill },
        { variable_matches, variable_load, variable_find, variable_judge, variable_fill },
};

static const BootKind *find_kind(const char *path, EfiVariable *ret_variable) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].matches(path, ret_variable))
                        return &kinds[i];
        return NULL;
}

static int load_file(const SignDisk *disk, const BootKind *kind, const VfatFile *from, BootFile *file,
                     Reason *reason) {
        file->disk = disk;
        file->size = from->size;
        file->fd = memfd_create("file", MFD_CLOEXEC);
        if (file->fd < 0)
                return -errno;
        int r = interrupt_check();
        if (r >= 0)
                r = vfat_reader_copy(disk->boot, from, file->fd);
        if (r >= 0)
                r = vfat_reader_locate(disk->boot, from, &file->extents, &file->n_extents);
        for (size_t i = 0; i < file->n_extents && r >= 0; i++)
                file->extents[i].offset += disk->boot_entry->offset;
        return r < 0 ? r : kind->load(file, reason);
}

static int add_item(const BootFile *file, const char *path, Place *place, SignRequest *request,
                    Reason *reason) {
        SignItem *item;

        int r = sign_request_add(request, SIGN_SECURE_BOOT, path, &item);
        if (r < 0)
                return r;
        item->bytes = place->bytes;
        place->bytes = (Der){};
        for (; item->n_ranges < place->n_ranges && r >= 0; item->n_ranges++)
                r = locate(file, place->ranges[item->n_ranges], &item->ranges[item->n_ranges], reason);
        return r < 0 ? r : sign_disk_name_certificate(file->disk, item);
}

static int survey_file(const SignDisk *disk, const VfatFile *from, SignRequest *request, Reason *reason) {
        _cleanup_(boot_file_done) BootFile file = { .fd = -EBADF };
        _cleanup_(place_done) Place place = {};
        _cleanup_(reason_done) Reason inner = {};

        const BootKind *kind = from->directory ? NULL : find_kind(from->path, &file.variable);
        if (!kind)
                return 0;
        int r = load_file(disk, kind, from, &file, &inner);
        if (r >= 0)
                r = kind->find(&file, 0, &place, &inner);
        if (r > 0)
                r = add_item(&file, from->path, &place, request, &inner);
        return r < 0 ? reason_set(reason, r, "%s: %s", from->path, reason_text(&inner, r)) : 0;
}

int sign_boot_survey(const SignDisk *disk, SignRequest *request, Reason *reason) {
        int r = 0;

        assert(disk && disk->certificates[SIGNER_SECURE_BOOT] && request);

        for (size_t i = 0; disk->boot && i < disk->boot->n_files && r >= 0; i++)
                r = survey_file(disk, &disk->boot->files[i], request, reason);
        return r;
}

/* What is to be signed, and the places, are those of the request. */
static int compare(const BootFile *file, const Place *place, const SignItem *item, Reason *reason) {
        if (place->n_ranges != item->n_ranges || place->bytes.size != item->bytes.size ||
            memcmp(place->bytes.bytes, item->bytes.bytes, item->bytes.size) != 0)
                return sign_disk_fail_stale(item, reason);
        for (size_t i = 0; i < place->n_ranges; i++) {
                SignRange range;

                if (locate(file, place->ranges[i], &range, NULL) < 0 ||
                    range.offset != item->ranges[i].offset || range.size != item->ranges[i].size)
                        return sign_disk_fail_stale(item, reason);
        }
        return 0;
}

/* What changed in the copy is read from there. */
static int take_changes(const BootFile *file, const Place *place, const SignItem *item,
                        SignPatches *patches) {
        int r = 0;

        for (size_t i = 0; i < place->n_ranges && r >= 0; i++) {
                SignPatch *patch;

                r = sign_patches_add(patches, item->ranges[i], &patch);
                if (r >= 0)
                        r = fd_pread_all(file->fd, patch->bytes, patch->range.size, place->ranges[i].offset);
        }
        return r;
}

static int judge(const BootKind *kind, const BootFile *file, const Place *place, const SignItem *item,
                 SignState *ret, Reason *reason) {
        const Certificate *certificate = file->disk->certificates[SIGNER_SECURE_BOOT];

        *ret = place->is_empty ? SIGN_STATE_EMPTY : SIGN_STATE_SIGNED;
        const int r = place->is_empty ? 1 : kind->judge(file, place, certificate);
        return r == 0 ? sign_disk_fail_stale(item, reason) : MIN(r, 0);
}

int sign_boot_attach(const SignDisk *disk, const SignItem *item, const Der *signature, SignPatches *patches,
                     SignState *ret, Reason *reason) {
        const VfatFile *from = disk->boot ? vfat_reader_find(disk->boot, item->path) : NULL;
        _cleanup_(boot_file_done) BootFile file = { .fd = -EBADF };
        _cleanup_(place_done) Place place = {};

        const BootKind *kind = find_kind(item->path, &file.variable);
        if (!kind || !from || from->directory)
                return reason_set(reason, -ESTALE, "There is no %s to be signed on the EFI system partition",
                                  item->path);
        int r = load_file(disk, kind, from, &file, reason);
        if (r >= 0)
                r = kind->find(&file, item->ranges[0].offset, &place, reason);
        if (r == 0)
                return sign_disk_fail_stale(item, reason);
        if (r >= 0)
                r = compare(&file, &place, item, reason);
        if (r >= 0)
                r = judge(kind, &file, &place, item, ret, reason);
        if (r < 0 || !signature)
                return r;
        r = kind->fill(&file, &place, disk->certificates[SIGNER_SECURE_BOOT], signature, reason);
        return r < 0 ? r : take_changes(&file, &place, item, patches);
}
