/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/tool-log.h"

#define MISSING_SUITES_MAX 16
#define LINE_SHOWN_MAX     300
#define ASKED              "[Y/n] "
#define STATUS_SIGNAL      128

#define NO_RELEASE_FILE "does not have a Release file."

#define NO_SPACE    "no space is left on the disk"
#define UNREACHABLE "the mirror cannot be reached, check Mirror= and the network"
#define NOT_TRUSTED \
        "the archive is not signed by a key that is trusted, check Mirror= and update the key ring of the host"
#define NOT_TRUSTED_REPOSITORY \
        "the repository is not signed by a key that is trusted, check Mirror=, and RepositoryKeys= or the keys of the host"
#define NOT_TRUSTED_PACKAGE \
        "a package is not signed by a key that is trusted, check Mirror=, and RepositoryKeys= or the keys of the host"
#define DAMAGED        "the mirror changed while it was read or is damaged, try again or take another Mirror="
#define NO_PACKAGE     "the release has no such package, check Packages= and Repositories="
#define NO_RELEASE     "the mirror has no such release, check Release= and Mirror="
#define LACKS_PACKAGES "the mirror lacks packages that it lists, try again or take another Mirror="
#define NO_FILE        "the mirror did not give a file, try again or take another Mirror="
#define FOREIGN \
        "this machine cannot run programs of that architecture, install package qemu-user-static or leave out Architecture="
#define UNSIGNED_PACKAGE "a package is not signed, check Mirror="
#define SCRIPT_FAILED    "a script of a package failed"
#define NOT_TRUSTED_EITHER \
        "the repository or a package is not signed by a key that is trusted, check Mirror=, and RepositoryKeys= or the keys of the host"
#define BAD_EITHER \
        "a signature is bad: its key was revoked, or files were changed on the way or on the mirror"
#define CONTRADICTION \
        "packages contradict each other or lack what they need, check Packages= and Repositories="
#define BAD_SIGNATURE "the archive's signature is bad, its files were changed on the way or on the mirror"

/* The first row that any line answers to is taken, so what is closer to the cause comes first. The texts are those of
 * debootstrap, wget, apt, dpkg, dnf, librepo, rpm, zypper, pacman in the C locale. */
/* clang-format off */
const ToolAnswer tool_answers[] = {
        { "No space left on device",                    -ENOSPC,  NO_SPACE },
        { "You don't have enough free space in",        -ENOSPC,  NO_SPACE },
        { "MB more space on the ",                      -ENOSPC,  NO_SPACE },
        { "Can't hardlink/copy ",                       -ENOSPC,  "a package cannot be copied from the mirror: no space is left on the disk, or the file cannot be read" },
        { "not enough free disk space",                 -ENOSPC,  NO_SPACE },
        { "more space needed on the ",                  -ENOSPC,  NO_SPACE },
        { "database or disk is full",                   -ENOSPC,  NO_SPACE },
        { "Exec format error",                          -ENOEXEC, FOREIGN },
        { "Unable to execute target architecture",      -ENOEXEC, FOREIGN },

        { "Release signed by unknown key",              -EKEYREJECTED, NOT_TRUSTED },
        { "Invalid Release signature",                  -EKEYREJECTED, BAD_SIGNATURE },
        { "Failed getting release signature file",      -EKEYREJECTED, "the archive is not signed" },
        { "Error executing gpgv",                       -EKEYREJECTED, "the archive's signature cannot be checked" },
        { "NO_PUBKEY",                                  -EKEYREJECTED, NOT_TRUSTED },
        { "BADSIG",                                     -EKEYREJECTED, BAD_SIGNATURE },
        { "The following signatures were invalid",      -EKEYREJECTED, BAD_SIGNATURE },
        { "Clearsigned file isn't valid",               -EKEYREJECTED, BAD_SIGNATURE },
        { "is not signed.",                             -EKEYREJECTED, "the archive is not signed" },
        { "repomd.xml GPG signature verification error", -EKEYREJECTED, BAD_SIGNATURE },
        { "not correct for this package",               -EKEYREJECTED, NOT_TRUSTED_PACKAGE },
        { "is not signed",                              -EKEYREJECTED, UNSIGNED_PACKAGE },
        { "GPG check FAILED",                           -EKEYREJECTED, NOT_TRUSTED_PACKAGE },
        { "has incorrect checksum",                     -EBADMSG, DAMAGED },
        { "checksum doesn't match",                     -EBADMSG, DAMAGED },
        { "Release file for",                           -ESTALE,  "the archive's index is too old or too new, check the clock and Mirror=" },
        { "Hash Sum mismatch",                          -EBADMSG, DAMAGED },
        { "File has unexpected size",                   -EBADMSG, DAMAGED },

        { "New repository or package signing key received", -EKEYREJECTED, NOT_TRUSTED_REPOSITORY },
        { "' is unsigned, continue?",                   -EKEYREJECTED, "the repository is not signed, check Mirror=" },
        { "' is signed with an unknown key",            -EKEYREJECTED, NOT_TRUSTED_REPOSITORY },
        { "Signature verification failed for file '",   -EKEYREJECTED, BAD_SIGNATURE },
        { "Signature verification failed [6-",          -EKEYREJECTED, UNSIGNED_PACKAGE },
        { "Signature verification failed [4-",          -EKEYREJECTED, NOT_TRUSTED_PACKAGE },
        { "Signature verification failed [",            -EKEYREJECTED, "a package's signature is bad, it was changed on the way or on the mirror" },
        { "missing required signature",                 -EKEYREJECTED, UNSIGNED_PACKAGE },
        { "\" is unknown trust",                        -EKEYREJECTED, NOT_TRUSTED_EITHER },
        { "\" is marginal trust",                       -EKEYREJECTED, NOT_TRUSTED_EITHER },
        { "\" should never be trusted",                 -EKEYREJECTED, NOT_TRUSTED_EITHER },
        { "\" is expired",                              -EKEYREJECTED, "a signature has expired, check Mirror= and the clock" },
        { ": signature from \"",                        -EKEYREJECTED, BAD_EITHER },
        { "required key missing from keyring",          -EKEYREJECTED, NOT_TRUSTED_EITHER },
        { "could not be looked up remotely",            -EKEYREJECTED, NOT_TRUSTED_EITHER },
        { "(PGP signature)",                            -EKEYREJECTED, BAD_EITHER },
        { "invalid or corrupted package",               -EBADMSG, DAMAGED },
        { "expected download size exceeded",            -EBADMSG, DAMAGED },
        { "could not open database",                    -EBADMSG, DAMAGED },
        { "Unrecognized archive format",                -EBADMSG, DAMAGED },

        { "error: target not found: ",                  -ENOENT,  NO_PACKAGE },
        { "No provider of '",                           -ENOENT,  NO_PACKAGE },
        { "Unable to locate package ",                  -ENOENT,  NO_PACKAGE },
        { "Couldn't find any package by ",              -ENOENT,  NO_PACKAGE },
        { "has no installation candidate",              -ENOENT,  NO_PACKAGE },
        { "Unable to find a match: ",                   -ENOENT,  NO_PACKAGE },
        { "No match for argument: ",                    -ENOENT,  NO_PACKAGE },
        { "Module or Group '",                          -ENOENT,  "the release has no such group of packages, check Packages= and Repositories=" },
        { "E: Version '",                               -ENOENT,  "the release has no such version of a package, check Packages=" },
        { "Couldn't find these debs: ",                 -ENOENT,  "the mirror lacks packages that every image needs, check Release=, Repositories= and Mirror=" },
        { "Invalid Release file, no entry for",         -ENOENT,  "the release has no such component or architecture, check Repositories= and Architecture=" },
        { "Invalid Release file, no valid components",  -ENOENT,  "the release has no such component, check Repositories=" },
        { "Asked to install suite",                     -ENOENT,  "the mirror has another release under that name, check Release= and Mirror=" },
        { "doesn't have the component",                 -ENOENT,  "the release has no such component, check Repositories=", .grave = true },

        { "dpkg: error processing ",                    -EIO,     "a package failed to install", .show_tail = true },
        { "E: Unable to correct problems",              -ENOENT,  "packages contradict each other, check Packages=", .show_tail = true },
        { "E: Unmet dependencies",                      -ENOENT,  "packages contradict each other, check Packages=", .show_tail = true },
        { "Failure trying to run:",                     -EIO,     "a package failed to install", .show_tail = true },

        { "command failed to execute correctly",        -EIO,     SCRIPT_FAILED, .show_tail = true, .grave = true },
        { "nothing provides ",                          -ENOENT,  CONTRADICTION, .show_tail = true },
        { "conflicting requests",                       -ENOENT,  CONTRADICTION, .show_tail = true },
        { " conflicts with ",                           -ENOENT,  CONTRADICTION, .show_tail = true },
        { "Problem: ",                                  -ENOENT,  CONTRADICTION, .show_tail = true },
        { "unable to satisfy dependency ",              -ENOENT,  CONTRADICTION, .show_tail = true },
        { "unresolvable package conflicts detected",    -ENOENT,  CONTRADICTION, .show_tail = true },
        { "(conflicting files)",                        -ENOENT,  CONTRADICTION, .show_tail = true },

        { "Temporary failure resolving",                -EHOSTUNREACH, UNREACHABLE },
        { "Could not resolve",                          -EHOSTUNREACH, UNREACHABLE },
        { "unable to resolve host address",             -EHOSTUNREACH, UNREACHABLE },
        { "Could not connect to",                       -EHOSTUNREACH, UNREACHABLE },
        { "Unable to connect to",                       -EHOSTUNREACH, UNREACHABLE },
        { "failed: Connection",                         -EHOSTUNREACH, UNREACHABLE },
        { "failed: No route to host",                   -EHOSTUNREACH, UNREACHABLE },
        { "failed: Network is unreachable",             -EHOSTUNREACH, UNREACHABLE },
        { "Failed to connect to ",                      -EHOSTUNREACH, UNREACHABLE },
        { "Connection timed out",                       -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (5)",                             -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (6)",                             -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (7)",                             -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (28)",                            -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (35)",                            -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (56)",                            -EHOSTUNREACH, UNREACHABLE },
        { "Curl error (60)",                            -EHOSTUNREACH, "the mirror's certificate is not trusted, check Mirror= and the clock" },
        { "Couldn't download packages:",                -EIO,     LACKS_PACKAGES },
        { "Couldn't download ",                         -EIO,     "the mirror lacks files that it lists, try again or take another Mirror=" },
        { "Failed getting release file",                -ENOENT,  NO_RELEASE },
        { NO_RELEASE_FILE,                              -ENOENT,  NO_RELEASE },
        { "Valid metadata not found at specified URL",  -ENOENT,  "the mirror has no such release or repository, check Release=, Repositories= and Mirror=" },
        { "Failed to provide Package ",                 -EIO,     LACKS_PACKAGES },
        { ".db' from ",                                 -ENOENT,  "the mirror has no such repository, check Repositories= and Mirror=" },
        { ".sig' from ",                                -EKEYREJECTED, UNSIGNED_PACKAGE },
        { "failed retrieving file ",                    -EIO,     NO_FILE },
        { "E: Failed to fetch ",                        -EIO,     NO_FILE },
        { "Cannot prepare internal mirrorlist: Status code: 404", -ENOENT, "the distribution has no such release, check Release=" },
        { "Failed to download metadata for repo",       -ENOENT,  NO_RELEASE },
        { "Error downloading packages:",                -EIO,     LACKS_PACKAGES },
        { "scriptlet failed, exit status",              -EIO,     SCRIPT_FAILED, .show_tail = true, .warning = true },
        {},
};

static const char *const shown[] = {
        "I: Retrieving ", "I: Validating ", "I: Extracting ", "I: Unpacking ", "I: Configuring ", "I: Resolving ",
        "  Installing       : ", "  Running scriptlet: ", "Get:", "Unpacking ", "Setting up ", "Removing ", "Processing triggers for ",
        "installing ", "upgrading ", ":: Running ",
        NULL,
};
/* clang-format on */

/* "E: The repository 'http://mirror/debian bookworm-updates Release' does not have a Release file." */
static int note_missing_suite(ToolLog *log, const char *line) {
        const char *end = strstr(line, " Release' " NO_RELEASE_FILE), *start = end;

        if (!end || strv_length(STRV(log->missing_suites)) >= MISSING_SUITES_MAX)
                return 0;
        while (start > line && start[-1] != ' ')
                start--;
        return strv_append_format(&log->missing_suites, "%.*s", (int)(end - start), start);
}

bool tool_log_is_grave(const ToolLog *log) {
        return log->answer && log->answer->grave;
}

bool tool_log_only_missing_suites(const ToolLog *log) {
        return log->missing_suites && text_equal(log->answer->sign, NO_RELEASE_FILE);
}

static const ToolAnswer *find_answer(const char *line) {
        for (const ToolAnswer *answer = tool_answers; answer->sign; answer++)
                if (strstr(line, answer->sign))
                        return answer;
        return NULL;
}

int tool_log_add(ToolLog *log, const char *line) {
        const ToolAnswer *answer = find_answer(line);
        int r;

        assert(log && line);

        if (answer && (!log->answer || answer < log->answer)) {
                r = text_replace(&log->answer_line, line);
                if (r < 0)
                        return r;
                log->answer = answer;
        }

        r = note_missing_suite(log, line);
        if (r < 0)
                return r;
        r = text_replace(&log->tail[log->n_lines % TOOL_LOG_TAIL], line);
        if (r < 0)
                return r;
        log->n_lines++;
        return 0;
}

void tool_log_done(ToolLog *log) {
        for (size_t i = 0; i < TOOL_LOG_TAIL; i++)
                free(log->tail[i]);
        free(log->answer_line);
        strv_free(log->missing_suites);
        *log = (ToolLog){};
}

/* Without the mark of an error or warning, which the message brings itself. */
static const char *own_words(const char *line) {
        static const char *const marks[] = { "E: ", "W: ", "Error: ", "error: " };
        const char *words = NULL, *asked = strstr(line, ASKED);

        /* What pacman asks stays without a line of its own, since nobody answers. */
        if (asked)
                line = asked + strlen(ASKED);
        for (size_t i = 0; i < ELEMENTSOF(marks) && !words; i++)
                words = text_after_prefix(line, marks[i]);
        if (!words)
                words = line;
        while (*words == ' ')
                words++;
        return words;
}

int tool_log_explain(const ToolLog *log, const char *doing, int status, char **ret, int *ret_error) {
        int r;

        if (log->answer)
                r = text_format(ret, "Failed to %s: %s (%.*s)", doing, log->answer->meaning, LINE_SHOWN_MAX,
                                own_words(log->answer_line));
        else if (status > STATUS_SIGNAL)
                r = text_format(ret, "Failed to %s: the program was killed by signal %d", doing,
                                status - STATUS_SIGNAL);
        else
                r = text_format(ret, "Failed to %s: the program ended with status %d", doing, status);
        if (r < 0)
                return r;

        *ret_error = log->answer ? log->answer->error : -EIO;
        return 0;
}

static void log_tail(const ToolLog *log) {
        const size_t first = log->n_lines > TOOL_LOG_TAIL ? log->n_lines - TOOL_LOG_TAIL : 0;

        for (size_t i = first; i < log->n_lines; i++)
                log_error_detail("  %.*s", LINE_SHOWN_MAX, log->tail[i % TOOL_LOG_TAIL]);
}

int tool_log_fail(const ToolLog *log, const char *doing, int status) {
        _cleanup_(freep) char *text = NULL;
        int error;

        const int r = tool_log_explain(log, doing, status, &text, &error);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);

        (void)log_error(error, "%s", text);
        if (!log->answer || log->answer->show_tail)
                log_tail(log);
        return error;
}

const char *tool_log_detail(const char *line) {
        for (size_t i = 0; shown[i]; i++) {
                if (!text_after_prefix(line, shown[i]))
                        continue;
                line = text_after_prefix(line, "I: ") ?: line;
                while (*line == ' ')
                        line++;
                return line;
        }
        return NULL;
}
