/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pacman leaves in a tree that no image should have, and what it writes that no two builds write alike. */

#include "base/macro.h"

/* Databases of mirrors, packages, logs, and caches. */
int pacman_remove_leftovers(int root_fd);

/* Makes no package installed later than that, in seconds since 1970. */
int pacman_clamp_dates(int root_fd, uint64_t date_max);

/* Puts the server, in pacman's variables, into the tree's list of mirrors, if there is such a list and no server in
 * it. */
int pacman_add_server(int root_fd, const char *server);
