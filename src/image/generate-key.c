/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/generate-key.h"
#include "image/passphrase-file.h"
#include "secureboot/key-pair.h"

#define VALID_DAYS_DEFAULT 730
#define DAY                INT64_C(86400)

static const KeyPairType key_types[] = {
        [SECURE_BOOT_KEY_TYPE_RSA_2048] = KEY_PAIR_RSA_2048,
        [SECURE_BOOT_KEY_TYPE_RSA_3072] = KEY_PAIR_RSA_3072,
        [SECURE_BOOT_KEY_TYPE_RSA_4096] = KEY_PAIR_RSA_4096,
        [SECURE_BOOT_KEY_TYPE_P256] = KEY_PAIR_EC_P256,
        [SECURE_BOOT_KEY_TYPE_P384] = KEY_PAIR_EC_P384,
};
static_assert(ELEMENTSOF(key_types) == SECURE_BOOT_KEY_TYPE_MAX, "a type is missing");

/* A file that has its name only when it is whole. */
typedef struct NewFile {
        const char *path;
        bool give;       /* to the user who called sudo, if the directory is his */
        char *temporary; /* NULL: it is not there, or has its name */
} NewFile;

static void new_file_done(NewFile *file) {
        if (file->temporary)
                (void)unlink(file->temporary);
        free(file->temporary);
}

static int new_file_give(const NewFile *file, int fd) {
        _cleanup_(freep) char *parent = NULL;

        if (!file->give)
                return 0;
        const int r = path_parent(file->path, &parent);
        return r < 0 ? r : caller_give(fd, parent);
}

static int new_file_write(NewFile *file, const void *data, size_t size, mode_t mode) {
        int r = text_format(&file->temporary, "%s.XXXXXX", file->path);
        if (r < 0)
                return r;
        _cleanup_(fd_closep) int fd = mkostemp(file->temporary, O_CLOEXEC);
        if (fd < 0) {
                r = -errno;
                free(TAKE_PTR(file->temporary));
                return log_error(r, "Cannot create %s: %m", file->path);
        }
        r = fd_write_all(fd, data, size);
        if (r >= 0 && fchmod(fd, mode) < 0)
                r = -errno;
        if (r >= 0)
                r = new_file_give(file, fd);
        if (r >= 0 && fsync(fd) < 0)
                r = -errno;
        return r < 0 ? log_error(r, "Cannot write %s: %m", file->path) : 0;
}

static int fail_to_place(const char *path, int r) {
        if (r == -EEXIST)
                return log_error(r, "%s exists, and is not replaced: what it has signed would be lost", path);
        return log_error(r, "Cannot put %s into place: %m", path);
}

static int new_file_place(NewFile *file) {
        if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) < 0)
                return fail_to_place(file->path, -errno);
        free(TAKE_PTR(file->temporary));
        return 0;
}

/* Both or none. */
static int place_pair(NewFile *key, NewFile *certificate) {
        int r = new_file_place(key);
        if (r < 0)
                return r;
        r = new_file_place(certificate);
        if (r < 0)
                (void)unlink(key->path);
        return r;
}

static bool is_there(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0;
}

/* Before the work, so that what is there is not found out behind it only. */
static int check_absence(const char *path) {
        return is_there(path) ? fail_to_place(path, -EEXIST) : 0;
}

static int generate(const Config *config, SignerRole role, Secret **ret_key, char **ret_certificate) {
        const char *passphrase_file = signer_source(config, role).passphrase_file;
        const char *common_name = role == SIGNER_SECURE_BOOT ? config->secure_boot_common_name : NULL;
        _cleanup_(secret_freep) Secret *passphrase = NULL;
        _cleanup_(reason_done) Reason reason = {};
        const int64_t now = (int64_t)time(NULL);
        const unsigned days =
                config->secure_boot_valid_days > 0 ? config->secure_boot_valid_days : VALID_DAYS_DEFAULT;

        int r = passphrase_file ? passphrase_file_load(passphrase_file, &passphrase) : 0;
        if (r < 0)
                return r;
        const KeyPairWish wish = {
                .type = key_types[config->secure_boot_key_type],
                .common_name = common_name ?: signer_rows[role].common_name,
                .not_before = now,
                .not_after = now + days * DAY,
                .passphrase = passphrase,
        };
        r = key_pair_generate(&wish, ret_key, ret_certificate, &reason);
        return r < 0 ? log_error(r, "Cannot make a key: %s", reason_text(&reason, r)) : 0;
}

static int generate_pair(const Config *config, SignerRole role) {
        const SignerSource source = signer_source(config, role);
        _cleanup_(new_file_done) NewFile key = { source.key, .give = !config->no_chown },
                                         certificate = { source.certificate, .give = !config->no_chown };
        _cleanup_(secret_freep) Secret *key_text = NULL;
        _cleanup_(freep) char *certificate_text = NULL;

        if (path_is_uri(key.path))
                return log_error(-EINVAL, "%s=%s is no file, and genkey makes nothing but files",
                                 config_setting(signer_rows[role].key)->name, key.path);
        int r = check_absence(key.path);
        if (r >= 0)
                r = check_absence(certificate.path);
        if (r >= 0)
                r = generate(config, role, &key_text, &certificate_text);
        if (r >= 0)
                r = new_file_write(&key, key_text->bytes, key_text->size, 0600);
        if (r >= 0)
                r = new_file_write(&certificate, certificate_text, strlen(certificate_text), 0644);
        if (r >= 0)
                r = place_pair(&key, &certificate);
        if (r < 0)
                return r;
        log_info("Made the key %s and its certificate %s: keep the key secret, and a copy of it", key.path,
                 certificate.path);
        return 0;
}

static int generate_named(const Config *config, const char *name) {
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                if (text_equal(signer_rows[role].name, name))
                        return generate_pair(config, role);
        return log_error(-EINVAL, "genkey makes no key named \"%s\", there are %s and %s", name,
                         signer_rows[SIGNER_SECURE_BOOT].name, signer_rows[SIGNER_VERITY].name);
}

/* Verity=yes alone does not ask for a signature. */
static bool speaks_of(const Config *config, SignerRole role) {
        if (role == SIGNER_SECURE_BOOT)
                return config->secure_boot || config->secure_boot_key || config->secure_boot_certificate;
        return config->verity_key || config->verity_certificate;
}

static bool pair_is_there(const Config *config, SignerRole role) {
        const SignerSource source = signer_source(config, role);

        return is_there(source.key) && is_there(source.certificate);
}

int generate_keys(const Config *config, const char *const *words) {
        bool made = false;
        int r = 0;

        for (size_t i = 0; words && words[i] && r >= 0; i++)
                r = generate_named(config, words[i]);
        if (r < 0 || strv_length(words) > 0)
                return r;

        for (SignerRole role = 0; role < SIGNER_ROLE_MAX && r >= 0; role++)
                if (speaks_of(config, role) && !pair_is_there(config, role)) {
                        r = generate_pair(config, role);
                        made = true;
                }
        if (r < 0 || made)
                return r;
        /* This says what is there already. */
        return generate_pair(config,
                             !speaks_of(config, SIGNER_SECURE_BOOT) && speaks_of(config, SIGNER_VERITY)
                                     ? SIGNER_VERITY
                                     : SIGNER_SECURE_BOOT);
}
