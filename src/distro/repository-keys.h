/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public keys that packages are to be signed by: those that the configuration names, where the package manager
 * takes such, else those that the host has of the distribution. */

#include "distro/distro.h"

/* Appends the files, in the order of their names where a directory was named; none are found when there are none. What
 * a manager keeps beside its keys is none of them, nor is what begins with a dot. */
int repository_keys_find(const Config *config, const Distro *distro, char ***files);

/* The same with what lies beside them: all files that decide who is trusted. */
int repository_keys_find_all(const Config *config, const Distro *distro, char ***files);

/* The path of what lies beside a key ring, and need not be there: "/etc/NAME.gpg" and "-trusted" make
 * "/etc/NAME-trusted". NULL when the file is none that can have such. */
int repository_keys_beside(const char *path, const char *suffix, char **ret);

/* Appends to problems what is wrong with them: none at all, unreadable ones, others than the manager reads. */
int repository_keys_check(const Config *config, const Distro *distro, char ***problems);

/* Copies those that repository_keys_find() finds to the directory under numbers, in the same order, and appends a path
 * for each: prefix, "/", number. */
int repository_keys_copy(const Config *config, const Distro *distro, int directory_fd, const char *prefix,
                         char ***paths);
