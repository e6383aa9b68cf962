/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The lock of an image that is run: nobody replaces it meanwhile, and who changes it has it alone. */

#include "config/config.h"

/* Locks the output, for as long as the descriptor is open: shared, with --persistent exclusively. Failures are logged; who
 * has it is named. */
int image_lock(const Config *config, int *ret_fd);
