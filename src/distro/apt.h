/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* debootstrap for the base tree, then the tree's own apt-get in the sandbox. */

#include "distro/distro.h"

extern const PackageManager package_manager_apt;
