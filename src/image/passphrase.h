/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The passphrase with which encrypted partitions are opened: out of a file, or from the terminal. */

#include "base/secret.h"
#include "config/config.h"

/* Appends what stands against getting a passphrase, if one is needed: a file that others may read, no terminal to ask on.
 * Nothing is asked yet. */
int passphrase_check(const Config *config, char ***problems);

/* Reads it, or asks for it twice, again until both answers are the same. Failures are logged. */
int passphrase_get(const Config *config, Secret **ret);
