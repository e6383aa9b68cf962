/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verb attach: signatures that were made on another machine are put into the image that was built for them. */

#include "base/progress.h"
#include "config/config.h"

/* Puts the signatures that are found at the paths (given-signatures.h) into the raw image, which has its request beside
 * it. Every signature of the image that is not there yet must be among them; that of SHA256SUMS may come later, since it
 * is of what the others make. Nothing is changed unless everything is as it should be. Failures are logged. */
int attach_signatures(const Config *config, const char *image, const char *const *paths, Progress *progress);
