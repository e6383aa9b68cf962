/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The image of a configuration in a container of systemd-nspawn(1), for --nspawn. */

#include "config/config-load.h"

/* The words that run the output, or a command in it. managed: systemd runs the host, and keeps containers. */
int nspawn_command(const Config *config, bool managed, bool boot, const char *const *words, char ***ret);

/* Locks the output and runs it. Returns the exit status of systemd-nspawn; -ECANCELED after an interrupt. Failures are
 * logged. */
int nspawn_run(const Config *config, bool boot, const char *const *words);
