/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Distributions: a row each, naming the package manager that installs it. */

#include "base/macro.h"
#include "base/progress.h"
#include "config/config.h"
#include "sandbox/sandbox.h"

typedef struct Distro Distro;
typedef struct AptArchive AptArchive;       /* apt-sources.h */
typedef struct ZypperArchive ZypperArchive; /* zypper-config.h */
typedef struct DnfArchive DnfArchive;       /* dnf-config.h */
typedef struct PacmanArchive PacmanArchive; /* pacman-conf.h */

/* One tree being installed. */
typedef struct Installation {
        const Config *config;
        const Distro *distro;
        const char *root;      /* absolute path of the tree, an empty directory at first */
        const char *workspace; /* absolute path of a private directory for generated configuration and logs */
        const char *cache;     /* absolute path of the package cache, NULL: none is kept */
        Progress *progress;    /* may be NULL */
} Installation;

/* A package that is installed in a tree. */
typedef struct DistroPackage {
        char *name, *version, *architecture;
} DistroPackage;

typedef struct DistroPackages {
        DistroPackage *items;
        size_t n_items;
} DistroPackages;

#define DISTRO_PACKAGES_MAX 1000000

/* Appends a package, whose texts are the list's then, or freed on failure. -EFBIG when there are too many. */
int distro_packages_take(DistroPackages *packages, DistroPackage package);
/* Sorts by name, then architecture, then version. */
void distro_packages_sort(DistroPackages *packages);
void distro_packages_done(DistroPackages *packages);

/* Which keys a package manager takes. */
typedef enum KeyForm {
        KEY_FORM_RING,     /* the host's own key ring alone: RepositoryKeys= has no effect */
        KEY_FORM_ARMOURED, /* public keys in ASCII armour */
        KEY_FORM_ANY,      /* whatever gpg reads */
} KeyForm;

typedef struct PackageManager {
        const char *name;
        KeyForm key_form;
        const char *const *
                key_lists; /* ends of names of what lies beside key rings, NULL: nothing does; see repository-keys.h */
        /* All reasons why this host cannot do it (missing programs, with the package that has them; missing key
         * rings), each appended to problems; NULL: none. Runs before anything is downloaded. */
        int (*check)(const Config *config, const Distro *distro, char ***problems);
        /* The version of what it runs on the host, for trees that are kept; NULL, or NULL as the answer: nothing
         * tells. */
        int (*version)(const Config *config, char **ret);
        const char *const *programs; /* of the host that it consists of, for the same; NULL-terminated */
        int (*bootstrap)(const Installation *installation); /* base tree */
        int (*install)(const Installation *installation,
                       const char *const *packages);    /* more packages into it */
        int (*clean)(const Installation *installation); /* lists, archives, leftovers */
        /* Appends what is installed, by the tree's own database. Failures are logged. */
        int (*list)(const Installation *installation, DistroPackages *packages);
} PackageManager;

/* What one release has otherwise than its distribution's row says. */
typedef struct DistroRelease {
        const char *name;                 /* NULL ends a list of these */
        const char *const *boot_packages; /* NULL: nothing otherwise; so it is with all that follow */
        const char *const *encrypt_packages;
        const char *const *verity_packages;
} DistroRelease;

struct Distro {
        const char *name;  /* word of Distribution= */
        const char *title; /* for people: "Debian" */
        const PackageManager *manager;
        /* Files of the host, with $releasever and $basearch: all that are there have keys that sign the packages. One
         * for KEY_FORM_RING. */
        const char *const *key_files;
        const char *key_package; /* of the host, has such a file */
        const char *keys_at;     /* where people find the keys; NULL for KEY_FORM_RING */
        const char *const *base_packages;
        /* For bootable trees: */
        const char *const *boot_packages;    /* common ones: boot loader, initrd generator */
        const char *const *encrypt_packages; /* with Encrypt=: what opens LUKS volumes */
        const char *const *verity_packages;  /* with Verity=: what opens the root in the initrd */
        const char *const *kernel_packages;  /* index: Architecture; NULL entry: not bootable there */
        const char *
                kernel_prefix; /* a package of Packages= that begins so replaces the kernel package; NULL: none */
        const char *const *kernel_names; /* and so does one of these; NULL: none */
        const char *const *
                root_packages; /* index: OutputFormat; what checks and grows the root file system, NULL: none */
        const DistroRelease *releases; /* exceptions; NULL: none */
        const char *const
                *architectures; /* index: Architecture; the distribution's own name ("amd64"), NULL: none */
        const AptArchive *apt;  /* for managers of that family, else NULL */
        const ZypperArchive *zypper; /* likewise */
        const DnfArchive *dnf;       /* likewise */
        const PacmanArchive *pacman; /* likewise */
};

/* NULL when the distribution is not there yet. */
const Distro *distro_find(unsigned distribution);

/* For people: "Arch Linux", and with a release, where there are such, "Fedora "44"". */
int distro_format_title(const Distro *distro, const Config *config, char **ret);

/* What a base tree is made for, for messages: "install Fedora "44" from MIRROR"; the mirror is that of Mirror=, else
 * the given one. */
int distro_format_bootstrap(const Installation *installation, const char *mirror, char **ret);

/* All packages the configuration asks for in the final image: base, boot, Packages=, each once. New list. */
int distro_packages(const Distro *distro, const Config *config, char ***ret);

/* Runs a command inside the tree (chroot-like sandbox with the network if asked for), its output to the log of the
 * workspace; a failure is logged with the command's last lines. `doing` names the purpose for messages: "configure the
 * initrd". 0 or a negative errno; -EINTR when interrupted. */
int distro_run_inside(const Installation *installation, const char *const *argv, bool network,
                      const char *doing);
