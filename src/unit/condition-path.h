/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What conditions look at files for, systemd.unit(5). Each returns 1 when it is so, 0 when it is not, and a negative errno when
 * that cannot be told. The argument is an absolute path; what it leads to may be anything. */

#include "base/macro.h"

int condition_path_exists(const char *path);
/* Of a shell pattern: whether it fits any path. */
int condition_path_exists_glob(const char *pattern);
int condition_path_is_directory(const char *path);
int condition_path_is_symbolic_link(const char *path);
int condition_path_is_mount_point(const char *path);
/* Whether the file system is mounted so; whoever asks may be forbidden to write all the same. */
int condition_path_is_read_write(const char *path);
int condition_directory_not_empty(const char *path);
int condition_file_not_empty(const char *path);
int condition_file_is_executable(const char *path);
/* "/etc" or "/var": whether /usr is newer than when that was last updated, systemd-update-done.service(8). */
int condition_needs_update(const char *path);
