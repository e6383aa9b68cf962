/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of results: what exists, putting something there, taking it away. */

#include "base/macro.h"
#include "config/config.h"

/* Moves the file or directory at `from` to the output's name, both on one file system, and makes that last (fsync of the
 * directory). With replace, what was there before is exchanged against it in one step, and ends up at `from`; without it
 * an existing one is -EEXIST. */
int output_publish(const char *from, const char *output, bool replace);

/* Appends the paths of this configuration's results that exist. */
int output_existing(const Config *config, char ***paths);

/* Appends what stands against putting results at their names: what is there already, unless it may be replaced, and
 * what cannot be replaced at all. */
int output_check(const Config *config, char ***problems);

/* Deletes results, and from -f on what the spec's table (3.6) says of caches; logs what it removes. */
int output_clean(const Config *config);

/* Empties the package cache, for -fff. */
int output_clean_package_cache(const Config *config);
