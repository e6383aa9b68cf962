/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/distro.h"

/* Makes the base tree: what the archive calls required, apt, and the distribution's base packages. */
int debootstrap_run(const Installation *installation);

/* The arguments, for tests and for messages. */
int debootstrap_arguments(const Installation *installation, char ***ret);

/* Whether the host's debootstrap has a script of its own for the suite. */
bool debootstrap_knows(const char *suite);
