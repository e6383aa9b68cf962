/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public keys that packages are to be signed by: those that the configuration names, else those that the host has. */

#include "distro/distro.h"

/* Appends the files, in the order of their names where a directory was named; none are found when there are none. */
int repository_keys_find(const Config *config, const char *const *host_files, char ***files);

/* Appends to problems what is wrong with them: none at all, unreadable ones, other things than public keys in ASCII armour.
 * keys_at: where people find them. */
int repository_keys_check(const Config *config, const Distro *distro, const char *const *host_files,
                          const char *keys_at, char ***problems);

/* Copies them to the directory under numbers, and appends a path for each: prefix, "/", number. */
int repository_keys_copy(const Config *config, const char *const *host_files, int directory_fd,
                         const char *prefix, char ***paths);
