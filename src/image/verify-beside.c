/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/gnupg.h"
#include "image/verify-beside.h"
#include "verity/root-hash.h"

#define CHECKSUMS "SHA256SUMS"
#define SIGNATURE CHECKSUMS ".gpg"

#define SUMS_OBJECT      "check sums"
#define SIGNATURE_OBJECT "signature of the check sums"

#define CHECKSUMS_SIZE_MAX (16 * MIB)
#define ROOT_HASH_SIZE_MAX (4 * KIB)
#define STATUS_SIZE_MAX    (256 * KIB)

int verify_root_hash_file(const Beside *beside, VerifyDisk *disk) {
        _cleanup_(freep) char *name = NULL, *text = NULL;
        Sha256Digest digest;

        int r = beside_name(beside, ".roothash", &name);
        if (r < 0)
                return r;
        r = file_read(beside->directory_fd, name, ROOT_HASH_SIZE_MAX, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0 || root_hash_parse(text, &digest) < 0)
                return verify_add(&disk->results, VERIFY_FAILED, name, "It holds no root hash");
        return verify_disk_add_root_hash(disk, &digest, name);
}

/* A line of SHA256SUMS: digits, a blank, a blank or an asterisk, the name of a file of the same directory. */
static const char *parse_line(char *line, const char **ret_digits) {
        const size_t length = 2 * (size_t)SHA256_SIZE;

        if (strspn(line, "0123456789abcdefABCDEF") != length || line[length] != ' ' ||
            (line[length + 1] != ' ' && line[length + 1] != '*'))
                return NULL;
        line[length] = '\0';
        *ret_digits = line;
        const char *name = line + length + 2;
        return name[0] == '\0' || strchr(name, '/') ? NULL : name;
}

static int check_file(Beside *beside, const char *name, const char *digits, VerifyResults *results,
                      bool *ret_good) {
        char found[2 * SHA256_SIZE + 1];
        BesideFile file;

        *ret_good = false;
        const int r = beside_hash(beside, name, &file);
        if (r < 0)
                return r;
        if (r == 0)
                return verify_add(results, VERIFY_FAILED, SUMS_OBJECT,
                                  "There is no file %s, which " CHECKSUMS " names", name);
        sha256_format(&file.digest, found);
        *ret_good = strcasecmp(found, digits) == 0;
        return *ret_good ? 0
                         : verify_add(results, VERIFY_FAILED, SUMS_OBJECT,
                                      "%s is not what " CHECKSUMS " says", name);
}

static int check_lines(Beside *beside, char **lines, VerifyResults *results) {
        bool good = true, named = false;
        size_t n = 0;

        for (char **line = lines; line && *line; line++) {
                const char *digits = NULL, *file = parse_line(*line, &digits);
                bool file_good;

                if (!file)
                        return verify_add(results, VERIFY_FAILED, SUMS_OBJECT,
                                          "Line %zu of " CHECKSUMS " is none that sha256sum would write",
                                          n + 1);
                n++;
                named = named || text_equal(file, beside->name);
                const int r = check_file(beside, file, digits, results, &file_good);
                if (r < 0)
                        return r;
                good = good && file_good;
        }
        if (!named)
                return verify_add(results, VERIFY_FAILED, SUMS_OBJECT, CHECKSUMS " does not name %s",
                                  beside->name);
        return good ? verify_add(results, VERIFY_OK, SUMS_OBJECT, "All %zu files are what " CHECKSUMS " says",
                                 n)
                    : 0;
}

int verify_checksums(Beside *beside, VerifyResults *results) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *text = NULL;

        int r = file_read(beside->directory_fd, CHECKSUMS, CHECKSUMS_SIZE_MAX, &text, NULL);
        if (r == -ENOENT)
                return verify_add(results, VERIFY_ABSENT, SUMS_OBJECT, "There is no " CHECKSUMS);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return verify_add(results, VERIFY_FAILED, SUMS_OBJECT, "Cannot read " CHECKSUMS ": %s",
                                  file_read_error(r));
        r = strv_split(text, "\n", &lines);
        return r < 0 ? r : check_lines(beside, lines, results);
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

/* A key that nobody vouches for is one that anybody may have made. */
static int judge_good(const char *status, const char *meaning, const char *who, VerifyResults *results) {
        bool trusted;

        const int r = is_trusted(status, &trusted);
        if (r < 0)
                return r;
        return verify_add(results, trusted ? VERIFY_OK : VERIFY_ABSENT, SIGNATURE_OBJECT, "%s %s%s", meaning,
                          who, trusted ? "" : ", whose key is not trusted: gpg --edit-key changes that");
}

static int judge(const char *status, VerifyResults *results) {
        static const struct {
                const char *word;
                VerifyVerdict verdict;
                const char *meaning;
        } answers[] = {
                { "BADSIG", VERIFY_FAILED, CHECKSUMS " was changed since it was signed by" },
                { "REVKEYSIG", VERIFY_FAILED, "Signed with a key that was revoked:" },
                { "EXPSIG", VERIFY_FAILED, "The signature has expired, by" },
                { "EXPKEYSIG", VERIFY_OK, "Signed with a key that has expired since:" },
                { "GOODSIG", VERIFY_OK, "Signed by" },
                { "NO_PUBKEY", VERIFY_ABSENT, "Signed with a key that GnuPG does not have:" },
        };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                _cleanup_(freep) char *who = NULL;

                const int r = find_status(status, answers[i].word, &who);
                if (r < 0)
                        return r;
                if (who && answers[i].verdict == VERIFY_OK)
                        return judge_good(status, answers[i].meaning, who, results);
                if (who)
                        return verify_add(results, answers[i].verdict, SIGNATURE_OBJECT, "%s %s",
                                          answers[i].meaning, who);
        }
        return verify_add(results, VERIFY_FAILED, SIGNATURE_OBJECT,
                          SIGNATURE " is no signature that GnuPG can read");
}

int verify_checksums_signature(const Config *config, const Beside *beside, VerifyResults *results) {
        _cleanup_(freep) char *signature = NULL, *sums = NULL, *status = NULL;
        _cleanup_(fd_closep) int status_fd = -EBADF;

        if (faccessat(beside->directory_fd, SIGNATURE, F_OK, 0) < 0)
                return verify_add(results, VERIFY_ABSENT, SIGNATURE_OBJECT, "There is no " SIGNATURE);
        int r = path_join(beside->parent, SIGNATURE, &signature);
        if (r >= 0)
                r = path_join(beside->parent, CHECKSUMS, &sums);
        if (r < 0)
                return r;
        status_fd = memfd_create("status", MFD_CLOEXEC);
        if (status_fd < 0)
                return -errno;
        r = gnupg_verify(config, signature, sums, status_fd);
        if (r == -ENOENT)
                return verify_add(results, VERIFY_ABSENT, SIGNATURE_OBJECT,
                                  "gpg, which could check it, is not installed");
        if (r < 0)
                return r;
        if (lseek(status_fd, 0, SEEK_SET) < 0)
                return -errno;
        r = fd_read_file(status_fd, STATUS_SIZE_MAX, &status, NULL);
        return r < 0 ? r : judge(status, results);
}
