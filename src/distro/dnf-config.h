/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration that dnf gets, and that of the rpm library below it: which repositories a release consists of, and
 * dnf.conf(5) that says so. Nothing is written here. */

#include "distro/distro.h"

/* Texts of the next two may contain $releasever and $basearch. */
typedef struct DnfRepository {
        const char *id;        /* word of Repositories=; NULL ends a list of these */
        const char *mirrors;   /* without Mirror=: "metalink=URL", "mirrorlist=URL" */
        const char *path;      /* below Mirror= */
        const char *more_path; /* is tried when that is not there; NULL: none */
        bool optional;         /* only when Repositories= names it */
        const char *release;   /* belongs to this one; NULL: to all whose names are numbers */
} DnfRepository;

/* One distribution's archive. */
struct DnfArchive {
        const DnfRepository *repositories;
        const char *rolling;         /* the release whose name is no number; NULL: none */
        const char *module_platform; /* "platform:el$releasever"; NULL: has no modules */
        unsigned rpmdb_moved; /* the first release that has its database in /usr/lib/sysimage; 0: none has */
};

typedef struct DnfConfig {
        const DnfArchive *archive;
        const char *release, *architecture;
        const char *mirror;              /* NULL or "": the archive's own */
        const char *const *repositories; /* NULL or empty: those that are not optional */
        const char *const *keys;         /* URLs */
        bool with_docs;
        bool foreign; /* the architecture is another than this machine's */
} DnfConfig;

/* Whether the text can be the name of a release: a number, or the name of the rolling one. */
bool dnf_release_is_valid(const DnfArchive *archive, const char *release);

/* Whether the repository is used. */
bool dnf_repository_is_chosen(const DnfRepository *repository, const char *release,
                              const char *const *repositories);

/* NULL when the release has no repository of that identifier. */
const DnfRepository *dnf_repository_find(const DnfArchive *archive, const char *release, const char *id);

/* The text of dnf.conf. Whether a directory of this machine has a signed index is looked up in there, and then the
 * signature is to be checked. */
int dnf_config_format(const DnfConfig *config, char **ret);

/* Where rpm's database is, relative to the tree. */
const char *dnf_rpmdb(const DnfArchive *archive, const char *release);

/* rpm's macros, which override those of the host. */
int dnf_macros_format(const DnfArchive *archive, const char *release, char **ret);
