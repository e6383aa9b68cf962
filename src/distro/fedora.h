/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fedora, and the distributions that are made and installed as it is. */

#include "distro/distro.h"

extern const Distro distro_fedora, distro_centos, distro_alma, distro_rocky, distro_mageia;
