/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The image of a configuration in a container: a command in it, or its own init, in the sandbox of src/sandbox/. */

#include "config/config-load.h"
#include "run/image-root.h"

/* Runs the words as a command inside, or a shell without any, on our standard input and output; where both are a terminal,
 * on one of its own. Returns the exit status; 127 and 126 for a command that is not there, or cannot be executed, as shells do.
 * -ECANCELED after an interrupt. Failures are logged. */
int container_run_command(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words);

/* Boots the image's init, with the words as its arguments, on a console, until it switches itself off, which is 0. One that
 * starts anew is started anew. At an interrupt the system is asked to shut down, and ended at the next one, which is
 * -ECANCELED. Failures are logged. */
int container_boot(const LoadedConfig *loaded, const ImageRoot *root, const char *const *words);
