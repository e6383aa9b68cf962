/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* NULL-terminated lists of owned strings. NULL is a valid empty list. Errors are -ENOMEM only, and leave the list
 * as it was. */

#include "base/macro.h"

void strv_free(char **list);
DEFINE_CLEANUP(char *, strv_free)

size_t strv_length(const char *const *list);
bool strv_contains(const char *const *list, const char *text);

/* Append copies. */
int strv_append(char ***list, const char *text);
int strv_append_format(char ***list, const char *format, ...) _printf_(2, 3);
int strv_extend(char ***list, const char *const *more);

/* Appends the string itself, which the list then owns; it is freed on failure. */
int strv_take(char ***list, char *text);

int strv_copy(const char *const *list, char ***ret);
bool strv_equal(const char *const *a, const char *const *b);

/* Splits at any run of the separators; empty items vanish. */
int strv_split(const char *text, const char *separators, char ***ret);
/* Splits at blanks (space, tab, newline, carriage return), as shells do: what stands between " or ' counts as one, and a
 * backslash takes the next character as it is but for between two '. -EINVAL when a quote or a backslash has no end. */
int strv_split_quoted(const char *text, char ***ret);
int strv_join(const char *const *list, const char *separator, char **ret);

/* Sorts bytewise. */
void strv_sort(char **list);

/* char ** does not convert to const char *const * by itself in C. */
#define STRV(list) ((const char *const *)(list))
