/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/artefact.h"
#include "image/gnupg.h"
#include "image/verify-beside.h"
#include "verity/root-hash.h"

#define CHECKSUMS CHECKSUMS_NAME
#define SIGNATURE CHECKSUMS_SIGNATURE_NAME

#define SUMS_OBJECT      "check sums"
#define SIGNATURE_OBJECT "signature of the check sums"

#define CHECKSUMS_SIZE_MAX (16 * MIB)
#define ROOT_HASH_SIZE_MAX (4 * KIB)

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

/* The names in all lines, with their digits; NULL when a line is none, which is a result then. */
static int parse_lines(char **lines, VerifyResults *results, const char ***ret) {
        _cleanup_(freep) const char **pairs = calloc(2 * strv_length(STRV(lines)) + 1, sizeof(*pairs));

        if (!pairs)
                return -ENOMEM;
        for (size_t i = 0; lines && lines[i]; i++) {
                pairs[2 * i] = parse_line(lines[i], &pairs[2 * i + 1]);
                if (!pairs[2 * i])
                        return verify_add(results, VERIFY_FAILED, SUMS_OBJECT,
                                          "Line %zu of " CHECKSUMS " is none that sha256sum would write",
                                          i + 1);
        }
        *ret = TAKE_PTR(pairs);
        return 0;
}

/* It may be that of another image in the same directory. */
static int check_lines(Beside *beside, char **lines, VerifyResults *results) {
        _cleanup_(freep) const char **pairs = NULL;
        bool all_good = true, named = false;
        size_t n = 0;

        int r = parse_lines(lines, results, &pairs);
        if (r < 0 || !pairs)
                return r;
        for (; pairs[2 * n]; n++)
                named = named || text_equal(pairs[2 * n], beside->name);
        if (!named) {
                r = verify_add(results, VERIFY_ABSENT, SUMS_OBJECT,
                               CHECKSUMS " does not name %s, and says nothing of it", beside->name);
                return r < 0 ? r : 1;
        }
        for (size_t i = 0; i < n; i++) {
                bool good;

                r = check_file(beside, pairs[2 * i], pairs[2 * i + 1], results, &good);
                if (r < 0)
                        return r;
                all_good = all_good && good;
        }
        return all_good ? verify_add(results, VERIFY_OK, SUMS_OBJECT,
                                     "All %zu files are what " CHECKSUMS " says", n)
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

/* A key that nobody vouches for is one that anybody may have made. */
static int add_answer(const GnupgVerdict *verdict, VerifyResults *results) {
        static const struct {
                VerifyVerdict verdict;
                const char *meaning;
        } meanings[] = {
                [GNUPG_GOOD] = { VERIFY_OK, "Signed by" },
                [GNUPG_GOOD_KEY_EXPIRED] = { VERIFY_OK, "Signed with a key that has expired since:" },
                [GNUPG_BAD] = { VERIFY_FAILED, CHECKSUMS " was changed since it was signed by" },
                [GNUPG_KEY_REVOKED] = { VERIFY_FAILED, "Signed with a key that was revoked:" },
                [GNUPG_EXPIRED] = { VERIFY_FAILED, "The signature has expired, by" },
                [GNUPG_KEY_MISSING] = { VERIFY_ABSENT, "Signed with a key that GnuPG does not have:" },
        };
        static_assert(ELEMENTSOF(meanings) == GNUPG_UNREADABLE, "an answer has no meaning");

        if (verdict->answer == GNUPG_UNREADABLE)
                return verify_add(results, VERIFY_FAILED, SIGNATURE_OBJECT,
                                  SIGNATURE " is no signature that GnuPG can read");
        const VerifyVerdict meant = meanings[verdict->answer].verdict;
        const bool untrusted = meant == VERIFY_OK && !verdict->trusted;

        return verify_add(results, untrusted ? VERIFY_ABSENT : meant, SIGNATURE_OBJECT, "%s %s%s",
                          meanings[verdict->answer].meaning, verdict->signer,
                          untrusted ? ", whose key is not trusted: gpg --edit-key changes that" : "");
}

int verify_checksums_signature(const Config *config, const Beside *beside, VerifyResults *results) {
        _cleanup_(freep) char *signature = NULL, *sums = NULL;
        _cleanup_(gnupg_verdict_done) GnupgVerdict verdict = {};

        if (faccessat(beside->directory_fd, SIGNATURE, F_OK, 0) < 0)
                return verify_add(results, VERIFY_ABSENT, SIGNATURE_OBJECT, "There is no " SIGNATURE);
        int r = path_join(beside->parent, SIGNATURE, &signature);
        if (r >= 0)
                r = path_join(beside->parent, CHECKSUMS, &sums);
        if (r < 0)
                return r;
        r = gnupg_verify(config, signature, sums, &verdict);
        if (r == -ENOENT)
                return verify_add(results, VERIFY_ABSENT, SIGNATURE_OBJECT,
                                  "gpg, which could check it, is not installed");
        return r < 0 ? r : add_answer(&verdict, results);
}
