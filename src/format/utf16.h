/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UTF-16 (RFC 2781), the encoding of names in FAT and GPT. */

#include "base/macro.h"

/* Converts UTF-8 text (RFC 3629) into at most n_max units, in the byte order of the machine; returns how many there are.
 * units may be NULL, to count only. -EILSEQ when it is no UTF-8, -ENAMETOOLONG when there are more units. */
ssize_t utf16_from_utf8(const char *text, uint16_t *units, size_t n_max);

/* Converts so many units, none of them 0, into UTF-8 text. -EILSEQ when one half of a pair stands alone. */
int utf16_to_utf8(const uint16_t *units, size_t n, char **ret);
