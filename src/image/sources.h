/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sources of the build script: what of BuildSources= it gets to see, by SourceFileTransfer=. */

#include "base/progress.h"
#include "base/reason.h"
#include "config/config.h"
#include "image/kept-inputs.h"

/* Appends what stands against handing over the sources as the configuration wants. */
int sources_check(const Config *config, char ***problems);

/* Adds all that would be copied. What is only mounted is looked at as if all of it were copied. */
int sources_add_inputs(const Config *config, KeptInputs *inputs, Reason *reason);

/* Copies the sources into the directory to, which is made. Owned by root, with modes, times, links and attributes user.*.
 * What mkosi makes or keeps there is left out whatever else is copied: outputs, workspaces, caches, the build directory;
 * and so are the secret files, under any name that they have there (image/secret-files.h). */
int sources_copy(const Config *config, const char *to, Progress *progress, Reason *reason);

/* Of sources that are shown as they are: the paths in them, relative, of the secret files, which are not to be shown. */
int sources_list_secrets(const Config *config, char ***ret, Reason *reason);
