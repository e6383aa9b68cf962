/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/distro.h"

extern const Distro distro_arch;
