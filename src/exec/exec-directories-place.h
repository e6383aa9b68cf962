/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the directories of services are: ways to them on which no link is followed that a service can have planted. */

#include "base/macro.h"
#include "exec/exec-directories.h"

#define EXEC_BOUNDARY "private"

/* Opens what comes before the name in the path ("/var/lib" of "/var/lib/a/b"), of which links are followed: that is the
 * system's. make: it is made, with mode 0755, where it is missing. */
int exec_directory_open_prefix(const ExecDirectory *directory, const char *path, bool make);

/* The same for the directory in which the last part of the name lies ("/var/lib/a"). From the prefix on no link is followed: -ELOOP or
 * -ENOTDIR. */
int exec_directory_open_parent(const ExecDirectory *directory, const char *path, bool make);

/* Opens the directory itself, which must be none of a link's. */
int exec_directory_open(const ExecDirectory *directory, const char *path);
