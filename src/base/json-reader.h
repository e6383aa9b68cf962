/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads JSON (RFC 8259) of whoever wrote it, piece by piece: the caller says what it expects, and anything else, or
 * what is no JSON, is -EBADMSG. Text is UTF-8, of which the bytes are taken as they are; text with a NUL in it is
 * refused. */

#include "base/macro.h"

/* Begins with the position at the first byte of the text, and the end behind its last. */
typedef struct JsonReader {
        const char *position, *end;
        bool has_members; /* of the object that is open: a comma is due */
} JsonReader;

/* An object begins here. Its members follow: 1 and the name of the next one, of which the value is to be read or
 * skipped; 0 when there is none any more, and the object is closed. */
int json_read_object(JsonReader *reader);
int json_read_member(JsonReader *reader, char **ret_name);

int json_read_text(JsonReader *reader, char **ret);

/* A value of any kind, which must be well-formed; one that is nested too deeply is refused. */
int json_skip_value(JsonReader *reader);

/* Nothing follows but blanks. */
int json_read_end(JsonReader *reader);
