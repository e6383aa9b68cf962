/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The stages of config_resolve(), each in a file of its own, in this order. What the user got wrong is collected in
 * loaded->mistakes; a negative errno is fatal. */

#include "config/config-resolve.h"

/* config-distribution.c: distribution, release, architecture, mirror, repositories, the package cache's directory. */
int config_resolve_distribution(LoadedConfig *loaded, const ConfigHost *host);

/* config-compression.c: CompressOutput= out of XZ= and, for archives, Compress=. */
int config_resolve_compression(LoadedConfig *loaded);

/* config-output.c: what is written where. */
int config_resolve_output(LoadedConfig *loaded);

/* config-values.c: values that are no good whatever the others are. */
int config_check_values(LoadedConfig *loaded);

/* config-check.c: values that do not go together. Warns of those that have no effect. */
int config_check(LoadedConfig *loaded);
/* Whether the setting does anything, given the others. */
bool config_has_effect(const Config *config, size_t offset);

/* config-kernel-line.c: what KernelCommandLine= says of the root file system goes with the image. */
int config_check_kernel_line(LoadedConfig *loaded);

/* config-seed.c: Seed= out of all others. */
int config_resolve_seed(LoadedConfig *loaded);
