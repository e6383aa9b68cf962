/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/terminal.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/passphrase-file.h"
#include "image/signer.h"

#define ATTEMPTS_MAX 3 /* at the terminal */

/* What nobody may have but the owner, and the group for reading. */
#define FOREIGN_MODE_KEY (S_IWGRP | S_IRWXO)

static bool wants_secure_boot(const Config *config) {
        return config->secure_boot && config->bootable;
}

static bool wants_verity_signature(const Config *config) {
        return config->verity && config->verity_certificate;
}

#define PAIR(member)                                                              \
        .key = CONFIG(member##_key), .certificate = CONFIG(member##_certificate), \
        .passphrase_file = CONFIG(member##_passphrase_file)

/* clang-format off */
const SignerRow signer_rows[] = {
        [SIGNER_SECURE_BOOT] = {
                .name = "secure-boot", .purpose = "SecureBoot=", PAIR(secure_boot),
                .key_name = "mkosi.secure-boot.key", .certificate_name = "mkosi.secure-boot.crt",
                .passphrase_name = "mkosi.secure-boot.passphrase",
                .common_name = "Secure Boot key made by mkosi",
                .not_valid = "firmware does not mind, but others may",
                .wanted = wants_secure_boot,
        },
        [SIGNER_VERITY] = {
                .name = "verity", .purpose = "Verity=", PAIR(verity),
                .key_name = "mkosi.verity.key", .certificate_name = "mkosi.verity.crt",
                .passphrase_name = "mkosi.verity.passphrase",
                .common_name = "dm-verity key made by mkosi",
                .not_valid = "the kernel does not mind, but others may",
                .wanted = wants_verity_signature,
        },
};
/* clang-format on */

bool signer_wanted(const Config *config, SignerRole role) {
        return signer_rows[role].wanted(config);
}

static const char *path_of(const Config *config, size_t offset) {
        return *(char *const *)((const char *)config + offset);
}

SignerSource signer_source(const Config *config, SignerRole role) {
        const SignerRow *row = &signer_rows[role];
        SignerSource source = {
                .key = path_of(config, row->key) ?: row->key_name,
                .certificate = path_of(config, row->certificate) ?: row->certificate_name,
                .passphrase_file = path_of(config, row->passphrase_file),
        };
        struct stat status;

        if (!source.passphrase_file && lstat(row->passphrase_name, &status) == 0)
                source.passphrase_file = row->passphrase_name;
        return source;
}

static int check_key_mode(const char *path, char ***problems) {
        _cleanup_(freep) char *said = NULL, *quoted = NULL;
        struct stat status;

        if (stat(path, &status) < 0 || !(status.st_mode & FOREIGN_MODE_KEY))
                return 0;
        int r = config_path_say(path, &said);
        if (r >= 0)
                r = text_quote(said, &quoted);
        if (r < 0)
                return r;
        return strv_append_format(
                problems,
                "%s holds a private key, and its mode %04o gives others access to it; run: chmod 600 %s",
                said, (unsigned)status.st_mode & 07777, quoted);
}

/* Whether places are kept in the variables that firmware enrolls. */
static bool reserves_variables(const Config *config, const SignerRow *row) {
        return row == &signer_rows[SIGNER_SECURE_BOOT] && config->sign_offline &&
               config->secure_boot_auto_enroll != SECURE_BOOT_ENROLL_OFF;
}

static int check_certificate(const Config *config, const SignerRow *row, const char *path, char ***problems) {
        _cleanup_(certificate_freep) Certificate *certificate = NULL;
        _cleanup_(reason_done) Reason reason = {};

        const int r = certificate_load(path, &certificate, &reason);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return strv_append_format(problems, "%s=: %s", config_setting(row->certificate)->name,
                                          reason_text(&reason, r));
        if (certificate->algorithm != SIGNATURE_RSA && reserves_variables(config, row))
                return strv_append_format(
                        problems,
                        "SecureBootAutoEnroll=%s needs an RSA key with SignOffline=yes: signatures by the EC "
                        "key of '%s' have no fixed size, so that no place can be kept for them",
                        secure_boot_enroll_words[config->secure_boot_auto_enroll], certificate->subject);
        return 0;
}

int signer_check(const Config *config, SignerRole role, char ***problems) {
        const SignerSource source = signer_source(config, role);
        int r = 0;

        if (!signer_wanted(config, role))
                return 0;
        const char *path = path_is_uri(source.key) ? path_of_uri(source.key) : source.key;
        if (!config->sign_offline && path)
                r = check_key_mode(path, problems);
        if (r >= 0 && !config->sign_offline && source.passphrase_file)
                r = passphrase_file_check(source.passphrase_file, problems);
        return r < 0 ? r : check_certificate(config, &signer_rows[role], source.certificate, problems);
}

/* A key that is being loaded. */
typedef struct Loading {
        const SignerRow *row;
        SignerSource source;
        char *said; /* the key, as messages name it */
} Loading;

static void loading_done(Loading *loading) {
        free(loading->said);
}

static int ask_passphrase(const Loading *loading, Secret **ret) {
        _cleanup_(freep) char *question = NULL;

        int r = text_format(&question, "Passphrase of the key %s: ", loading->said);
        if (r < 0)
                return r;
        r = terminal_ask_secret(question, PASSPHRASE_SIZE_MAX, ret);
        if (r == -ENOTTY)
                return log_error(
                        r,
                        "The key %s needs a passphrase, and there is no terminal to ask for it: put it into "
                        "%s, with mode 0600",
                        loading->said, loading->row->passphrase_name);
        if (r == -ENODATA)
                return log_error(r, "No passphrase was given for the key %s, so nothing can be signed",
                                 loading->said);
        return r < 0 && r != -EINTR
                       ? log_error(r, "Cannot ask for the passphrase of the key %s: %m", loading->said)
                       : r;
}

/* As signing_key_load(), but failures are logged. */
static int try_key(const Loading *loading, const Secret *passphrase, SigningKey **ret) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = signing_key_load(loading->source.key, passphrase, ret, &reason);
        return r < 0 ? log_error(r, "Cannot load the key %s for %s: %s", loading->said, loading->row->purpose,
                                 reason_text(&reason, r))
                     : r;
}

static int load_with_file(const Loading *loading, SigningKey **ret) {
        _cleanup_(secret_freep) Secret *passphrase = NULL;

        int r = passphrase_file_load(loading->source.passphrase_file, &passphrase);
        if (r < 0)
                return r;
        r = try_key(loading, passphrase, ret);
        if (r > 0)
                return log_error(-EKEYREJECTED,
                                 "The passphrase in %s is not that of the key %s, or the key is damaged",
                                 loading->source.passphrase_file, loading->said);
        return r;
}

static int load_key(const Loading *loading, SigningKey **ret) {
        if (loading->source.passphrase_file)
                return load_with_file(loading, ret);

        int r = try_key(loading, NULL, ret);
        for (unsigned n = 0; r > 0 && n < ATTEMPTS_MAX; n++) {
                _cleanup_(secret_freep) Secret *passphrase = NULL;

                if (n > 0)
                        log_warning("That is not the passphrase of the key %s, or the key is damaged",
                                    loading->said);
                r = ask_passphrase(loading, &passphrase);
                if (r < 0)
                        return r;
                r = try_key(loading, passphrase, ret);
        }
        return r > 0 ? log_error(-EKEYREJECTED, "The key %s was not opened, so nothing can be signed",
                                 loading->said)
                     : r;
}

static void warn_of_validity(const SignerRow *row, const Certificate *certificate) {
        const int64_t now = (int64_t)time(NULL);

        if (now < certificate->not_before)
                log_warning("The certificate '%s' is not valid yet", certificate->subject);
        if (now > certificate->not_after)
                log_warning("The certificate '%s' has expired; %s", certificate->subject, row->not_valid);
}

static int load_certificate(const Loading *loading, Certificate **ret) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = certificate_load(loading->source.certificate, ret, &reason);
        if (r < 0)
                return log_error(r, "Cannot load the certificate for %s: %s", loading->row->purpose,
                                 reason_text(&reason, r));
        warn_of_validity(loading->row, *ret);
        return 0;
}

int signer_new(const Config *config, SignerRole role, Signer **ret) {
        _cleanup_(signer_freep) Signer *signer = calloc(1, sizeof(*signer));
        _cleanup_(loading_done) Loading loading = { &signer_rows[role], signer_source(config, role) };
        _cleanup_(reason_done) Reason reason = {};

        if (!signer)
                return -ENOMEM;
        int r = config_path_say(loading.source.key, &loading.said);
        if (r >= 0)
                r = load_certificate(&loading, &signer->certificate);
        if (r >= 0 && !config->sign_offline) {
                r = load_key(&loading, &signer->key);
                if (r < 0)
                        return r;
                r = signing_key_check(signer->key, signer->certificate, &reason);
                if (r < 0)
                        return log_error(r, "Cannot sign with %s: %s", loading.said, reason_text(&reason, r));
        }
        if (r < 0)
                return r;

        *ret = TAKE_PTR(signer);
        return 0;
}

void signer_free(Signer *signer) {
        if (!signer)
                return;
        signing_key_free(signer->key);
        certificate_free(signer->certificate);
        free(signer);
}

void signer_forget_key(Signer *signer) {
        signing_key_free(TAKE_PTR(signer->key));
}
