/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/kernel-line.h"
#include "base/strv.h"
#include "base/text.h"
#include "secureboot/authenticode-offline.h"
#include "secureboot/authenticode.h"
#include "verify/verify-program.h"
#include "verity/root-hash.h"

#define KERNEL_DIRECTORY "EFI/Linux/"
#define COMMAND_LINE_MAX (64 * KIB)

/* What a program is for says what has to be in it. */
typedef enum ProgramKind {
        PROGRAM_OTHER,
        PROGRAM_KERNEL,
        PROGRAM_ADDON, /* of unified kernels: nothing that runs, but command lines and the like (systemd-stub(7)) */
        PROGRAM_KIND_MAX,
} ProgramKind;

#define SECTIONS_MAX 8

static const struct {
        const char *name;
        const char *all[SECTIONS_MAX]; /* all of which there are */
        const char *any[SECTIONS_MAX]; /* one of which there is; none: nothing is demanded */
        bool starts; /* its command line is the one that a kernel starts with, not one more */
} kinds[PROGRAM_KIND_MAX] = {
        [PROGRAM_KERNEL] = { "A unified kernel",
                             .all = { ".linux", ".initrd", ".cmdline", ".osrel", ".uname" }, .starts = true },
        [PROGRAM_ADDON] = { "An add-on of unified kernels", .any = { ".cmdline", ".initrd", ".ucode", ".dtb",
                                                                     ".dtbauto", ".hwids", ".efifw" } },
};

void verify_programs_done(VerifyPrograms *programs) {
        free(programs->unsigned_results);
        strv_free(programs->started);
}

void verify_programs_end(VerifyPrograms *programs) {
        if (!programs->any_signed || !programs->disk->boot_certificate)
                return;
        for (size_t i = 0; i < programs->n_unsigned_results; i++)
                programs->disk->results.items[programs->unsigned_results[i]].verdict = VERIFY_FAILED;
}

/* It may be an image whose programs nobody signed. */
static int add_unsigned(VerifyPrograms *programs, const char *path) {
        VerifyDisk *disk = programs->disk;
        size_t *more =
                reallocarray(programs->unsigned_results, programs->n_unsigned_results + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        programs->unsigned_results = more;
        more[programs->n_unsigned_results++] = disk->results.n_items;
        return verify_add(&disk->results, VERIFY_ABSENT, path, "Not signed");
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

/* A place that was kept for a signature waits for it; where there is none, and nobody named the certificate, there need not
 * be a signature. */
static int check_by_certificate(VerifyPrograms *programs, const PeImage *image, const char *path) {
        VerifyDisk *disk = programs->disk;
        _cleanup_(reason_done) Reason reason = {};
        AuthenticodeVerdict verdict;

        const int r = authenticode_verify(image, disk->boot_certificate, &verdict, &reason);
        if (r < 0 && r != -EBADMSG)
                return r;
        if (r == 0 && verdict == AUTHENTICODE_UNSIGNED && image->certificates_size == 0 &&
            verify_disk_absence(disk, VERIFY_WANTS_BOOT_SIGNATURE) == VERIFY_ABSENT)
                return add_unsigned(programs, path);
        programs->any_signed = true;
        if (r < 0 || verdict != AUTHENTICODE_GOOD)
                return verify_add(&disk->results, VERIFY_FAILED, path, "Its signature: %s",
                                  r < 0 ? reason_text(&reason, r) : authenticode_verdict_texts[verdict]);
        return verify_add(&disk->results, VERIFY_OK, path, "Signed by '%s'", disk->boot_certificate->subject);
}

static int check_signature(VerifyPrograms *programs, const PeImage *image, const char *path) {
        VerifyDisk *disk = programs->disk;
        _cleanup_(freep) char *signers = NULL;

        if (disk->boot_certificate)
                return check_by_certificate(programs, image, path);
        if (image->certificates_size == 0)
                return add_unsigned(programs, path);
        const int r = name_signers(image, &signers);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, path,
                                  "It has a signature that cannot be read");
        if (r > 0)
                return verify_add(&disk->results, VERIFY_FAILED, path, "Changed since it was signed %s",
                                  signers);
        if (r >= 0 && !signers)
                return add_unsigned(programs, path);
        return r < 0 ? r
                     : verify_add(&disk->results, VERIFY_ABSENT, path,
                                  "Signed %s; there is no certificate to check that by", signers);
}

/* Everything in a command line that bears on the root file system. Of several root hashes the last one counts for some who read
 * it, the first for others. 1 when something failed. */
static int check_parameters(VerifyDisk *disk, const char *path, const char *line, bool starts) {
        const bool has_tree = verify_disk_find(disk, PARTITION_ROOT_VERITY);
        _cleanup_(strv_freep) char **parameters = NULL;
        bool named = false;

        int r = kernel_line_split(line, &parameters);
        for (char **parameter = parameters; parameter && *parameter && r >= 0; parameter++) {
                const char *digits, *effect = has_tree ? kernel_parameter_defeats_verity(*parameter) : NULL;
                Sha256Digest digest;

                if (effect) {
                        r = verify_add(&disk->results, VERIFY_FAILED, path,
                                       "In its command line, %s goes around the hash tree: it %s", *parameter,
                                       effect);
                        return r < 0 ? r : 1;
                }
                if (!kernel_parameter_is(*parameter, "roothash", &digits))
                        continue;
                if (root_hash_parse(digits ?: "", &digest) < 0) {
                        r = verify_add(&disk->results, VERIFY_FAILED, path,
                                       "What its command line has as a root hash is none");
                        return r < 0 ? r : 1;
                }
                named = true;
                r = verify_disk_add_root_hash(disk, &digest, path);
        }
        if (r < 0 || named || !has_tree || !starts)
                return r;
        r = verify_add(&disk->results, VERIFY_FAILED, path,
                       "Its command line has no roothash=, so that nothing protects the root file system: %s",
                       line);
        return r < 0 ? r : 1;
}

static int check_command_line(VerifyDisk *disk, ProgramKind kind, const PeImage *image, const char *path) {
        const PeSection *section = pe_image_find_section(image, ".cmdline");
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *line = NULL;

        if (!section)
                return verify_add(&disk->results, VERIFY_OK, path, "%s", kinds[kind].name);
        int r = pe_image_read_text(image, section, COMMAND_LINE_MAX, &line, &reason);
        if (r == -EBADMSG || r == -EFBIG)
                return verify_add(&disk->results, VERIFY_FAILED, path, "Its command line: %s",
                                  reason_text(&reason, r));
        if (r < 0)
                return r;
        const char *said = text_strip(line);
        r = check_parameters(disk, path, said, kinds[kind].starts);
        return r != 0 ? MIN(r, 0)
                      : verify_add(&disk->results, VERIFY_OK, path, "%s, with the command line: %s",
                                   kinds[kind].name, said);
}

/* The first section of all that is missing; NULL: none is. */
static const char *find_missing(ProgramKind kind, const PeImage *image) {
        for (size_t i = 0; i < SECTIONS_MAX && kinds[kind].all[i]; i++)
                if (!pe_image_find_section(image, kinds[kind].all[i]))
                        return kinds[kind].all[i];
        return NULL;
}

static bool has_any(ProgramKind kind, const PeImage *image) {
        for (size_t i = 0; i < SECTIONS_MAX && kinds[kind].any[i]; i++)
                if (pe_image_find_section(image, kinds[kind].any[i]))
                        return true;
        return !kinds[kind].any[0];
}

static int check_content(VerifyDisk *disk, ProgramKind kind, const PeImage *image, const char *path) {
        const char *missing = find_missing(kind, image);

        if (kind == PROGRAM_OTHER)
                return 0;
        if (missing)
                return verify_add(&disk->results, VERIFY_FAILED, path, "It has no section %s", missing);
        if (kind == PROGRAM_ADDON && pe_image_find_section(image, ".linux"))
                return verify_add(&disk->results, VERIFY_FAILED, path,
                                  "It has a kernel in it, and lies where add-ons of kernels do");
        if (!has_any(kind, image))
                return verify_add(&disk->results, VERIFY_FAILED, path,
                                  "It lies where add-ons of kernels do, and has nothing of what they add");
        return check_command_line(disk, kind, image, path);
}

/* Beside a kernel, in KERNEL.efi.extra.d/, or for all of them (systemd-stub(7)). */
static bool is_addon(const char *path) {
        static const char suffix[] = ".addon.efi", global[] = "loader/addons/", local[] = ".efi.extra.d/";
        const size_t length = strlen(path), n = sizeof(suffix) - 1;

        return length > n && strcasecmp(path + length - n, suffix) == 0 &&
               (strncasecmp(path, global, sizeof(global) - 1) == 0 || strcasestr(path, local));
}

/* By where it lies, for those who look there, or by what it holds. systemd-boot does not look for kernels in directories below
 * its own. */
static ProgramKind find_kind(const PeImage *image, const char *path) {
        const size_t n = strlen(KERNEL_DIRECTORY);

        if (is_addon(path))
                return PROGRAM_ADDON;
        if (pe_image_find_section(image, ".linux") ||
            (strncasecmp(path, KERNEL_DIRECTORY, n) == 0 && !strchr(path + n, '/')))
                return PROGRAM_KERNEL;
        return PROGRAM_OTHER;
}

int verify_program(VerifyPrograms *programs, int fd, const char *path) {
        VerifyDisk *disk = programs->disk;
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason reason = {};

        int r = pe_image_load(fd, &image, &reason);
        if (r == -EBADMSG)
                return verify_add(&disk->results, VERIFY_FAILED, path, "It is no EFI program: %s",
                                  reason_text(&reason, r));
        if (r >= 0)
                r = check_signature(programs, &image, path);
        if (r >= 0)
                r = check_content(disk, find_kind(&image, path), &image, path);
        return r;
}

/* Key and value of a line; NULL: it is a comment, or has no value. */
static const char *parse_entry_line(char *line, const char *key) {
        char *start = text_strip(line);
        const char *rest = text_after_prefix(start, key);

        return rest && (*rest == ' ' || *rest == '\t') ? rest + strspn(rest, " \t") : NULL;
}

/* "/EFI\\Linux/x.efi" → "EFI/Linux/x.efi" */
static int append_path(const char *value, char ***paths) {
        _cleanup_(freep) char *path = NULL;

        const int r = text_copy(value + strspn(value, "/\\"), &path);
        if (r < 0)
                return r;
        for (char *p = path; *p; p++)
                if (*p == '\\')
                        *p = '/';
        return strv_append(paths, text_strip(path));
}

static int read_entry_line(char *line, char ***options, char ***started, bool *starts) {
        static const char *const starting[] = { "linux", "efi", "uki" };
        const char *value = parse_entry_line(line, "options");

        if (value)
                return strv_append(options, value);
        for (size_t i = 0; i < ELEMENTSOF(starting); i++) {
                value = parse_entry_line(line, starting[i]);
                if (!value)
                        continue;
                /* Unified kernels have a command line of their own. */
                *starts = *starts || i == 0;
                return append_path(value, started);
        }
        return 0;
}

int verify_boot_entry(VerifyPrograms *programs, const char *text, const char *path, char ***ret_started) {
        _cleanup_(strv_freep) char **lines = NULL, **options = NULL;
        _cleanup_(freep) char *all = NULL;
        bool starts = false;

        int r = strv_split(text, "\n\r", &lines);
        for (char **line = lines; line && *line && r >= 0; line++)
                r = read_entry_line(*line, &options, ret_started, &starts);
        if (r >= 0)
                r = strv_join(STRV(options), " ", &all);
        if (r >= 0)
                r = check_parameters(programs->disk, path, all, starts);
        return r != 0 ? MIN(r, 0)
                      : verify_add(&programs->disk->results, VERIFY_OK, path,
                                   "An entry of the boot loader, with the command line: %s", all);
}
