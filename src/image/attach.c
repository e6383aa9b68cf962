/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "format/decompress.h"
#include "image/artefact.h"
#include "image/attach-output.h"
#include "image/attach.h"
#include "image/output-lock.h"
#include "image/workspace.h"

#define QCOW2_SIGNATURE "QFI\xfb"

typedef struct Attach {
        const Config *config;
        const char *path; /* of the image */
        Progress *progress;
        char *request_path;
        SignRequest request;
        GivenSignatures given;
        Certificate *certificates[SIGNER_ROLE_MAX]; /* NULL: nothing is signed so */
        int fd;                                     /* of the image */
        SignPatches patches;
        size_t n_given; /* signatures among those that are for the image itself */
        Workspace *workspace;
        int lock_fd; /* keeps the image from being run, or changed, meanwhile */
} Attach;

static void attach_done(Attach *attach) {
        free(attach->request_path);
        sign_request_done(&attach->request);
        given_signatures_done(&attach->given);
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                certificate_free(attach->certificates[role]);
        (void)fd_close(attach->fd);
        sign_patches_done(&attach->patches);
        workspace_free(attach->workspace);
        (void)fd_close(attach->lock_fd);
}

static int load_request(Attach *attach) {
        _cleanup_(freep) char *stem = NULL, *text = NULL;
        _cleanup_(reason_done) Reason reason = {};
        unsigned line;
        size_t size;

        int r = config_output_stem_of(attach->path, &stem);
        if (r >= 0)
                r = text_format(&attach->request_path, "%s" SIGN_REQUEST_SUFFIX, stem);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, attach->request_path, SIGN_REQUEST_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return log_error(
                        r,
                        "There is no %s, which says what of %s is to be signed: build the image with "
                        "SignOffline=yes, and keep the two together",
                        attach->request_path, attach->path);
        if (r < 0)
                return log_error(r, "Cannot read %s: %s", attach->request_path, file_read_error(r));
        r = sign_request_parse(text, size, &attach->request, &line, &reason);
        return r < 0 ? log_error(r, "%s:%u: %s", attach->request_path, line, reason_text(&reason, r)) : 0;
}

/* A misspelt name must not pass for a signature that is missing. */
static int check_given(const Attach *attach) {
        for (size_t i = 0; i < attach->given.n_items; i++) {
                const GivenSignature *given = &attach->given.items[i];
                _cleanup_(strv_freep) char **ids = NULL;
                _cleanup_(freep) char *text = NULL;
                int r = 0;

                if (sign_request_find(&attach->request, given->id))
                        continue;
                for (size_t k = 0; k < attach->request.n_items && r >= 0; k++)
                        r = strv_append(&ids, attach->request.items[k].id);
                if (r >= 0)
                        r = strv_join(STRV(ids), ", ", &text);
                if (r < 0)
                        return r;
                return log_error(-EINVAL,
                                 "%s has a signature of \"%s\", which %s does not ask for; it asks for: %s",
                                 given->source, given->id, attach->request_path, text);
        }
        return 0;
}

static int load_certificate(Attach *attach, SignerRole role) {
        const SignerSource source = signer_source(attach->config, role);
        _cleanup_(reason_done) Reason reason = {};

        if (attach->certificates[role])
                return 0;
        const int r = certificate_load(source.certificate, &attach->certificates[role], &reason);
        return r < 0 ? log_error(r,
                                 "Cannot load the certificate for %s, by which signatures are verified: %s",
                                 signer_rows[role].purpose, reason_text(&reason, r))
                     : 0;
}

/* Those that the settings name, or that lie where a build would find them; they must be the ones of the request. */
static int load_certificates(Attach *attach) {
        for (size_t i = 0; i < attach->request.n_items; i++) {
                const SignItem *item = &attach->request.items[i];

                if (item->kind == SIGN_CHECKSUMS)
                        continue;
                const SignerRole role = sign_kind_role(item->kind);
                const int r = load_certificate(attach, role);
                if (r < 0)
                        return r;
                const Certificate *certificate = attach->certificates[role];
                if (memcmp(&certificate->fingerprint, &item->fingerprint, sizeof(item->fingerprint)) != 0)
                        return log_error(
                                -EKEYREJECTED,
                                "The certificate %s, of '%s', is not the one that the image was built "
                                "with, of '%s': name that one",
                                signer_source(attach->config, role).certificate, certificate->subject,
                                item->certificate);
        }
        return 0;
}

static int open_image(Attach *attach) {
        char begin[4] = {};
        struct stat status;

        attach->fd = open(attach->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (attach->fd < 0)
                return errno == ELOOP ? log_error(-ELOOP, "%s is a symbolic link: name the image itself",
                                                  attach->path)
                                      : log_error(-errno, "Cannot open %s: %m", attach->path);
        if (fstat(attach->fd, &status) < 0 || pread(attach->fd, begin, sizeof(begin), 0) < 0)
                return log_error(-errno, "Cannot read %s: %m", attach->path);
        if (!S_ISREG(status.st_mode))
                return log_error(-EINVAL, "%s is no file", attach->path);
        if ((uint64_t)status.st_size == attach->request.size)
                return 0;
        const int r = decompress_is_wanted(attach->fd);
        if (r > 0 || memcmp(begin, QCOW2_SIGNATURE, sizeof(begin)) == 0)
                return log_error(
                        -EINVAL,
                        "%s is not the raw image that was built: put signatures into that, and compress or "
                        "convert it afterwards",
                        attach->path);
        return log_error(-ESTALE,
                         "%s has %llu bytes, and %s is of an image of %llu bytes: they are not of one build",
                         attach->path, (unsigned long long)status.st_size, attach->request_path,
                         (unsigned long long)attach->request.size);
}

/* Drops what is in the image already, so that doing it twice changes nothing. */
static int drop_done(Attach *attach) {
        SignPatches *patches = &attach->patches;
        size_t n = 0;

        for (size_t i = 0; i < patches->n_items; i++) {
                SignPatch *patch = &patches->items[i];
                _cleanup_(freep) uint8_t *bytes = malloc(patch->range.size);

                if (!bytes)
                        return -ENOMEM;
                const int r = fd_pread_all(attach->fd, bytes, patch->range.size, patch->range.offset);
                if (r < 0)
                        return r;
                if (memcmp(bytes, patch->bytes, patch->range.size) == 0)
                        free(TAKE_PTR(patch->bytes));
                else
                        patches->items[n++] = (SignPatch){ patch->range, TAKE_PTR(patch->bytes) };
        }
        patches->n_items = n;
        return 0;
}

static int decide_item(Attach *attach, const SignDisk *disk, const SignItem *item, char ***missing) {
        const GivenSignature *given = given_signatures_find(&attach->given, item->id);
        _cleanup_(reason_done) Reason reason = {};
        SignState state;

        const int r =
                sign_disk_attach(disk, item, given ? &given->bytes : NULL, &attach->patches, &state, &reason);
        if (r == -EINTR)
                return r;
        if (r < 0 && given)
                return log_error(r, "Cannot take %s as the signature of %s (\"%s\"): %s", given->source,
                                 item->path, item->id, reason_text(&reason, r));
        if (r < 0)
                return log_error(r, "Cannot put signatures into %s: %s", attach->path,
                                 reason_text(&reason, r));
        attach->n_given += given != NULL;
        return !given && state == SIGN_STATE_EMPTY ? strv_append(missing, item->id) : 0;
}

static int decide_items(Attach *attach, const SignDisk *disk) {
        _cleanup_(strv_freep) char **missing = NULL;
        _cleanup_(freep) char *text = NULL;
        int r = 0;

        for (size_t i = 0; i < attach->request.n_items && r >= 0; i++)
                if (attach->request.items[i].kind != SIGN_CHECKSUMS)
                        r = decide_item(attach, disk, &attach->request.items[i], &missing);
        if (r >= 0 && missing)
                r = strv_join(STRV(missing), ", ", &text);
        if (r >= 0 && missing)
                return log_error(
                        -ENODATA,
                        "Signatures are missing, so nothing was changed: %s (%s says what they are of)", text,
                        attach->request_path);
        return r;
}

/* All that the signatures change is known then, and nothing was written yet. */
static int decide(Attach *attach) {
        _cleanup_(sign_disk_done) SignDisk disk = { .fd = attach->fd,
                                                    .size = attach->request.size,
                                                    .time = attach->request.time };
        _cleanup_(reason_done) Reason reason = {};
        bool has_places = false;

        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++) {
                disk.certificates[role] = attach->certificates[role];
                has_places = has_places || disk.certificates[role];
        }
        if (!has_places)
                return 0;
        int r = sign_disk_open(&disk, &reason);
        if (r < 0)
                return r == -EINTR ? r
                                   : log_error(r, "Cannot read the disk image %s: %s", attach->path,
                                               reason_text(&reason, r));
        r = decide_items(attach, &disk);
        if (r < 0)
                return r;
        r = drop_done(attach);
        return r < 0 ? log_error(r, "Cannot read %s: %m", attach->path) : 0;
}

static int lock(Attach *attach) {
        pid_t holder = 0;

        const int r = workspace_new(attach->path, &attach->workspace, &holder);
        if (r == -EBUSY)
                return log_error(r, "A build of %s is under way (process %d): wait for it, or stop it",
                                 attach->path, (int)holder);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot make a workspace beside %s: %m", attach->path);
        return output_lock(attach->path, false, &attach->lock_fd);
}

static void report(const Attach *attach, const AttachResult *result) {
        const bool wants_signature = sign_request_find(&attach->request, CHECKSUMS_NAME) != NULL;

        if (!result->changed)
                log_info("All signatures that were given are in place already: nothing was changed");
        else if (attach->n_given > 0)
                log_info("%s has its signatures%s", attach->path,
                         result->has_checksums ? ", and " CHECKSUMS_NAME " names it as it is now" : "");
        if (wants_signature && result->has_checksums && result->checksums_stale)
                log_info("What remains to be signed is " CHECKSUMS_NAME
                         ": run gpg --detach-sign " CHECKSUMS_NAME ", and attach " CHECKSUMS_NAME ".sig");
}

static int attach_all(Attach *attach, const char *const *paths) {
        AttachResult result;

        int r = load_request(attach);
        if (r >= 0)
                r = given_signatures_load(&attach->given, paths);
        if (r >= 0)
                r = check_given(attach);
        if (r >= 0)
                r = load_certificates(attach);
        if (r >= 0)
                r = lock(attach);
        if (r >= 0)
                r = open_image(attach);
        if (r >= 0)
                r = decide(attach);
        if (r < 0)
                return r;
        const AttachOutput output = {
                .config = attach->config,
                .path = attach->path,
                .fd = attach->fd,
                .request = &attach->request,
                .request_path = attach->request_path,
                .patches = &attach->patches,
                .signature = given_signatures_find(&attach->given, CHECKSUMS_NAME),
                .workspace = attach->workspace->path,
                .progress = attach->progress,
        };
        r = attach_output(&output, &result);
        progress_end(attach->progress, r >= 0);
        if (r >= 0)
                report(attach, &result);
        return r;
}

int attach_signatures(const Config *config, const char *image, const char *const *paths, Progress *progress) {
        _cleanup_(attach_done) Attach attach = {
                .config = config, .path = image, .progress = progress, .fd = -EBADF, .lock_fd = -EBADF
        };

        int r = progress_begin(progress, "attach", "Putting signatures into the image");
        if (r < 0)
                return r;
        r = attach_all(&attach, paths);
        progress_end(progress, r >= 0);
        return r;
}
