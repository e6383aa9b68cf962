/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes JSON (RFC 8259), indented by tabs or on one line, to a stream. Keys are given inside objects and NULL inside arrays and at
 * the top. Bytes that are not UTF-8 become U+FFFD. Write errors show in ferror() of the stream. */

#include <stdio.h>

#include "base/macro.h"

typedef struct JsonWriter {
        FILE *file;
        unsigned depth;
        bool compact;     /* no line breaks but the one at the end */
        bool has_members; /* of the object or array that is open: a comma is due */
} JsonWriter;

void json_begin_object(JsonWriter *writer, const char *key);
void json_end_object(JsonWriter *writer);
void json_begin_array(JsonWriter *writer, const char *key);
void json_end_array(JsonWriter *writer);
void json_text(JsonWriter *writer, const char *key, const char *value); /* NULL writes null */
void json_number(JsonWriter *writer, const char *key, uint64_t value);
void json_integer(JsonWriter *writer, const char *key, int64_t value);
void json_real(JsonWriter *writer, const char *key, double value); /* with three decimals */
void json_bool(JsonWriter *writer, const char *key, bool value);
void json_null(JsonWriter *writer, const char *key);
