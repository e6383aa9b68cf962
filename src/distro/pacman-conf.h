/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pacman is told: its configuration and its arguments, as text. Pure: no file is read or written here. */

#include "base/macro.h"

/* One distribution's archive. */
typedef struct PacmanArchive {
        const char *mirror;
        const char *layout;              /* below a mirror: "$repo/os/$arch", in pacman's variables */
        const char *const *repositories; /* when Repositories= says nothing */
} PacmanArchive;

/* Where everything is while pacman runs: the same on every machine. */
#define PACMAN_NAME   "pacman"
#define PACMAN_HOME   "/run/" PACMAN_NAME /* generated configuration and keys */
#define PACMAN_CACHE  PACMAN_HOME "/cache"
#define PACMAN_CONFIG PACMAN_HOME "/pacman.conf"
#define PACMAN_GNUPG  PACMAN_HOME "/gnupg"
#define PACMAN_HOOKS  PACMAN_HOME "/hooks"

typedef struct PacmanConf {
        const PacmanArchive *archive;
        const char *mirror;              /* NULL or "": the archive's own */
        const char *const *repositories; /* NULL or empty: the archive's usual ones */
        const char *architecture;        /* by pacman's name */
        bool with_docs;
} PacmanConf;

/* The URL of a mirror's repositories in pacman's variables. A mirror that has variables of its own, as lists of
 * mirrors have them, is taken as it is. */
int pacman_conf_server(const PacmanArchive *archive, const char *mirror, char **ret);

/* pacman.conf(5), for a tree at DISTRO_TREE. */
int pacman_conf_format(const PacmanConf *conf, char **ret);

/* Whether the text can be the name of a repository: it ends up in a file and in URLs. */
bool pacman_repository_is_valid(const char *name);

/* What pacman does in one run. */
typedef enum PacmanAction {
        PACMAN_DOWNLOAD, /* reads the databases of the mirror, and fetches what the installation needs */
        PACMAN_INSTALL,  /* the packages, and newer ones for those that are there */
        PACMAN_ACTION_MAX,
} PacmanAction;

int pacman_arguments(PacmanAction action, const char *const *packages, char ***ret);
