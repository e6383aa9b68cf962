/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernels that lie in a tree. */

#include "base/macro.h"

/* The versions, sorted, that have modules in usr/lib/modules and a kernel image; NULL when there are none. */
int kernel_versions(int root_fd, char ***ret);

/* Opens the image of a version: usr/lib/modules/VERSION/vmlinuz, else boot/vmlinuz-VERSION. */
int kernel_open(int root_fd, const char *version);

/* Whether the version has a driver as a module of its own (1), or built in or not at all (0). */
int kernel_has_module(int root_fd, const char *version, const char *module);
