/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "config/config-report.h"
#include "format/decompress.h"
#include "image/signer.h"
#include "image/verify-beside.h"
#include "image/verify-image.h"
#include "image/verify-manifest.h"
#include "verity/root-hash.h"

#define OBJECT_COLUMNS_MAX 40

/* A verification under way. */
typedef struct Verification {
        const LoadedConfig *loaded;
        const Config *config; /* of it */
        const char *path;
        Beside beside;
        VerifyManifest manifest;
        Progress *progress;
        Certificate *certificates[SIGNER_ROLE_MAX]; /* NULL: there is none */
        int fd;                                     /* of the image, decompressed */
        bool is_directory;
        VerifyDisk disk;
} Verification;

static void verification_done(Verification *verification) {
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                certificate_free(verification->certificates[role]);
        (void)fd_close(verification->fd);
        beside_done(&verification->beside);
        verify_manifest_done(&verification->manifest);
        verify_disk_done(&verification->disk);
}

/* Those that somebody named, who relies on them then, or that lie where a build would find them. */
static int load_certificates(Verification *verification) {
        static const VerifyWants wants[SIGNER_ROLE_MAX] = {
                [SIGNER_SECURE_BOOT] = VERIFY_WANTS_BOOT_SIGNATURE,
                [SIGNER_VERITY] = VERIFY_WANTS_ROOT_SIGNATURE,
        };

        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++) {
                const SignerSource source = signer_source(verification->config, role);
                const SettingSource origin =
                        config_source(verification->loaded, signer_rows[role].certificate);
                _cleanup_(reason_done) Reason reason = {};

                if (origin == SETTING_FILE || origin == SETTING_COMMAND_LINE)
                        verification->disk.wants |= wants[role];
                else if (access(source.certificate, F_OK) < 0)
                        continue;
                const int r =
                        certificate_load(source.certificate, &verification->certificates[role], &reason);
                if (r < 0)
                        return log_error(r, "Cannot load the certificate %s: %s", source.certificate,
                                         reason_text(&reason, r));
        }
        return 0;
}

/* Into a file without a name, beside the image. */
static int decompress(Verification *verification) {
        _cleanup_(fd_closep) int fd = open(verification->beside.parent, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
        _cleanup_(reason_done) Reason reason = {};

        if (fd < 0)
                fd = open(getenv("TMPDIR") ?: "/var/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
        if (fd < 0)
                return log_error(-errno, "Cannot make a temporary file to decompress %s to: %m",
                                 verification->path);
        const int r = decompress_file(verification->fd, fd, verification->progress, &reason);
        if (r == -EBADMSG)
                return verify_add(&verification->disk.results, VERIFY_FAILED, "compression", "%s",
                                  reason_text(&reason, r));
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot decompress %s: %m", verification->path);
        (void)fd_close(verification->fd);
        verification->fd = TAKE_FD(fd);
        return 1;
}

/* What the caller knows comes first, so that others are held against it. */
static int add_root_hash(Verification *verification) {
        const char *text = verification->config->root_hash;
        Sha256Digest digest;

        if (!text)
                return 0;
        if (root_hash_parse(text, &digest) < 0)
                return log_error(-EINVAL, "--root-hash=%s is no root hash, which has %d hexadecimal digits",
                                 text, 2 * SHA256_SIZE);
        verification->disk.wants |= VERIFY_WANTS_ROOT_HASH;
        const int r = verify_disk_add_root_hash(&verification->disk, &digest, "--root-hash");
        return r < 0 ? log_error(r, "Cannot take the root hash: %m") : 0;
}

/* What lies beside the image, and says what it has to be. */
static int open_beside(Verification *verification) {
        int r = beside_open(verification->path, verification->progress, &verification->beside);
        if (r < 0)
                return log_error(r, "Cannot open the directory of %s: %m", verification->path);
        r = verify_root_hash_file(&verification->beside, &verification->disk);
        if (r >= 0)
                r = verify_manifest_read(&verification->beside, &verification->manifest, &verification->disk);
        return r < 0 ? log_error(r, "Cannot read what lies beside %s: %m", verification->path) : 0;
}

/* 0: it is damaged, which is a result, so that there is nothing to look at. */
static int open_image(Verification *verification) {
        struct stat status;

        verification->fd = open(verification->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (verification->fd < 0 || fstat(verification->fd, &status) < 0)
                return log_error(-errno, "Cannot open %s: %m", verification->path);
        verification->is_directory = S_ISDIR(status.st_mode);
        if (verification->is_directory)
                return 1;
        if (!S_ISREG(status.st_mode))
                return log_error(-EINVAL, "%s is neither a file nor a directory, as images are",
                                 verification->path);
        const int r = decompress_is_wanted(verification->fd);
        if (r < 0)
                return log_error(r, "Cannot read %s: %m", verification->path);
        return r > 0 ? decompress(verification) : 1;
}

static int check_content(Verification *verification) {
        VerifyDisk *disk = &verification->disk;
        struct stat status;

        if (verification->is_directory)
                return verify_disk_pass_over(disk, "A directory, whose files are not looked into");
        if (fstat(verification->fd, &status) < 0)
                return -errno;
        disk->fd = verification->fd;
        disk->size = (uint64_t)status.st_size;
        disk->boot_certificate = verification->certificates[SIGNER_SECURE_BOOT];
        disk->verity_certificate = verification->certificates[SIGNER_VERITY];
        disk->progress = verification->progress;
        return verify_disk(disk);
}

static void print_lines(const VerifyResults *results, FILE *file) {
        size_t width = 0;

        for (size_t i = 0; i < results->n_items; i++)
                width = MAX(width, strlen(results->items[i].object));
        width = MIN(width, (size_t)OBJECT_COLUMNS_MAX);
        for (size_t i = 0; i < results->n_items; i++)
                (void)fprintf(file, "%-6s  %-*s  %s\n", verify_verdict_words[results->items[i].verdict],
                              (int)width, results->items[i].object, results->items[i].detail);
}

static void print_json(const char *path, const VerifyResults *results, FILE *file) {
        JsonWriter writer = { .file = file };

        json_begin_object(&writer, NULL);
        json_text(&writer, "image", path);
        json_bool(&writer, "good", verify_results_are_good(results));
        json_begin_array(&writer, "checks");
        for (size_t i = 0; i < results->n_items; i++) {
                json_begin_object(&writer, NULL);
                json_text(&writer, "object", results->items[i].object);
                json_text(&writer, "verdict", verify_verdict_words[results->items[i].verdict]);
                json_text(&writer, "detail", results->items[i].detail);
                json_end_object(&writer);
        }
        json_end_array(&writer);
        json_end_object(&writer);
}

static int check_beside(Verification *verification) {
        VerifyResults *results = &verification->disk.results;

        int r = verify_manifest(&verification->manifest, &verification->beside, &verification->disk);
        /* Check sums are of files. */
        if (r < 0 || verification->is_directory)
                return r;
        r = verify_checksums(&verification->beside, results);
        return r != 0 ? MIN(r, 0)
                      : verify_checksums_signature(verification->config, &verification->beside, results);
}

int verify_image(const LoadedConfig *loaded, const char *path, bool json, Progress *progress, FILE *file) {
        _cleanup_(verification_done) Verification verification = {
                .loaded = loaded,
                .config = &loaded->config,
                .path = path,
                .beside.directory_fd = -EBADF,
                .progress = progress,
                .fd = -EBADF,
        };
        VerifyResults *results = &verification.disk.results;

        int r = load_certificates(&verification);
        if (r >= 0)
                r = add_root_hash(&verification);
        if (r < 0)
                return r;
        r = progress_begin(progress, "verify", "Looking at the image");
        if (r >= 0)
                r = open_beside(&verification);
        if (r >= 0)
                r = open_image(&verification);
        if (r < 0) {
                progress_end(progress, false);
                return r;
        }
        if (r > 0)
                r = check_content(&verification);
        if (r >= 0)
                r = check_beside(&verification);
        progress_end(progress, r >= 0);
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot look at %s: %m", path);
        if (json)
                print_json(path, results, file);
        else
                print_lines(results, file);
        return verify_results_are_good(results) ? 0 : 1;
}
