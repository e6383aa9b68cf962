/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the describers have in common. */

#include "setting/describe.h"

/* Whether the row belongs in the section; NULL: whether it belongs in none, being for the command line only. */
bool describe_is_in(const Setting *row, const SettingSection *section);

/* Whether the row's option is named by help and completion: not one that is an old spelling, or that this version would
 * refuse to act on. */
bool describe_is_offered(const Setting *row);

/* What the value is called: "SIZE". NULL when it need not be named, since the option is complete without it. */
const char *describe_metavar(const Setting *row);

/* Whether the option is complete without a value, which then stands only behind '='. */
bool describe_is_value_optional(const Setting *row);

/* The words that a user may say, first the row's own, "yes" and "no" for truth values; index counts from 0, NULL at the
 * end. */
const char *describe_word(const Setting *row, size_t index);

/* Prints the text, which may have several lines, with line breaks so that no line exceeds 79 columns. It goes on at the
 * column; every further line begins with the prefix. No newline at the end. */
void describe_wrapped(FILE *file, const char *text, size_t column, const char *prefix);

/* How many columns the UTF-8 text takes. */
size_t describe_width(const char *text);
