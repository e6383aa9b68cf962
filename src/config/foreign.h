/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images whose programs this machine does not run by itself. */

#include "base/macro.h"
#include "config/config.h"

/* Whether a machine of this name (uname(2)) runs programs of the architecture by itself. */
bool foreign_is_native(Architecture architecture, const char *machine);

/* Whether this machine does not. */
bool foreign_from_here(Architecture architecture);

/* What a sandbox has to register so that the image's programs run in it (SandboxPolicy.binfmt). NULL when it is nothing: they
 * run by themselves, or the host's kernel knows them already; or when there is nothing to register. */
int foreign_registration(Architecture architecture, char **ret);

/* Whether the image's programs can be run here: appends why not, and what helps. Needs the privileges of a build. */
int foreign_check(Architecture architecture, char ***problems);

/* The same where they run in no sandbox of ours but in that of the program, which has what the host's kernel knows and no
 * more. NULL: in one of ours. */
int foreign_check_program(Architecture architecture, const char *program, char ***problems);

/* The same for a host that is given: its root directory, and its machine's name. With try_it, what is found
 * there to be registered is registered in a namespace that is gone at once. */
typedef struct ForeignHost {
        const char *root, *machine;
        const char *program; /* as above; NULL: a sandbox of ours */
        bool try_it;
} ForeignHost;

int foreign_check_for(Architecture architecture, const ForeignHost *host, char ***problems);
