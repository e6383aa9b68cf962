/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which suites of which mirrors a release consists of, and sources.list(5) in the deb822 form that says so. Pure: no file
 * is read or written here. */

#include "base/macro.h"
#include "config/config.h"

/* One distribution's archive. */
typedef struct AptArchive {
        const char *mirror, *security_mirror;
        const char *ports_mirror;     /* has all architectures but x86 and x86-64; NULL: the same mirror */
        const char *mirror_directory; /* last component of a mirror's path, "debian", … */
        const char *
                security_directory; /* … and of the security archive's beside it; NULL: its suites are in every mirror */
        const char *mirror_domain;  /* hosts whose names end so are the archive's own */
        const char *component;      /* when Repositories= says nothing */
        const char *key_ring;       /* in trees */
        const char *sources_name;   /* below etc/apt/sources.list.d */
        const char *const *rolling; /* suites that get their updates by themselves */
        const char *const
                *old_security; /* releases whose security suite is NAME/updates, not NAME-security */
        const char *script;    /* of debootstrap, for suites that it has no script for */
} AptArchive;

typedef struct AptSource {
        char *mirror;
        char **suites;
} AptSource;

/* The release itself, its updates, its security updates: at most two mirrors. */
typedef struct AptSources {
        AptSource items[2];
        size_t n_items;
        bool security_unknown; /* the release has security updates, but the mirror does not tell where */
} AptSources;

void apt_sources_done(AptSources *sources);

/* The archive's own mirror for an Architecture. */
const char *apt_archive_mirror(const AptArchive *archive, unsigned architecture);

/* That which Mirror= names, else the archive's own. */
const char *apt_mirror(const AptArchive *archive, const Config *config);

/* Mirror NULL: the archive's main one. A security suite is taken from the archive's own server for the archive's own mirrors, else from the mirror itself or the
 * directory beside it; a mirror whose path does not tell has none. */
int apt_sources_choose(const AptArchive *archive, const char *release, const char *mirror, AptSources *ret);

/* Whether a suite is only looked for: updates that a mirror need not have. */
bool apt_sources_suite_is_optional(const char *suite, const char *release);

/* Takes a suite out again; one that is not there is fine. */
void apt_sources_drop(AptSources *sources, const char *suite);

/* The file's text. components NULL: the archive's default. */
int apt_sources_format(const AptArchive *archive, const AptSources *sources, const char *const *components,
                       char **ret);

/* Whether the text is a name that a suite can have: it ends up in arguments, URLs and files. */
bool apt_suite_is_valid(const char *suite);
