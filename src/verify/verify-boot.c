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
#include "secureboot/authenticode-offline.h"
#include "verify/verify-check.h"
#include "verity/root-hash.h"

#define OBJECT "EFI system partition"

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
                                  "A unified kernel, with the command line: %s", line);
}

/* By what it holds, or where systemd-boot looks for such. */
static bool is_kernel(const PeImage *image, const VfatFile *file) {
        return pe_image_find_section(image, ".linux") ||
               strncasecmp(file->path, KERNEL_DIRECTORY, strlen(KERNEL_DIRECTORY)) == 0;
}

static int check_program(VerifyDisk *disk, const VfatFile *file) {
        _cleanup_(fd_closep) int fd = memfd_create("program", MFD_CLOEXEC);
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {};

        if (fd < 0)
                return -errno;
        int r = interrupt_check();
        if (r >= 0)
                r = vfat_reader_copy(disk->boot, file, fd);
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

static int check_programs(VerifyDisk *disk) {
        bool has_loader = false;
        int r = 0;

        for (size_t i = 0; i < disk->boot->n_files && r >= 0; i++) {
                has_loader = has_loader || is_loader(&disk->boot->files[i]);
                if (is_program(&disk->boot->files[i]))
                        r = check_program(disk, &disk->boot->files[i]);
        }
        if (r >= 0 && !has_loader)
                r = verify_add(&disk->results, VERIFY_FAILED, OBJECT,
                               "There is no EFI/BOOT/BOOT….EFI, which firmware looks for");
        return r;
}

int verify_check_boot(VerifyDisk *disk) {
        const GptEntry *entry = verify_disk_find(disk, PARTITION_ESP);
        _cleanup_(reason_done) Reason reason = {};

        if (!entry)
                return verify_add(&disk->results, VERIFY_ABSENT, OBJECT, "There is none");
        int r = vfat_reader_new(disk->fd, entry->offset, entry->size, &disk->boot, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, OBJECT, "%s", reason_text(&reason, r));
        if (r < 0)
                return r;
        r = verify_add(&disk->results, VERIFY_OK, OBJECT, "FAT%u with %zu files and directories",
                       disk->boot->bits, disk->boot->n_files);
        return r < 0 ? r : check_programs(disk);
}
