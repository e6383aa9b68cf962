/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The image of a configuration in a container: a command in it, or its own init, in the sandbox of src/sandbox/. */

#include "config/config-load.h"
#include "run/image-root.h"

/* Runs the words as a command inside, or a shell without any, on our standard input and output; where both are a terminal,
 * on one of its own. Returns the exit status. Failures are logged. */
int container_run_command(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words);

/* Boots the image's init, with the words as its arguments, on a console, until it switches itself off, which is 0. One that
 * starts anew is started anew. */
int container_boot(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words);

/* The words that run the output by systemd-nspawn instead. */
int container_nspawn_command(const Config *config, bool boot, const char *const *words, char ***ret);
