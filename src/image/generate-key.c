/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/new-file.h"
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

static int fail_to_place(const char *path, int r) {
        if (r == -EEXIST)
                return log_error(r, "%s exists, and is not replaced: what it has signed would be lost", path);
        return log_error(r, "Cannot put %s into place: %m", path);
}

/* To the user who called sudo, if the directory is his. */
static int give(const NewFile *file) {
        _cleanup_(freep) char *parent = NULL;

        const int r = path_parent(file->path, &parent);
        return r < 0 ? r : caller_give(file->fd, parent);
}

static int write_file(const Config *config, NewFile *file, const void *data, size_t size, mode_t mode) {
        int r = new_file_open(file);
        if (r < 0)
                return log_error(r, "Cannot create %s: %m", file->path);
        r = fd_write_all(file->fd, data, size);
        if (r >= 0 && !config->no_chown)
                r = give(file);
        if (r >= 0)
                r = new_file_finish(file, mode);
        return r < 0 ? log_error(r, "Cannot write %s: %m", file->path) : 0;
}

/* Both or none. The certificate comes first: whoever is killed in between leaves nothing secret, and nothing that could be
 * taken for a key that is in use. */
static int place_pair(NewFile *key, NewFile *certificate) {
        int r = new_file_place(certificate);
        if (r < 0)
                return fail_to_place(certificate->path, r);
        r = new_file_place(key);
        if (r >= 0)
                return 0;
        (void)unlink(certificate->path);
        return fail_to_place(key->path, r);
}

static bool is_there(const char *path) {
        struct stat status;

        return lstat(path, &status) == 0;
}

/* The same name, by whatever way the path leads to it. */
static bool is_same(const char *a, const char *b) {
        _cleanup_(freep) char *a_parent = NULL, *b_parent = NULL;
        struct stat a_status, b_status;

        return text_equal(path_base_name(a), path_base_name(b)) && path_parent(a, &a_parent) >= 0 &&
               path_parent(b, &b_parent) >= 0 && stat(a_parent, &a_status) == 0 &&
               stat(b_parent, &b_status) == 0 && a_status.st_dev == b_status.st_dev &&
               a_status.st_ino == b_status.st_ino;
}

/* Before the work, so that what is there is not found out behind it only. */
static int check_places(const SignerRow *row, const SignerSource *source) {
        const char *key_setting = config_setting(row->key)->name,
                   *certificate_setting = config_setting(row->certificate)->name;
        const bool has_key = is_there(source->key), has_certificate = is_there(source->certificate);

        if (path_is_uri(source->key))
                return log_error(-EINVAL, "%s=%s is no file, and genkey makes nothing but files", key_setting,
                                 source->key);
        if (is_same(source->key, source->certificate))
                return log_error(-EINVAL,
                                 "%s=%s and %s=%s are the same file: a key and its certificate need two",
                                 key_setting, source->key, certificate_setting, source->certificate);
        if (has_key && has_certificate)
                return fail_to_place(source->key, -EEXIST);
        if (has_key)
                return log_error(
                        -EEXIST,
                        "The key %s exists without its certificate %s, and is not replaced: find that, "
                        "make one with openssl req -x509, or move the key away",
                        source->key, source->certificate);
        if (has_certificate)
                return log_error(
                        -EEXIST,
                        "The certificate %s exists without its key %s, and is not replaced: if the key "
                        "is nowhere else, as after a genkey that was killed, remove it",
                        source->certificate, source->key);
        return 0;
}

static int generate(const Config *config, SignerRole role, Secret **ret_key, char **ret_certificate) {
        const char *passphrase_file = signer_source(config, role).passphrase_file;
        const char *common_name = role == SIGNER_SECURE_BOOT ? config->secure_boot_common_name : NULL;
        _cleanup_(secret_freep) Secret *passphrase = NULL;
        _cleanup_(reason_done) Reason reason = {};
        const int64_t now = (int64_t)time(NULL);
        const unsigned days =
                config->secure_boot_valid_days > 0 ? config->secure_boot_valid_days : VALID_DAYS_DEFAULT;

        int r = secret_guard_process();
        if (r < 0)
                return log_error(r, "Cannot keep others from looking into this process: %m");
        r = passphrase_file ? passphrase_file_load(passphrase_file, &passphrase) : 0;
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
        _cleanup_(new_file_done) NewFile key = NEW_FILE_INIT(source.key),
                                         certificate = NEW_FILE_INIT(source.certificate);
        _cleanup_(secret_freep) Secret *key_text = NULL;
        _cleanup_(freep) char *certificate_text = NULL;

        int r = check_places(&signer_rows[role], &source);
        if (r >= 0)
                r = generate(config, role, &key_text, &certificate_text);
        if (r >= 0)
                r = write_file(config, &key, key_text->bytes, key_text->size, 0600);
        if (r >= 0)
                r = write_file(config, &certificate, certificate_text, strlen(certificate_text), 0644);
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
