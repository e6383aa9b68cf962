/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Taking away what builds have made, and what they keep for later ones (spec 3.6). */

#include "config/config.h"

/* Deletes what is kept for later builds, as far as --force was given for a build: from the second on the trees that are
 * kept and what lies in the build directory, then what lies in the package cache. Logs what it removes. */
int clean_kept(const Config *config, unsigned force);

/* Deletes results, a tree that failed, what a killed build has left, and from -f on what is kept. Logs what it removes. */
int clean_output(const Config *config);
