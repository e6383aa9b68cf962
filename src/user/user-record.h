/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* User records as files, for programs that ask systemd's user database: nss-systemd(5) reads "NAME.user", "NUMBER.user",
 * "NAME.group" and "NUMBER.group" in /run/userdb. The format is that of https://systemd.io/USER_RECORD and GROUP_RECORD. */

#include "base/macro.h"

/* Writes the records of a dynamic user and its group of the same number into the directory; what is there under these names is replaced. */
int user_record_write(int dir_fd, const char *name, uid_t uid);
/* Removes them if they are of this name and number. */
void user_record_remove(int dir_fd, const char *name, uid_t uid);
