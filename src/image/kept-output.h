/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the output of an earlier build with Incremental= is what this build would make: when everything that went into it is
 * as it was, and it itself too, nothing has to be done. What it was made of is kept as OUTPUT.cache-output, which only its
 * owner may read. */

#include "config/config-load.h"
#include "distro/distro.h"
#include "image/artefact.h"
#include "image/kept-inputs.h"

typedef struct KeptOutput {
        bool wanted;        /* somebody asks for it */
        bool usable;        /* the output is there, and up to date */
        char **differences; /* if there is a record, and it is not: why not */
        KeptInputs inputs;  /* of this build */
} KeptOutput;

void kept_output_done(KeptOutput *kept);

/* Collects what goes into the output (every setting, every file that is read, the sources, whom files will belong to), and
 * compares it with what is kept. The umask is the caller's. */
int kept_output_look(const LoadedConfig *loaded, const Distro *distro, mode_t umask, KeptOutput *ret,
                     Reason *reason);

/* Keeps the inputs, with what was made of them and lies at its place now; by way of a directory on the same file system.
 * Failures leave the next build to do its work. */
int kept_output_store(const Config *config, const KeptOutput *kept, const char *workspace);

/* The file that is kept. */
int kept_output_path(const Config *config, char **ret);
