/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/strv.h"
#include "base/text.h"
#include "format/vfat-reader.h"
#include "secureboot/authenticode.h"
#include "secureboot/authenticode-offline.h"
#include "verify/verify-check.h"
#include "verity/root-hash.h"

/* Where programs are that firmware and boot loaders run. */
static const struct {
        PartitionType type;
        const char *object;
        bool has_loader;   /* what firmware looks for must be there */
        bool may_be_other; /* it may hold another file system than firmware reads */
} boot_types[] = {
        { PARTITION_ESP, "EFI system partition", .has_loader = true },
        { PARTITION_XBOOTLDR, "extended boot partition", .may_be_other = true },
};

#define LOADER_DIRECTORY "EFI/BOOT/BOOT"
#define KERNEL_DIRECTORY "EFI/Linux/"
#define SUFFIX           ".EFI"
#define ROOT_HASH        "roothash="
#define COMMAND_LINE_MAX (64 * KIB)

/* What every unified kernel has. */
static const char *const kernel_sections[] = { ".linux", ".initrd", ".cmdline", ".osrel", ".uname" };

static bool is_program(const VfatFile *file) {
        const size_t length = strlen(file->path), suffix = strlen(SUFFIX);

        return !file->directory && length > suffix && strcasecmp(file->path + length - suffix, SUFFIX) == 0;
}

/* What firmware starts when nobody tells it what to start. */
static bool is_loader(const VfatFile *file) {
        return is_program(file) && strncasecmp(file->path, LOADER_DIRECTORY, strlen(LOADER_DIRECTORY)) == 0;
}

/* "by CN=A; by CN=B", of whoever says to have signed; NULL: nobody. 1 when the image is another than one of them signed, who is
 * named then: that can be told whoever they are. */
static int name_signers(const PeImage *image, char **ret) {
        _cleanup_(freep) char *text = NULL;
        CertificateTable table;
        Sha256Digest digest;

        int r = certificate_table_read(image, &table, NULL);
        if (r >= 0)
                r = authenticode_digest(image, &digest);
        if (r < 0)
                return r;
        for (size_t i = 0; i < table.n_entries; i++) {
                _cleanup_(authenticode_signature_done) AuthenticodeSignature signature = {};

                r = authenticode_is_reserved(image, &table.entries[i]);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                _cleanup_(freep) char *old = TAKE_PTR(text);
                r = authenticode_read(image, &table.entries[i], &signature, NULL);
                if (r < 0)
                        return r;
                const bool changed = memcmp(&signature.digest, &digest, sizeof(digest)) != 0;
                const char *before = old && !changed ? old : "", *separator = old && !changed ? "; " : "";

                r = text_format(&text, "%s%sby '%s'", before, separator, signature.signer ?: "?");
                if (r < 0)
                        return r;
                if (changed) {
                        *ret = TAKE_PTR(text);
                        return 1;
                }
        }
        *ret = TAKE_PTR(text);
        return 0;
}

static int check_signature(VerifyDisk *disk, const PeImage *image, const char *path) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *signers = NULL;
        AuthenticodeVerdict verdict;

        if (disk->boot_certificate) {
                const int r = authenticode_verify(image, disk->boot_certificate, &verdict, &reason);
                if (r < 0 && r != -EBADMSG)
                        return r;
                if (r < 0 || verdict != AUTHENTICODE_GOOD)
                        return verify_add(&disk->results, VERIFY_FAILED, path, "Its signature: %s",
                                          r < 0 ? reason_text(&reason, r)
                                                : authenticode_verdict_texts[verdict]);
                return verify_add(&disk->results, VERIFY_OK, path, "Signed by '%s'",
                                  disk->boot_certificate->subject);
        }
        if (image->certificates_size == 0)
                return verify_add(&disk->results, VERIFY_ABSENT, path, "Not signed");
        const int r = name_signers(image, &signers);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, path,
                                  "It has a signature that cannot be read");
        if (r > 0)
                return verify_add(&disk->results, VERIFY_FAILED, path, "Changed since it was signed %s",
                                  signers);
        if (r >= 0 && !signers)
                return verify_add(&disk->results, VERIFY_ABSENT, path, "Not signed");
        return r < 0 ? r
                     : verify_add(&disk->results, VERIFY_ABSENT, path,
                                  "Signed %s; there is no certificate to check that by", signers);
}

/* The root hashes that the command line names: of several, the last one counts for some who read it, the first for others. */
static int take_root_hashes(VerifyDisk *disk, const char *path, const char *line) {
        _cleanup_(strv_freep) char **words = NULL;

        int r = strv_split(line, " \t\n", &words);
        for (char **word = words; word && *word && r >= 0; word++) {
                const char *digits = text_after_prefix(*word, ROOT_HASH);
                Sha256Digest digest;

                if (!digits)
                        continue;
                if (root_hash_parse(digits, &digest) < 0)
                        return verify_add(&disk->results, VERIFY_FAILED, path,
                                          "What its command line has as a root hash is none");
                r = verify_disk_add_root_hash(disk, &digest, path);
        }
        return r;
}

static int check_kernel(VerifyDisk *disk, const PeImage *image, const char *path) {
        const PeSection *section = pe_image_find_section(image, ".cmdline");
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *line = NULL;

        for (size_t i = 0; i < ELEMENTSOF(kernel_sections); i++)
                if (!pe_image_find_section(image, kernel_sections[i]))
                        return verify_add(&disk->results, VERIFY_FAILED, path, "It has no section %s",
                                          kernel_sections[i]);
        int r = pe_image_read_text(image, section, COMMAND_LINE_MAX, &line, &reason);
        if (r == -EBADMSG || r == -EFBIG)
                return verify_add(&disk->results, VERIFY_FAILED, path, "Its command line: %s",
                                  reason_text(&reason, r));
        if (r < 0)
                return r;
        r = take_root_hashes(disk, path, line);
        return r < 0 ? r
                     : verify_add(&disk->results, VERIFY_OK, path,
                                  "A unified kernel, with the command line: %s", text_strip(line));
}

/* By what it holds, or where systemd-boot looks for such. */
static bool is_kernel(const PeImage *image, const VfatFile *file) {
        return pe_image_find_section(image, ".linux") ||
               strncasecmp(file->path, KERNEL_DIRECTORY, strlen(KERNEL_DIRECTORY)) == 0;
}

static int check_program(VerifyDisk *disk, const VfatReader *reader, const VfatFile *file) {
        _cleanup_(fd_closep) int fd = memfd_create("program", MFD_CLOEXEC);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {};

        if (fd < 0)
                return -errno;
        int r = interrupt_check();
        if (r >= 0)
                r = vfat_reader_copy(reader, file, fd);
        if (r < 0)
                return r;
        r = pe_image_load(fd, &image, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, file->path, "It is no EFI program: %s",
                                  reason_text(&reason, r));
        if (r >= 0)
                r = check_signature(disk, &image, file->path);
        if (r >= 0 && is_kernel(&image, file))
                r = check_kernel(disk, &image, file->path);
        return r;
}

/* 1 when what firmware looks for is among them. */
static int check_programs(VerifyDisk *disk, const VfatReader *reader) {
        bool has_loader = false;

        for (size_t i = 0; i < reader->n_files; i++) {
                has_loader = has_loader || is_loader(&reader->files[i]);
                if (!is_program(&reader->files[i]))
                        continue;
                const int r = check_program(disk, reader, &reader->files[i]);
                if (r < 0)
                        return r;
        }
        return has_loader;
}

/* By the end of the boot sector, which others leave free. */
static int holds_fat(const VerifyDisk *disk, const GptEntry *entry) {
        uint8_t end[2];

        const int r = fd_pread_all(disk->fd, end, sizeof(end), entry->offset + 510);
        return r < 0 ? r : end[0] == 0x55 && end[1] == 0xaa;
}

static int check_boot_partition(VerifyDisk *disk, const GptEntry *entry, size_t type) {
        const char *object = boot_types[type].object;
        _cleanup_(vfat_reader_freep) VfatReader *reader = NULL;
        _cleanup_(reason_done) Reason reason = {};

        int r = boot_types[type].may_be_other ? holds_fat(disk, entry) : 1;
        if (r == 0)
                return verify_add(&disk->results, verify_disk_absence(disk, VERIFY_WANTS_BOOT_SIGNATURE),
                                  object, "It holds no FAT, and its programs are not looked into");
        if (r >= 0)
                r = vfat_reader_new(disk->fd, entry->offset, entry->size, &reader, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, object, "%s", reason_text(&reason, r));
        if (r >= 0)
                r = verify_add(&disk->results, VERIFY_OK, object, "FAT%u with %zu files and directories",
                               reader->bits, reader->n_files);
        if (r >= 0)
                r = check_programs(disk, reader);
        if (r == 0 && boot_types[type].has_loader)
                r = verify_add(&disk->results, VERIFY_FAILED, object,
                               "There is no EFI/BOOT/BOOT….EFI, which firmware looks for");
        return r;
}

/* All that there are: which one firmware takes, or a boot loader, is their choice. */
int verify_check_boot(VerifyDisk *disk) {
        bool found = false;

        for (size_t i = 0; i < disk->table.n_entries; i++)
                for (size_t k = 0; k < ELEMENTSOF(boot_types); k++) {
                        const GptEntry *entry = &disk->table.entries[i];
                        PartitionType type;
                        unsigned architecture;

                        if (partition_type_find(entry->type, &type, &architecture) < 0 ||
                            type != boot_types[k].type)
                                continue;
                        const int r = check_boot_partition(disk, entry, k);
                        if (r < 0)
                                return r;
                        found = found || boot_types[k].has_loader;
                }
        return found ? 0
                     : verify_add(&disk->results, verify_disk_absence(disk, VERIFY_WANTS_BOOT_SIGNATURE),
                                  boot_types[0].object, "There is none");
}
