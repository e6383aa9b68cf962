/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "base/json.h"

/* The length of the valid UTF-8 sequence at text, 0 if there is none. Overlong forms, surrogates and what lies beyond
 * U+10FFFF are not valid. */
static size_t utf8_length(const char *text) {
        const unsigned char *t = (const unsigned char *)text;
        size_t length;
        uint32_t point;

        if (t[0] < 0x80)
                return 1;
        if (t[0] >= 0xc2 && t[0] <= 0xdf)
                length = 2, point = t[0] & 0x1f;
        else if ((t[0] & 0xf0) == 0xe0)
                length = 3, point = t[0] & 0x0f;
        else if (t[0] >= 0xf0 && t[0] <= 0xf4)
                length = 4, point = t[0] & 0x07;
        else
                return 0;

        for (size_t i = 1; i < length; i++) {
                if ((t[i] & 0xc0) != 0x80) /* a NUL ends here as well */
                        return 0;
                point = point << 6 | (t[i] & 0x3f);
        }
        if ((length == 3 && point < 0x800) || (length == 4 && point < 0x10000) || point > 0x10ffff ||
            (point >= 0xd800 && point <= 0xdfff))
                return 0;
        return length;
}

static void write_string(FILE *file, const char *text) {
        (void)putc('"', file);
        while (*text) {
                const size_t length = utf8_length(text);

                if (length == 0) {
                        (void)fputs("\xef\xbf\xbd", file);
                        text++;
                        continue;
                }
                if (*text == '"' || *text == '\\')
                        (void)fprintf(file, "\\%c", *text);
                else if (*text == '\n')
                        (void)fputs("\\n", file);
                else if (*text == '\t')
                        (void)fputs("\\t", file);
                else if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        (void)fprintf(file, "\\u%04x", (unsigned)*text);
                else if (length == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0)
                        (void)fprintf(file, "\\u%04x",
                                      (unsigned char)text[1]); /* terminals obey these as well */
                else
                        (void)fwrite(text, 1, length, file);
                text += length;
        }
        (void)putc('"', file);
}

static void break_line(JsonWriter *writer) {
        if (writer->compact)
                return;
        (void)putc('\n', writer->file);
        for (unsigned i = 0; i < writer->depth; i++)
                (void)putc('\t', writer->file);
}

/* Comma, line break and indentation before a member, and its key. */
static void begin_member(JsonWriter *writer, const char *key) {
        if (writer->has_members)
                (void)putc(',', writer->file);
        if (writer->depth > 0)
                break_line(writer);
        if (key) {
                write_string(writer->file, key);
                (void)fputs(writer->compact ? ":" : ": ", writer->file);
        }
        writer->has_members = true;
}

static void begin_container(JsonWriter *writer, const char *key, char bracket) {
        begin_member(writer, key);
        (void)putc(bracket, writer->file);
        writer->depth++;
        writer->has_members = false;
}

static void end_container(JsonWriter *writer, char bracket) {
        assert(writer->depth > 0);

        writer->depth--;
        if (writer->has_members)
                break_line(writer);
        (void)putc(bracket, writer->file);
        if (writer->depth == 0)
                (void)putc('\n', writer->file);
        writer->has_members = true;
}

void json_begin_object(JsonWriter *writer, const char *key) {
        begin_container(writer, key, '{');
}

void json_end_object(JsonWriter *writer) {
        end_container(writer, '}');
}

void json_begin_array(JsonWriter *writer, const char *key) {
        begin_container(writer, key, '[');
}

void json_end_array(JsonWriter *writer) {
        end_container(writer, ']');
}

void json_text(JsonWriter *writer, const char *key, const char *value) {
        begin_member(writer, key);
        if (value)
                write_string(writer->file, value);
        else
                (void)fputs("null", writer->file);
}

void json_number(JsonWriter *writer, const char *key, uint64_t value) {
        begin_member(writer, key);
        (void)fprintf(writer->file, "%" PRIu64, value);
}

void json_integer(JsonWriter *writer, const char *key, int64_t value) {
        begin_member(writer, key);
        (void)fprintf(writer->file, "%" PRIi64, value);
}

void json_real(JsonWriter *writer, const char *key, double value) {
        begin_member(writer, key);
        (void)fprintf(writer->file, "%.3f", value);
}

void json_bool(JsonWriter *writer, const char *key, bool value) {
        begin_member(writer, key);
        (void)fputs(value ? "true" : "false", writer->file);
}

void json_null(JsonWriter *writer, const char *key) {
        json_text(writer, key, NULL);
}
