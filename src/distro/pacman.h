/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's pacman, for Arch Linux. */

#include "distro/distro.h"

extern const PackageManager package_manager_pacman;
