/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The whole build on one page: which steps there are, in which order, and which of them a configuration wants. */

#include <stdio.h>

#include "image/image.h"

#define STEP_ALWAYS SIZE_MAX /* no setting asks for the step */

/* What kind of kept tree stands in for the step, if it can be used. */
typedef enum StepPart {
        STEP_ALWAYS_NEEDED,
        STEP_OF_BASE,
        STEP_OF_DEVELOPMENT,
} StepPart;

typedef struct Step {
        const char *name;  /* one word, "packages" */
        const char *doing; /* shown while it runs: "Installing packages" */
        size_t because; /* offset of the Config member that asks for it, or STEP_ALWAYS, for `mkosi plan` */
        bool (*wanted)(const Config *config); /* NULL: always */
        int (*run)(Image *image);
        StepPart part;
        int (*detail)(const Config *config,
                      char **ret); /* what exactly, for `mkosi plan`; NULL: nothing to add */
} Step;

extern const Step plan_steps[];
extern const size_t plan_n_steps;

/* Whether the configuration wants the step, and no tree that is kept makes it needless. */
bool plan_step_wanted(const Step *step, const Config *config, const KeptTree kept[static KEPT_MAX]);

/* Prints the steps in order, what each will do, and the setting and place that asks for it; and what is kept, or why it cannot be used. Nothing is to be done if that is
 * the output. */
int plan_print(const LoadedConfig *loaded, const KeptOutput *output, const KeptTree kept[static KEPT_MAX],
               FILE *file);

/* The steps' functions; each is in the file that its name says. */
int step_workspace(Image *image);        /* step-output.c */
int step_skeleton_trees(Image *image);   /* step-tree.c */
int step_bootstrap(Image *image);        /* step-tree.c */
int step_packages(Image *image);         /* step-tree.c */
int step_build_packages(Image *image);   /* step-tree.c */
int step_extra_trees(Image *image);      /* step-tree.c */
int step_keep_base(Image *image);        /* step-keep.c */
int step_keep_development(Image *image); /* step-keep.c */
int step_final_tree(Image *image);       /* step-keep.c: the image's tree above the base tree that is kept */
int step_development(Image *image);      /* step-build.c: the tree in which sources are built */
int step_sources(Image *image);          /* step-build.c */
int step_build(Image *image);            /* step-build.c: runs the build script, and removes that tree */
int step_build_results(Image *image);    /* step-build.c */
int step_prepare(Image *image);          /* step-build.c; this and the next two on the tree under way */
int step_postinst(Image *image);         /* step-build.c */
int step_finalize(Image *image);         /* step-build.c */
int step_clean(Image *image);            /* step-tree.c */
int step_hostname(Image *image);         /* step-root.c: host name, file system tables */
int step_password(Image *image);         /* step-root.c */
int step_first_boot(Image *image);       /* step-root.c: machine ID, random seed */
int step_initrd(Image *image);           /* step-boot.c */
int step_boot(Image *image);             /* step-boot.c */
int step_sign_boot(Image *image);        /* step-sign-boot.c */
int step_assemble(Image *image);         /* step-assemble.c */
int step_encrypt(Image *image);          /* step-encrypt.c */
int step_finish(Image *image);           /* step-finish.c */
int step_convert(Image *image);          /* step-pack.c */
int step_compress(Image *image);         /* step-pack.c */
int step_archive(Image *image);          /* step-pack.c */
int step_tree(Image *image);             /* step-output.c */
int step_root_hash(Image *image);        /* step-beside.c */
int step_nspawn(Image *image);           /* step-beside.c */
int step_bmap(Image *image);             /* step-beside.c */
int step_manifest(Image *image);         /* step-beside.c */
int step_checksums(Image *image);        /* step-beside.c */
int step_sign(Image *image);             /* step-beside.c */
int step_sign_request(Image *image);     /* step-sign-request.c */
int step_publish(Image *image);          /* step-output.c */
