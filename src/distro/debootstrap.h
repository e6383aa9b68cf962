/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/distro.h"

/* Makes the base tree: what the archive calls required, apt, and the distribution's base packages. */
int debootstrap_run(const Installation *installation);

/* The arguments, for tests and for messages. */
int debootstrap_arguments(const Installation *installation, char ***ret);

/* The version of the host's debootstrap; NULL when it does not tell. */
int debootstrap_version(const Config *config, char **ret);

/* Whether the host's debootstrap has a script of its own for the suite. */
bool debootstrap_knows(const char *suite);
