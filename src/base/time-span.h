/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lengths of time in microseconds, systemd.time(7). */

#include "base/macro.h"

#define SECOND_USEC        UINT64_C(1000000)
#define TIME_SPAN_INFINITY UINT64_MAX
#define TIME_SPAN_TEXT_MAX 128

/* "5min 20s", "1.5h", "90" (seconds), "infinity"; what is behind the sixth decimal place is cut off. -EINVAL when it is no length of time, -ERANGE when it is too long. */
int time_span_parse(const char *text, uint64_t *ret);

/* As systemd does, "1min 5.297s": in steps of the accuracy, which is 1, 1000 or 1000000 microseconds, below a minute with a
 * point where that leaves anything behind it. What is shorter than the accuracy is written out all the same. */
void time_span_format(uint64_t span, uint64_t accuracy, char text[static TIME_SPAN_TEXT_MAX]);

/* How long ago, for people: "4min 28s ago", "3 days ago"; "4s left" of what is to come. */
void time_span_format_ago(uint64_t then, uint64_t now, char text[static TIME_SPAN_TEXT_MAX]);
