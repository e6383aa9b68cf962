/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The package manager dnf, of the host, for trees of RPM packages. */

#include "distro/distro.h"

extern const PackageManager package_manager_dnf;
