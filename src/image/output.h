/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The places of results: what exists there, putting new ones there, taking them away. */

#include "base/macro.h"
#include "image/artefact.h"

/* Moves a file or directory to a result's name, both on one file system. With replace, what was there before is exchanged
 * against it in one step, and ends up at `from`; without it an existing one is -EEXIST. */
int output_publish(const char *from, const char *output, bool replace);

/* Moves all artefacts to their names, or none: when one cannot be moved, what was done before is taken back. Nothing is ever
 * there that was not made together but for the time between two renames, and check sums that do not fit not even then:
 * they go first and come last. With replace, old results give way, and those of earlier builds of the same image that
 * this one did not make (a root hash, check sums that name the image) go with them. What gives way is moved to the
 * directory aside, for the caller to delete. Failures are logged. */
int output_publish_all(const Config *config, const Artefacts *artefacts, const char *aside, bool replace);

/* Appends the paths of results that exist: of those that the configuration makes, or of all that builds of this image can
 * have left. */
int output_existing(const Config *config, bool all, char ***paths);

/* Appends what stands against putting results at their names: names that are taken by each other or by what the build
 * reads, what is there already, unless it may be replaced, and what cannot be replaced at all or is being run at the moment. */
int output_check(const Config *config, char ***problems);

/* Whether something is mounted there, so that it can be neither replaced nor removed. */
bool output_is_mount_point(const char *path);

/* Whether the file with check sums names the output. */
bool output_checksums_are_about(const char *checksums, const char *output);
