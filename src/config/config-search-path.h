/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ExtraSearchPaths= may name variables of the environment. */

#include "config/config-load.h"

/* Replaces "$NAME" and "${NAME}" in every item, and drops items with a variable that is not set. */
int config_expand_search_path(LoadedConfig *loaded);

/* Where programs that run with the user's environment are looked for: in ExtraSearchPaths=, then in $PATH. A list with
 * colons. */
int config_search_path(const Config *config, char **ret);

/* The text with its variables replaced: 1, or 0 when one of them is not set. A '$' that begins no name stays. */
int search_path_expand(const char *text, char **ret);
