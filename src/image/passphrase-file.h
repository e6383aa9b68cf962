/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files with a passphrase: one line, which nobody but the owner of the file may read. */

#include "base/secret.h"

/* What can be typed. */
#define PASSPHRASE_SIZE_MAX 512

/* Why these bytes cannot be typed where they will be asked for, "is empty"; NULL: they can. */
const char *passphrase_fault(const Secret *passphrase);

/* Reads the passphrase in the file, without the end of its line. -EBADF when the file or what is in it will not do:
 * then ret_problem says why, and what to do. */
int passphrase_file_read(const char *path, Secret **ret, char **ret_problem);

/* The same where only the problem is of interest: appends it, if there is one. */
int passphrase_file_check(const char *path, char ***problems);

/* The same, but failures are logged, and -EBADF is -EINVAL. */
int passphrase_file_load(const char *path, Secret **ret);
