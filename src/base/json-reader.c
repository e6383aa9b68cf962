/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/json-reader.h"
#include "base/text.h"

#define DEPTH_MAX 64

/* The next byte, or 0 at the end: it is valid nowhere in JSON. */
static char peek(const JsonReader *reader) {
        return reader->position < reader->end ? *reader->position : '\0';
}

static bool take(JsonReader *reader, char c) {
        if (reader->position == reader->end || *reader->position != c)
                return false;
        reader->position++;
        return true;
}

static void skip_blanks(JsonReader *reader) {
        while (take(reader, ' ') || take(reader, '\t') || take(reader, '\n') || take(reader, '\r'))
                ;
}

static int take_token(JsonReader *reader, char c) {
        skip_blanks(reader);
        return take(reader, c) ? 0 : -EBADMSG;
}

static int read_hex(JsonReader *reader, uint32_t *ret) {
        uint32_t number = 0;

        for (size_t i = 0; i < 4; i++) {
                const char c = peek(reader);

                if (c >= '0' && c <= '9')
                        number = number << 4 | (uint32_t)(c - '0');
                else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
                        number = number << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
                else
                        return -EBADMSG;
                reader->position++;
        }
        *ret = number;
        return 0;
}

/* What follows "\u": one number, or two for what lies beyond U+FFFF. */
static int read_code_point(JsonReader *reader, uint32_t *ret) {
        uint32_t point, low;

        int r = read_hex(reader, &point);
        if (r < 0)
                return r;
        if (point == 0 || (point >= 0xdc00 && point <= 0xdfff))
                return -EBADMSG;
        if (point >= 0xd800 && point <= 0xdbff) {
                if (!take(reader, '\\') || !take(reader, 'u') || read_hex(reader, &low) < 0 || low < 0xdc00 ||
                    low > 0xdfff)
                        return -EBADMSG;
                point = 0x10000 + ((point - 0xd800) << 10 | (low - 0xdc00));
        }
        *ret = point;
        return 0;
}

/* Writes at most four bytes, which are fewer than the escape had. */
static char *put_code_point(char *to, uint32_t point) {
        if (point < 0x80) {
                *to++ = (char)point;
                return to;
        }
        if (point < 0x800)
                *to++ = (char)(0xc0 | point >> 6);
        else {
                if (point < 0x10000)
                        *to++ = (char)(0xe0 | point >> 12);
                else {
                        *to++ = (char)(0xf0 | point >> 18);
                        *to++ = (char)(0x80 | (point >> 12 & 0x3f));
                }
                *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        }
        *to++ = (char)(0x80 | (point & 0x3f));
        return to;
}

static int read_escape(JsonReader *reader, char **to) {
        static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
        uint32_t point;

        if (take(reader, 'u')) {
                const int r = read_code_point(reader, &point);
                if (r < 0)
                        return r;
                *to = put_code_point(*to, point);
                return 0;
        }
        const char c = peek(reader);
        const char *letter = c != '\0' ? strchr(letters, c) : NULL;
        if (!letter)
                return -EBADMSG;
        reader->position++;
        *(*to)++ = meanings[letter - letters];
        return 0;
}

/* The room that a text needs at most, as nothing gets longer by being read; and whether it ends. */
static int measure_text(const JsonReader *reader, size_t *ret) {
        for (const char *c = reader->position; c < reader->end; c++) {
                if (*c == '"') {
                        *ret = (size_t)(c - reader->position);
                        return 0;
                }
                if (*c == '\\')
                        c++;
        }
        return -EBADMSG;
}

int json_read_text(JsonReader *reader, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t room;

        assert(reader && ret);

        int r = take_token(reader, '"');
        if (r >= 0)
                r = measure_text(reader, &room);
        if (r < 0)
                return r;
        text = malloc(room + 1);
        if (!text)
                return -ENOMEM;

        char *to = text;
        while (!take(reader, '"')) {
                if ((unsigned char)peek(reader) < 0x20)
                        return -EBADMSG;
                if (!take(reader, '\\'))
                        *to++ = *reader->position++;
                else if ((r = read_escape(reader, &to)) < 0)
                        return r;
        }
        *to = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}

int json_read_object(JsonReader *reader) {
        reader->has_members = false;
        return take_token(reader, '{');
}

int json_read_member(JsonReader *reader, char **ret_name) {
        _cleanup_(freep) char *name = NULL;

        skip_blanks(reader);
        if (take(reader, '}')) {
                reader->has_members = true; /* of the object around it */
                return 0;
        }
        if (reader->has_members && !take(reader, ','))
                return -EBADMSG;
        reader->has_members = true;
        int r = json_read_text(reader, &name);
        if (r >= 0)
                r = take_token(reader, ':');
        if (r < 0)
                return r;

        *ret_name = TAKE_PTR(name);
        return 1;
}

int json_read_array(JsonReader *reader) {
        reader->has_members = false;
        return take_token(reader, '[');
}

int json_read_element(JsonReader *reader) {
        skip_blanks(reader);
        if (take(reader, ']')) {
                reader->has_members = true; /* of what is around it */
                return 0;
        }
        if (reader->has_members && !take(reader, ','))
                return -EBADMSG;
        reader->has_members = true;
        return 1;
}

static bool take_digits(JsonReader *reader) {
        const char *begin = reader->position;

        while (peek(reader) >= '0' && peek(reader) <= '9')
                reader->position++;
        return reader->position > begin;
}

static int skip_number(JsonReader *reader) {
        (void)take(reader, '-');
        if (!take(reader, '0') && !take_digits(reader))
                return -EBADMSG;
        if (take(reader, '.') && !take_digits(reader))
                return -EBADMSG;
        if (take(reader, 'e') || take(reader, 'E')) {
                if (!take(reader, '+'))
                        (void)take(reader, '-');
                if (!take_digits(reader))
                        return -EBADMSG;
        }
        return 0;
}

static int skip_word(JsonReader *reader, const char *word) {
        for (; *word; word++)
                if (!take(reader, *word))
                        return -EBADMSG;
        return 0;
}

static int skip_text(JsonReader *reader) {
        _cleanup_(freep) char *text = NULL;

        return json_read_text(reader, &text);
}

static int skip_nested(JsonReader *reader, unsigned depth);

static int skip_object(JsonReader *reader, unsigned depth) {
        int r = json_read_object(reader);

        while (r >= 0) {
                _cleanup_(freep) char *name = NULL;

                r = json_read_member(reader, &name);
                if (r <= 0)
                        break;
                r = skip_nested(reader, depth + 1);
        }
        return r;
}

static int skip_array(JsonReader *reader, unsigned depth) {
        int r = json_read_array(reader);

        while (r >= 0 && (r = json_read_element(reader)) > 0)
                r = skip_nested(reader, depth + 1);
        return r;
}

static int skip_nested(JsonReader *reader, unsigned depth) {
        if (depth > DEPTH_MAX)
                return -EBADMSG;
        skip_blanks(reader);
        switch (peek(reader)) {
        case '{':
                return skip_object(reader, depth);
        case '[':
                return skip_array(reader, depth);
        case '"':
                return skip_text(reader);
        case 't':
                return skip_word(reader, "true");
        case 'f':
                return skip_word(reader, "false");
        case 'n':
                return skip_word(reader, "null");
        default:
                return skip_number(reader);
        }
}

int json_skip_value(JsonReader *reader) {
        const int r = skip_nested(reader, 0);

        reader->has_members = true;
        return r;
}

int json_read_end(JsonReader *reader) {
        skip_blanks(reader);
        return reader->position == reader->end ? 0 : -EBADMSG;
}

int json_read_number(JsonReader *reader, uint64_t *ret) {
        uint64_t number = 0;

        assert(reader && ret);

        skip_blanks(reader);
        const char *begin = reader->position;
        const int r = skip_number(reader);
        if (r < 0)
                return r;
        for (const char *c = begin; c < reader->position; c++) {
                if (*c < '0' || *c > '9') /* signs, fractions, exponents */
                        return -EBADMSG;
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number))
                        return -ERANGE;
        }
        *ret = number;
        return 0;
}

int json_read_bool(JsonReader *reader, bool *ret) {
        assert(reader && ret);

        skip_blanks(reader);
        const bool truth = peek(reader) == 't';
        const int r = skip_word(reader, truth ? "true" : "false");
        if (r < 0)
                return r;
        *ret = truth;
        return 0;
}

unsigned json_reader_line(const JsonReader *reader, const char *begin) {
        unsigned line = 1;

        assert(reader && begin);

        for (const char *c = begin; c < reader->position; c++)
                line += *c == '\n';
        return line;
}

static int read_field(JsonReader *reader, const JsonField *field, Reason *reason) {
        if (field->read) {
                const int r = field->read(reader, field->userdata, reason);

                return r == -EBADMSG ? reason_set(reason, r, "The member \"%s\" is not what it should be",
                                                  field->name)
                                     : r;
        }

        const char *kind = field->text ? "text" : field->number ? "whole number" : "true or false";
        const int r = field->text     ? json_read_text(reader, field->text)
                      : field->number ? json_read_number(reader, field->number)
                                      : json_read_bool(reader, field->truth);
        return r == -EBADMSG || r == -ERANGE
                       ? reason_set(reason, -EBADMSG, "The member \"%s\" is no %s", field->name, kind)
                       : r;
}

static int read_named(JsonReader *reader, const char *name, const JsonField *fields, size_t n_fields,
                      uint64_t *seen, Reason *reason) {
        for (size_t i = 0; i < n_fields; i++) {
                if (!text_equal(name, fields[i].name))
                        continue;
                if (*seen & UINT64_C(1) << i)
                        return reason_set(reason, -EBADMSG, "There are two members \"%s\"", name);
                *seen |= UINT64_C(1) << i;
                return read_field(reader, &fields[i], reason);
        }
        return json_skip_value(reader);
}

int json_read_fields(JsonReader *reader, const JsonField *fields, size_t n_fields, Reason *reason) {
        uint64_t seen = 0;

        assert(reader && fields && n_fields <= JSON_FIELDS_MAX);

        int r = json_read_object(reader);
        while (r >= 0) {
                _cleanup_(freep) char *name = NULL;

                r = json_read_member(reader, &name);
                if (r <= 0)
                        break;
                r = read_named(reader, name, fields, n_fields, &seen, reason);
        }
        for (size_t i = 0; i < n_fields && r >= 0; i++)
                if (!fields[i].optional && !(seen & UINT64_C(1) << i))
                        return reason_set(reason, -EBADMSG, "The member \"%s\" is missing", fields[i].name);
        return r;
}

int json_read_entries(JsonReader *reader,
                      int (*read)(JsonReader *reader, const char *name, void *userdata, Reason *reason),
                      void *userdata, Reason *reason) {
        assert(reader && read);

        int r = json_read_object(reader);
        while (r >= 0) {
                _cleanup_(freep) char *name = NULL;

                r = json_read_member(reader, &name);
                if (r <= 0)
                        break;
                r = read(reader, name, userdata, reason);
        }
        return r;
}

int json_read_items(JsonReader *reader, int (*read)(JsonReader *reader, void *userdata, Reason *reason),
                    void *userdata, Reason *reason) {
        assert(reader && read);

        int r = json_read_array(reader);
        while (r >= 0 && (r = json_read_element(reader)) > 0)
                r = read(reader, userdata, reason);
        return r;
}
