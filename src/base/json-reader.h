/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads JSON (RFC 8259) of whoever wrote it, piece by piece: the caller says what it expects, and anything else, or
 * what is no JSON, is -EBADMSG. Text is UTF-8, of which the bytes are taken as they are; text with a NUL in it is
 * refused. */

#include "base/reason.h"

/* Begins with the position at the first byte of the text, and the end behind its last. */
typedef struct JsonReader {
        const char *position, *end;
        bool has_members; /* of the object that is open: a comma is due */
} JsonReader;

/* An object begins here. Its members follow: 1 and the name of the next one, of which the value is to be read or
 * skipped; 0 when there is none any more, and the object is closed. */
int json_read_object(JsonReader *reader);
int json_read_member(JsonReader *reader, char **ret_name);

/* The same for an array: 1 when the value of a next element is to be read or skipped. */
int json_read_array(JsonReader *reader);
int json_read_element(JsonReader *reader);

int json_read_text(JsonReader *reader, char **ret);
/* A whole number that is not negative; one that does not fit is -ERANGE. */
int json_read_number(JsonReader *reader, uint64_t *ret);
int json_read_bool(JsonReader *reader, bool *ret);

/* A value of any kind, which must be well-formed; one that is nested too deeply is refused. */
int json_skip_value(JsonReader *reader);

/* Nothing follows but blanks. */
int json_read_end(JsonReader *reader);

/* The line in which the reader stands, from 1 on, for messages; it began at the text's first byte. */
unsigned json_reader_line(const JsonReader *reader, const char *begin);

/* A member of an object that is wanted, and where its value goes: one of the pointers is set. Members that are not
 * there leave it as it was. */
typedef struct JsonField {
        const char *name;
        bool optional;
        char **text; /* of malloc(); NULL in the beginning */
        uint64_t *number;
        bool *truth;
        int (*read)(JsonReader *reader, void *userdata,
                    Reason *reason); /* reads the value; a reason is made up for it */
        void *userdata;
} JsonField;

#define JSON_FIELDS_MAX 64

/* A whole object, of which other members are passed over. -EBADMSG with a reason that names the member when one is
 * missing, twice there, or of another kind; what was read by then stays where it is. */
int json_read_fields(JsonReader *reader, const JsonField *fields, size_t n_fields, Reason *reason);

/* A whole object whose members are all of one kind, under names that are the writer's: the function reads the value of
 * each. That a name is there twice is for the function to notice. */
int json_read_entries(JsonReader *reader,
                      int (*read)(JsonReader *reader, const char *name, void *userdata, Reason *reason),
                      void *userdata, Reason *reason);

/* A whole array, of which the function reads each element. */
int json_read_items(JsonReader *reader, int (*read)(JsonReader *reader, void *userdata, Reason *reason),
                    void *userdata, Reason *reason);
