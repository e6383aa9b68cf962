/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's zypper, run in a sandbox on the tree. */

#include "distro/distro.h"
#include "distro/zypper-config.h"

extern const PackageManager package_manager_zypper;

/* What a configuration asks for, in the words of zypper-config.h; all of it is borrowed. */
void zypper_config_make(const Config *config, const Distro *distro, ZypperConfig *ret);
