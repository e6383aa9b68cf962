/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verb verify: a finished image, and what lies beside it, looked at from outside. */

#include <stdio.h>

#include "config/config-load.h"
#include "verify/verify.h"

/* Looks at the image in the file, and prints one line for each result, or all of them as JSON. 0 when nothing failed, 1
 * when something did. Other failures are logged: there is no such image, or it cannot be read. */
int verify_image(const LoadedConfig *loaded, const char *path, bool json, Progress *progress, FILE *file);
