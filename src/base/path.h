/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Path names, and opening things strictly below a directory. */

#include "base/macro.h"

/* "a" and "b" make "a/b"; an absolute b is appended all the same ("/tree" and "/etc" make "/tree/etc"). */
int path_join(const char *a, const char *b, char **ret);

/* Absolute, without ".", ".." and repeated slashes, by text alone: symbolic links are not followed. A relative path
 * starts at the current directory. */
int path_absolute(const char *path, char **ret);

/* Whether this is a URI ("pkcs11:token=…", "file:/…"), by its scheme (RFC 3986, 3.1), and no path; a path with a
 * colon in it can be told from one by "./" in front. */
bool path_is_uri(const char *text);

/* The path that a URI of the scheme "file" names (RFC 8089), with or without a host; NULL for one of another scheme. */
const char *path_of_uri(const char *uri);

/* Whether the absolute, normalised path is the ancestor itself or lies below it. */
bool path_is_below(const char *path, const char *ancestor);

/* The path as it is seen from the ancestor, under the same conditions: "" for itself; NULL when it does not lie below. */
const char *path_seen_from(const char *path, const char *ancestor);

/* The last component: what follows the last slash. */
const char *path_base_name(const char *path);

/* All but the last component; "." when there is none, "/" for what lies in the root. */
int path_parent(const char *path, char **ret);

/* Makes the directory and its missing parents with the mode. One that is there already is fine. */
int path_make_directories(int dir_fd, const char *path, mode_t mode);

/* Opens a path below root_fd, which counts as "/" for absolute paths, symbolic links and "..": nothing outside is
 * reached, and no magic link is followed. Flags as for open(). */
int path_open_below(int root_fd, const char *path, int flags, mode_t mode);

/* Finds a program in the directories of $PATH, or of the list with colons search_path when that is not NULL; if then
 * in /usr/sbin:/usr/bin:/sbin:/bin. -ENOENT when there is none. */
int path_find_program(const char *name, const char *search_path, char **ret);
