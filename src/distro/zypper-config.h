/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration that zypper gets, and that of the rpm library below it: which repositories a release consists of, and
 * the .repo files that say so. Pure: no file is read or written here. */

#include "base/macro.h"

/* How the releases of a distribution lie in its mirrors. */
typedef enum ZypperLayout {
        ZYPPER_LAYOUT_ROLLING,       /* one release, which always moves on */
        ZYPPER_LAYOUT_ROLLING_PORTS, /* the same for architectures that have a place of their own in mirrors */
        ZYPPER_LAYOUT_UPDATES,       /* numbered releases with repositories of updates beside them */
        ZYPPER_LAYOUT_WHOLE,         /* numbered releases whose updates are in the same repository */
        ZYPPER_LAYOUT_MAX,
} ZypperLayout;

typedef struct ZypperRepository {
        const char *id; /* word of Repositories=; NULL ends a list of these */
        ZypperLayout layout;
        const char *path; /* below the mirror, with $releasever, $basearch, $port */
        bool optional;    /* only when Repositories= names it */
} ZypperRepository;

/* One distribution's archive. */
typedef struct ZypperArchive {
        const char *mirror;
        const ZypperRepository *repositories;
        const char *rolling;  /* the release that always moves on; dates of it, all digits, mean it as well */
        unsigned whole_since; /* the first numbered release of ZYPPER_LAYOUT_WHOLE */
        const char *const
                *ports; /* index: Architecture; directory below ports/ of mirrors, NULL: is no port */
} ZypperArchive;

typedef struct ZypperConfig {
        const ZypperArchive *archive;
        const char *release;
        const char *architecture;        /* as the distribution calls it */
        const char *port;                /* NULL: none */
        const char *mirror;              /* NULL or "": the archive's own */
        const char *const *repositories; /* NULL or empty: those that are not optional */
} ZypperConfig;

/* Whether the text can be the name of a release. */
bool zypper_release_is_valid(const ZypperArchive *archive, const char *release);

/* Only for valid releases, like what follows. */
ZypperLayout zypper_layout(const ZypperConfig *config);

/* Whether the repository is used. */
bool zypper_repository_is_chosen(const ZypperConfig *config, const ZypperRepository *repository);

/* The first word that is no repository of the release, NULL: there is none. */
const char *zypper_unknown_repository(const ZypperConfig *config);

/* A .repo file for a build: packages are kept, and index and packages must both be signed. */
int zypper_repository_format(const ZypperConfig *config, const ZypperRepository *repository, char **ret);

/* The same for the image, whose zypper looks for updates itself. */
int zypper_image_repository_format(const ZypperConfig *config, const ZypperRepository *repository,
                                   char **ret);

/* Where rpm's database is, relative to the tree, and rpm's macros, which override those of the host. */
#define ZYPPER_RPM_DATABASE "usr/lib/sysimage/rpm"
extern const char *const zypper_macros;

/* libzypp's own configuration. The architecture is NULL for this machine's; of another one, it has rpm not look at what the
 * packages are for. */
int zypper_library_configuration(bool with_docs, const char *architecture, char **ret);
