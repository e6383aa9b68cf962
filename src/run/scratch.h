/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory for what a container needs outside of itself. It is locked as long as the container lives: one that is not was
 * left behind by a mkosi that was killed, and the next one removes it, with the cgroup that is noted in it. */

#include "base/macro.h"

typedef struct Scratch {
        char *path; /* PARENT/mkosi-run-XXXXXX, which nobody but root may enter */
        int fd;     /* of the directory, locked */
} Scratch;

/* Makes one in the directory, and removes what killed ones left there. */
int scratch_new(const char *parent, Scratch **ret);

/* Notes that the cgroup is to be removed as well. */
int scratch_note_cgroup(const Scratch *scratch, const char *cgroup);

/* Removes the directory with all that is in it, and the cgroup. Nothing may be mounted in it any more. */
void scratch_free(Scratch *scratch);
DEFINE_CLEANUP(Scratch, scratch_free)
