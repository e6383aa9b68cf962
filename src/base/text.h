/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* NUL-terminated strings. */

#include <string.h>

#include "base/macro.h"

static inline bool text_equal(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool text_is_empty(const char *text) {
        return !text || text[0] == '\0';
}

/* What follows the prefix, or NULL when text does not start with it. */
const char *text_after_prefix(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* printf() into new memory. -ENOMEM is the only error. */
int text_format(char **ret, const char *format, ...) _printf_(2, 3);

/* A copy; NULL stays NULL. -ENOMEM is the only error. */
int text_copy(const char *text, char **ret);

/* Replaces *text, an owned string or NULL, with a copy of value (NULL: none). -ENOMEM leaves *text as it is. */
int text_replace(char **text, const char *value);

/* Puts value wherever the owned string *text has name, which is not empty. -ENOMEM leaves *text as it is. */
int text_substitute(char **text, const char *name, const char *value);

/* Cuts blanks (space, tab, newline, carriage return) off both ends, in place; returns the new start. */
char *text_strip(char *text);

/* The word as it is given to a shell: between quotes if it needs them. */
int text_quote(const char *word, char **ret);

/* Makes control characters '?', in place: terminals obey them, and names of files may hold any. So are the bytes of those from
 * U+0080 to U+009F, and bytes that are no UTF-8, which may be the same to a terminal; and characters that only change the
 * direction in which what is beside them is shown. */
void text_tame(char *text);
/* The length of the character that the text begins with; 0 when text_tame() would make it '?', and at the end. */
size_t text_tame_length(const char *text);

/* The number of single-character edits (insert, delete, replace, swap neighbours) from a to b, letter case ignored.
 * Strings over 64 bytes are answered with UINT_MAX. */
unsigned text_distance(const char *a, const char *b);

/* The word of the NULL-terminated list that name was most likely meant to be, or NULL when none is near. */
const char *text_nearest(const char *name, const char *const *words);
