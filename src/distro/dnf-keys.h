/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public keys that packages are to be signed by: those that the configuration names, else those that the host has. */

#include "distro/distro.h"

/* Appends the files, in the order of their names where a directory was named; none is found when there are none. */
int dnf_keys_find(const Config *config, const Distro *distro, char ***files);

/* Whether the text of a file looks like a public key in ASCII armour. */
bool dnf_key_is_armoured(const char *text);

/* Copies them to the directory, named by numbers, and appends a URL for each, which is prefix, "/" and the name. */
int dnf_keys_copy(const Config *config, const Distro *distro, int directory_fd, const char *prefix,
                  char ***urls);
