/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's pacman, run in a sandbox on the host's root with the tree beside. pacstrap is not needed: all it does
 * beyond pacman is to mount the file systems of the kernel into the tree, which the sandbox does, and to copy
 * configuration of the host. */

#include "distro/distro.h"
#include "distro/pacman-conf.h"

/* Brings the tree up to date and installs the packages, in one go. Doing is for messages, one for each action. */
int pacman_install(const Installation *installation, const char *const *packages,
                   const char *const doing[static PACMAN_ACTION_MAX]);
