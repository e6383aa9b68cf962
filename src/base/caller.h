/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The user who called us by sudo(8). What we make in a directory of his is to be his as well, so that he can move and delete
 * it; what we make elsewhere is root's. Without sudo, or without root's privileges, all of this does nothing special. */

#include "base/macro.h"

/* Makes the directory and its missing parents with the mode. One that is there already is fine, also behind links. With give,
 * each that is made in a directory of the caller's is made by him, as far as he may; it is never changed whose anything is
 * that was there before. */
int caller_make_directories(const char *path, mode_t mode, bool give);

/* Gives a file that we have just made, and that nobody else has opened yet, to the caller if the directory is his. Returns
 * whether it did. */
int caller_give(int fd, const char *directory);
