/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Points in time, as people say them: systemd.time(7). */

#include "base/macro.h"

/* "2026-11-26 12:30:15.5", of which the time of the day, its seconds, or the day may be left out (midnight, 0, today),
 * "now", "today", "yesterday", "tomorrow", "5min ago", "-5min", "+5min", "@SECONDS"; " UTC" behind a day means that, otherwise it is
 * local time. Both are microseconds since 1970. -EINVAL when it is none. */
int time_stamp_parse(const char *text, uint64_t now_usec, uint64_t *ret);
