/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/pacman-conf.h"
#include "distro/pacman-keys.h"
#include "distro/repository-keys.h"

#define FINGERPRINT_LENGTH 40
#define KEY_LIST_SIZE_MAX  (1 * MIB)
#define OWNER              "Packages of this image"
#define TRUSTED            "-trusted"
#define REVOKED            "-revoked"

const char *const pacman_key_lists[] = { TRUSTED, REVOKED, NULL };

/* No key is ever looked for elsewhere. */
static const char gpg_conf[] =
        "trust-model pgp\ndisable-dirmngr\nno-auto-key-locate\nno-greeting\nno-permission-warning\n";

/* The store under way. */
typedef struct Store {
        const HostRun *run;
        char **trusted, **revoked; /* fingerprints */
} Store;

static void store_done(Store *store) {
        strv_free(store->trusted);
        strv_free(store->revoked);
}

static bool is_fingerprint(const char *text, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (!isxdigit((unsigned char)text[i]))
                        return false;
        return length == FINGERPRINT_LENGTH;
}

/* As gpg writes them, whatever the case of their letters. */
static int append_fingerprint(const char *text, char ***list) {
        char fingerprint[FINGERPRINT_LENGTH + 1] = {};

        for (size_t i = 0; i < FINGERPRINT_LENGTH; i++)
                fingerprint[i] = (char)toupper((unsigned char)text[i]);
        return strv_append(list, fingerprint);
}

int pacman_key_list_parse(const char *text, char ***fingerprints) {
        while (*text) {
                const size_t length = strcspn(text, ": \t\r\n");

                if (is_fingerprint(text, length)) {
                        const int r = append_fingerprint(text, fingerprints);
                        if (r < 0)
                                return r;
                }
                text += strcspn(text, "\n");
                text += *text == '\n';
        }
        return 0;
}

void pacman_key_listing_done(PacmanKeyListing *listing) {
        strv_free(listing->fingerprints);
        strv_free(listing->expired);
        strv_free(listing->revoked);
        *listing = (PacmanKeyListing){};
}

static int take_fingerprint(PacmanKeyListing *listing, const char *fingerprint) {
        int r = append_fingerprint(fingerprint, &listing->fingerprints);
        if (r >= 0 && listing->validity == 'e')
                r = append_fingerprint(fingerprint, &listing->expired);
        if (r >= 0 && listing->validity == 'r')
                r = append_fingerprint(fingerprint, &listing->revoked);
        return r;
}

void pacman_key_listing_follow(PacmanKeyListing *listing, const char *line) {
        /* The fingerprint is field 10, which its record has no field in front of with anything in it. */
        const char *fingerprint = text_after_prefix(line, "fpr:::::::::");
        const char *primary = text_after_prefix(line, "pub:");

        if (!fingerprint) {
                listing->validity = primary ? primary[0] : 0;
                return;
        }
        if (listing->validity && is_fingerprint(fingerprint, strcspn(fingerprint, ":"))) {
                const int r = take_fingerprint(listing, fingerprint);
                if (r < 0)
                        listing->error = r;
        }
        listing->validity = 0;
}

static void follow_line(const char *line, void *userdata) {
        pacman_key_listing_follow(userdata, line);
}

/* Returns the exit status, when the listing is wanted; without one any failure is logged and a negative errno. */
static int run_gpg(const Store *store, const char *const *words, const char *doing,
                   PacmanKeyListing *listing) {
        static const char *const gpg[] = { "gpg",   "--homedir", PACMAN_GNUPG,   "--batch", "--no-tty",
                                           "--yes", "--quiet",   "--passphrase", "",        NULL };
        _cleanup_(strv_freep) char **arguments = NULL;
        _cleanup_(tool_log_done) ToolLog log = {};

        int r = strv_copy(gpg, &arguments);
        if (r >= 0)
                r = strv_extend(&arguments, words);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        const HostCommand command = {
                .argv = STRV(arguments),
                .doing = doing,
                .on_line = listing ? follow_line : NULL,
                .userdata = listing,
        };
        if (!listing)
                return host_run_command(store->run, &command);
        r = host_run_execute(store->run, &command, &log);
        return r >= 0 && listing->error < 0 ? log_error(listing->error, "Failed to %s: %m", doing) : r;
}

/* The list beside a key ring; returns 0 when there is none. */
static int read_list(const char *ring, const char *suffix, char **ret) {
        _cleanup_(freep) char *path = NULL;

        int r = repository_keys_beside(ring, suffix, &path);
        if (r < 0 || !path)
                return r;
        r = file_read(AT_FDCWD, path, KEY_LIST_SIZE_MAX, ret, NULL);
        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* How much the trusted keys' signatures below other keys count. */
static int import_trust(Store *store, const char *text) {
        static const char path[] = PACMAN_HOME "/trust";

        int r = pacman_key_list_parse(text, &store->trusted);
        if (r >= 0)
                r = file_write_text(store->run->directory_fd, path_base_name(path), text, 0600);
        if (r < 0)
                return log_error(r, "Failed to prepare the keys of packages: %m");
        return run_gpg(store, (const char *const[]){ "--import-ownertrust", path, NULL },
                       "read which keys are trusted", NULL);
}

/* The keys in the file, which lies at the path inside. */
static int list_keys(Store *store, const char *path, const char *ring, PacmanKeyListing *listing) {
        const int r = run_gpg(store, (const char *const[]){ "--show-keys", "--with-colons", path, NULL },
                              "look at the keys of packages", listing);

        return r >= 0 && !listing->fingerprints
                       ? log_error(-EBADMSG, "%s has no OpenPGP key in it: check RepositoryKeys=", ring)
                       : r;
}

static int trust_all(Store *store, const PacmanKeyListing *listing) {
        const int r = strv_extend(&store->trusted, STRV(listing->fingerprints));

        return r < 0 ? log_error(r, "Failed to prepare the keys of packages: %m") : 0;
}

/* The path is that of a copy, as it is inside: that of the ring may be out of sight there. */
static int import_file(Store *store, const char *ring, const char *path) {
        _cleanup_(freep) char *trusted = NULL, *revoked = NULL;
        _cleanup_(pacman_key_listing_done) PacmanKeyListing listing = {};
        const int has_list = read_list(ring, TRUSTED, &trusted);

        int r = has_list;
        if (r >= 0)
                r = read_list(ring, REVOKED, &revoked);
        if (r > 0)
                r = pacman_key_list_parse(revoked, &store->revoked);
        if (r < 0)
                return log_error(r, "Cannot read which keys of %s are trusted: %m", ring);

        r = list_keys(store, path, ring, &listing);
        if (r >= 0)
                r = run_gpg(store, (const char *const[]){ "--import", path, NULL },
                            "read the keys of packages", NULL);
        if (r < 0)
                return r;
        /* In this order: a key that is new to the store has no trust. */
        return has_list ? import_trust(store, trusted) : trust_all(store, &listing);
}

/* All that has been imported. */
static int list_store(const Store *store, PacmanKeyListing *listing) {
        const int r = run_gpg(store, (const char *const[]){ "--list-keys", "--with-colons", NULL },
                              "look at the keys of packages", listing);

        return r > 0 ? log_error(-EIO, "Failed to look at the keys of packages: gpg ended with status %d", r)
                     : r;
}

static int remove_revoked(const Store *store, const PacmanKeyListing *listing) {
        _cleanup_(strv_freep) char **words = NULL;

        int r = strv_append(&words, "--delete-keys");
        for (size_t i = 0; r >= 0 && store->revoked && store->revoked[i]; i++)
                if (strv_contains(STRV(listing->fingerprints), store->revoked[i]))
                        r = strv_append(&words, store->revoked[i]);
        if (r < 0)
                return log_error(r, "Failed to prepare the keys of packages: %m");
        if (strv_length(STRV(words)) == 1)
                return 0;
        return run_gpg(store, STRV(words), "remove keys that were revoked", NULL);
}

/* gpg signs no key that is good for nothing, so who gave it has to know. */
static int trust_key(const Store *store, const PacmanKeyListing *listing, const char *fingerprint) {
        const bool expired = strv_contains(STRV(listing->expired), fingerprint);

        if (strv_contains(STRV(store->revoked), fingerprint))
                return 0;
        if (expired || strv_contains(STRV(listing->revoked), fingerprint)) {
                log_warning(
                        "The key %s is not trusted, it %s: get a newer one, or update the keys of the host",
                        fingerprint, expired ? "has expired" : "was revoked");
                return 0;
        }
        return run_gpg(store, (const char *const[]){ "--quick-lsign-key", fingerprint, NULL },
                       "trust the keys of packages", NULL);
}

static int make_store(const HostRun *run) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (mkdirat(run->directory_fd, path_base_name(PACMAN_GNUPG), 0700) < 0)
                return -errno;
        fd = openat(run->directory_fd, path_base_name(PACMAN_GNUPG), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        const int r = file_write_text(fd, "gpg.conf", gpg_conf, 0600);
        /* pacman looks for the older of gpg's two kinds of files, which is used where it is. */
        return r < 0 ? r : file_write_text(fd, "pubring.gpg", "", 0600);
}

/* Where gpg finds them inside. */
static int copy_rings(const HostRun *run, char ***paths) {
        const Installation *installation = run->installation;
        _cleanup_(fd_closep) int keys_fd =
                path_open_below(run->directory_fd, PACMAN_KEYS, O_RDONLY | O_DIRECTORY, 0);

        return keys_fd < 0 ? keys_fd
                           : repository_keys_copy(installation->config, installation->distro, keys_fd,
                                                  PACMAN_HOME "/" PACMAN_KEYS, paths);
}

static int fill_store(Store *store, char *const *rings, char *const *paths) {
        _cleanup_(pacman_key_listing_done) PacmanKeyListing listing = {};
        int r = run_gpg(store,
                        (const char *const[]){ "--quick-generate-key", OWNER, "ed25519", "cert", "never",
                                               NULL },
                        "make a key", NULL);
        for (size_t i = 0; r >= 0 && rings && rings[i]; i++)
                r = import_file(store, rings[i], paths[i]);
        if (r >= 0)
                r = list_store(store, &listing);
        if (r >= 0)
                r = remove_revoked(store, &listing);
        for (size_t i = 0; r >= 0 && store->trusted && store->trusted[i]; i++)
                r = trust_key(store, &listing, store->trusted[i]);
        return r < 0 ? r
                     : run_gpg(store, (const char *const[]){ "--check-trustdb", NULL },
                               "find out which keys are trusted", NULL);
}

int pacman_keys_prepare(const HostRun *run) {
        _cleanup_(store_done) Store store = { .run = run };
        _cleanup_(strv_freep) char **rings = NULL, **paths = NULL;

        assert(run);

        int r = make_store(run);
        if (r == -EEXIST)
                return 0;
        if (r >= 0)
                r = repository_keys_find(run->installation->config, run->installation->distro, &rings);
        if (r >= 0)
                r = copy_rings(run, &paths);
        if (r < 0)
                return log_error(r, "Failed to prepare the keys of packages: %m");
        return fill_store(&store, rings, paths);
}
