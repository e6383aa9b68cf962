/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "image/gnupg.h"

#define STATUS_SIZE_MAX (256 * KIB)

static int run(const Config *config, const char *const *words, const ProcessOptions *wish) {
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_(freep) char *search_path = NULL;
        ProcessOptions options = *wish;

        int r = strv_append(&argv, "gpg");
        if (r >= 0)
                r = strv_append(&argv, "--quiet");
        if (r >= 0)
                r = strv_append(&argv, "--batch");
        if (r >= 0)
                r = strv_extend(&argv, words);
        if (r >= 0)
                r = distro_search_path(config, &search_path);
        if (r < 0)
                return r;
        options.argv = STRV(argv);
        options.search_path = search_path;
        return process_run(&options);
}

int gnupg_check(const Config *config, char ***problems) {
        const char *const words[] = { "--list-secret-keys", "--with-colons", "--", config->key, NULL };
        _cleanup_(fd_closep) int list_fd = -EBADF;
        struct stat status;

        if (!config->sign || config->sign_offline)
                return 0;
        list_fd = memfd_create("keys", MFD_CLOEXEC);
        if (list_fd < 0)
                return -errno;
        const int r = run(config, words,
                          &(ProcessOptions){ .stdin_fd = -EBADF, .stdout_fd = list_fd, .quiet = true });
        if (r == -ENOENT)
                return strv_append(problems, "Sign=yes needs the program gpg: install the package gnupg");
        if (r < 0)
                return r;
        if (fstat(list_fd, &status) < 0)
                return -errno;
        if (config->key && (r > 0 || status.st_size == 0))
                return strv_append_format(
                        problems,
                        "Key=%s: GnuPG has no such secret key; gpg --list-secret-keys shows those it has",
                        config->key);
        if (r > 0 || status.st_size == 0)
                return strv_append(problems,
                                   "Sign=yes: GnuPG has no secret key; gpg --gen-key makes one, and it is "
                                   "looked for in $GNUPGHOME, else in $HOME/.gnupg");
        return 0;
}

int gnupg_sign(const Config *config, int from_fd, int to_fd) {
        const char *const with_key[] = { "--detach-sign", "--local-user", config->key, NULL };
        const char *const without[] = { "--detach-sign", NULL };

        const int r = run(config, config->key ? with_key : without,
                          &(ProcessOptions){ .stdin_fd = from_fd, .stdout_fd = to_fd });
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot run gpg: %m");
        if (r > 0)
                return log_error(-EKEYREJECTED,
                                 "Cannot sign SHA256SUMS: gpg ended with status %d, and says why above", r);
        return 0;
}

void gnupg_verdict_done(GnupgVerdict *verdict) {
        free(TAKE_PTR(verdict->signer));
}

/* Behind "[GNUPG:] WORD ", up to the end of the line; NULL: gpg did not say that word. */
static int find_status(const char *status, const char *word, char **ret) {
        _cleanup_(strv_freep) char **lines = NULL;

        *ret = NULL;
        int r = strv_split(status, "\n", &lines);
        for (char **line = lines; line && *line && r >= 0; line++) {
                const char *rest = text_after_prefix(*line, "[GNUPG:] ");

                rest = rest ? text_after_prefix(rest, word) : NULL;
                if (rest && (rest[0] == ' ' || rest[0] == '\0')) {
                        r = text_copy(text_strip((char *)rest), ret);
                        break;
                }
        }
        return r;
}

/* Whether the signer's key is one that the caller trusts: gpg says so behind a good signature. */
static int is_trusted(const char *status, bool *ret) {
        static const char *const words[] = { "TRUST_FULLY", "TRUST_ULTIMATE" };

        *ret = false;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_(freep) char *rest = NULL;

                const int r = find_status(status, words[i], &rest);
                if (r < 0)
                        return r;
                *ret = *ret || rest;
        }
        return 0;
}

/* GnuPG's doc/DETAILS, "--status-fd". A bad signature beside a good one is a bad one. */
static int judge(const char *status, GnupgVerdict *verdict) {
        static const struct {
                const char *word;
                GnupgAnswer answer;
        } answers[] = {
                { "BADSIG", GNUPG_BAD },     { "REVKEYSIG", GNUPG_KEY_REVOKED },
                { "EXPSIG", GNUPG_EXPIRED }, { "EXPKEYSIG", GNUPG_GOOD_KEY_EXPIRED },
                { "GOODSIG", GNUPG_GOOD },   { "NO_PUBKEY", GNUPG_KEY_MISSING },
        };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                const int r = find_status(status, answers[i].word, &verdict->signer);
                if (r < 0)
                        return r;
                if (!verdict->signer)
                        continue;
                text_tame(verdict->signer);
                verdict->answer = answers[i].answer;
                return is_trusted(status, &verdict->trusted);
        }
        verdict->answer = GNUPG_UNREADABLE;
        return 0;
}

int gnupg_verify(const Config *config, const char *signature, const char *path, GnupgVerdict *ret) {
        const char *const words[] = { "--status-fd", "1", "--verify", "--", signature, path, NULL };
        _cleanup_(fd_closep) int status_fd = memfd_create("status", MFD_CLOEXEC);
        _cleanup_(gnupg_verdict_done) GnupgVerdict verdict = {};
        _cleanup_(freep) char *status = NULL;

        assert(signature && path && ret);

        if (status_fd < 0)
                return -errno;
        /* Its exit status tells less than what it writes. */
        int r = run(config, words,
                    &(ProcessOptions){ .stdin_fd = -EBADF, .stdout_fd = status_fd, .quiet = true });
        if (r < 0)
                return r;
        if (lseek(status_fd, 0, SEEK_SET) < 0)
                return -errno;
        r = fd_read_file(status_fd, STATUS_SIZE_MAX, &status, NULL);
        if (r >= 0)
                r = judge(status, &verdict);
        if (r < 0)
                return r;
        *ret = verdict;
        verdict.signer = NULL;
        return 0;
}
