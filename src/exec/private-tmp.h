/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Directories of PrivateTmp=: "/tmp/systemd-private-BOOTID-UNIT-XXXXXX" with mode 0700, and "tmp" in it with mode 1777; the
 * same below /var/tmp. The names are those that tmpfiles and cleaners know. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct PrivateTmp {
        char *tmp, *var_tmp; /* the directories named "tmp", to be mounted */
} PrivateTmp;

/* New names, which nobody can know before. Nothing is made. */
int private_tmp_choose(const char *unit, PrivateTmp *ret);
/* Both or none; -EEXIST when there is something of such a name. */
int private_tmp_make(const PrivateTmp *tmp, Reason *reason);
/* Removes them with all that is in them, following nothing. */
int private_tmp_remove(const PrivateTmp *tmp, Reason *reason);
void private_tmp_done(PrivateTmp *tmp);
