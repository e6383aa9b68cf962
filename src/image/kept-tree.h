/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Trees that Incremental= keeps beside the output for the next build: the base tree, once its packages are installed, and
 * what the development tree has in addition to it. A kept tree is used only when everything that went into it is as it was;
 * it is put into place whole, by a rename, so that there is never half of one. */

#include <sys/stat.h>

#include "config/config-load.h"
#include "distro/distro.h"
#include "image/kept-inputs.h"

typedef enum KeptKind {
        KEPT_BASE,        /* OUTPUT.cache-pre-inst */
        KEPT_DEVELOPMENT, /* OUTPUT.cache-pre-dev, above the base that it was made with */
        KEPT_MAX,
} KeptKind;

/* What is there of a kind, and whether it can be used. */
typedef struct KeptTree {
        bool wanted;        /* the build has such a tree */
        bool usable;        /* so that it need not be made */
        char **differences; /* if it is there and not usable: why not */
        KeptInputs inputs;  /* of this build */
} KeptTree;

void kept_tree_done(KeptTree *kept);

/* Collects what would go into the base tree. Reads files of the project; may run a program of the host to ask for its
 * version. */
int kept_tree_collect_base(const LoadedConfig *loaded, const Distro *distro, KeptInputs *inputs);

/* Adds what the development tree has in addition. */
int kept_tree_add_build_packages(const Config *config, KeptInputs *inputs);

/* Collects what would go into the tree, and compares it with what is kept, which must also be as it was left. The development
 * tree is looked at after the base tree, and given that. */
int kept_tree_look(const LoadedConfig *loaded, const Distro *distro, KeptKind kind, const KeptTree *base,
                   KeptTree *ret);

/* Logs why something that is kept cannot be used. */
void kept_tree_say(const KeptTree *kept, KeptKind kind);

/* "base tree", for messages. */
const char *kept_kind_title(KeptKind kind);
/* The directory that has all of the kind. */
int kept_tree_directory(const Config *config, KeptKind kind, char **ret);
/* What is kept: a whole tree, or, of the development tree, what changes of an overlay above the base tree. -ENOENT when there
 * is none. */
int kept_tree_content(const Config *config, KeptKind kind, char **ret, bool *ret_changes);

/* A file that was written when the tree was complete: which one it is, and when that was. -ENOENT when there is no tree. */
int kept_tree_stat(const Config *config, KeptKind kind, struct stat *ret);

/* Keeps the directory at the path, which is moved, with its inputs. What was kept before ends up in the workspace, a
 * directory on the same file system, to be deleted with it. */
int kept_tree_store(const Config *config, KeptKind kind, const KeptTree *kept, const char *content,
                    bool changes, const char *workspace);

/* Deletes what is kept of the kind. */
int kept_tree_remove(const Config *config, KeptKind kind);
