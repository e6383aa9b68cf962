/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mounts of this process that nobody else sees, and that are gone with it. */

#include "base/macro.h"

/* From here on, what we mount is nobody else's; what others mount still arrives here. Only the first call does anything. */
int mount_namespace_leave(void);
