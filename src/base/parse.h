/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers and truth values out of text. The whole text must fit: -EINVAL otherwise, -ERANGE when out of range; the
 * output is written on success only. */

#include "base/macro.h"

/* yes, true, 1, on, y, t and no, false, 0, off, n, f; upper case or lower. */
int parse_bool(const char *text, bool *ret);

/* Decimal digits only: no sign, no blanks. */
int parse_uint64(const char *text, uint64_t *ret);

/* Decimal digits with an optional suffix B, K, M, G, T (powers of 1024); blanks before the suffix are fine. The result
 * is in bytes. */
int parse_size(const char *text, uint64_t *ret);

/* The shortest form that parse_size() reads back as the same number: "1G", "1300M", "513". */
void size_format(uint64_t size, char text[static 24]);

/* For people: "1.2G", "36.0M", "513B". */
void size_format_rounded(uint64_t size, char text[static 24]);
