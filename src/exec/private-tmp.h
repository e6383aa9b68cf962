/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Directories of PrivateTmp=: "/tmp/systemd-private-BOOTID-UNIT-XXXXXX" with mode 0700, and "tmp" in it with mode 1777; the
 * same below /var/tmp. The names are those that tmpfiles and cleaners know. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct PrivateTmp {
        char *tmp, *var_tmp; /* the directories named "tmp", to be mounted */
} PrivateTmp;

int private_tmp_make(const char *unit, PrivateTmp *ret, Reason *reason);
/* Removes them with all that is in them, following nothing. */
int private_tmp_remove(PrivateTmp *tmp, Reason *reason);
void private_tmp_done(PrivateTmp *tmp);
