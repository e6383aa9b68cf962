/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The private store of keys that pacman checks signatures by, made by the host's gpg as pacman-key(8) would make it: a
 * key of the store's own, which is thrown away with it, signs those that are trusted.
 *
 * A file "NAME.gpg" may have the lists "NAME-trusted" and "NAME-revoked" beside it, as pacman's own key rings do. Then
 * only the keys of the first are trusted by themselves: those that enough of them have signed are trusted by that, and
 * no other key is, nor any of the second. Of a file without such a list all keys are trusted. */

#include "distro/host-tool.h"

/* The ends of the names of these lists. */
extern const char *const pacman_key_lists[];

#define PACMAN_KEYS "keys" /* below the tool's directory, copies of what is imported */

/* Makes the store at PACMAN_GNUPG, if it is not there yet. Failures are logged. */
int pacman_keys_prepare(const HostRun *run);

/* Appends the fingerprints that a list begins its lines with ("FINGERPRINT:4:"), in capitals; other lines are none of
 * them. */
int pacman_key_list_parse(const char *text, char ***fingerprints);

/* Fingerprints of primary keys out of what `gpg --with-colons` says, line by line. */
typedef struct PacmanKeyListing {
        char **fingerprints;
        char **expired, **revoked; /* those of them that gpg signs no more */
        char validity;             /* of the primary key whose fingerprint is the next; 0: it is none's */
        int error;
} PacmanKeyListing;

void pacman_key_listing_done(PacmanKeyListing *listing);
void pacman_key_listing_follow(PacmanKeyListing *listing, const char *line);
