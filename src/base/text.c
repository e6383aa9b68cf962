/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

#define DISTANCE_LENGTH_MAX 64

const char *text_after_prefix(const char *text, const char *prefix) {
        const size_t length = strlen(prefix);

        return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

bool text_ends_with(const char *text, const char *suffix) {
        const size_t length = strlen(text), suffix_length = strlen(suffix);

        return length >= suffix_length && text_equal(text + length - suffix_length, suffix);
}

int text_format(char **ret, const char *format, ...) {
        va_list arguments;
        char *text;

        va_start(arguments, format);
        const int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0)
                return -ENOMEM;

        *ret = text;
        return 0;
}

int text_copy(const char *text, char **ret) {
        char *copy = NULL;

        if (text) {
                copy = strdup(text);
                if (!copy)
                        return -ENOMEM;
        }

        *ret = copy;
        return 0;
}

int text_replace(char **text, const char *value) {
        char *copy;

        const int r = text_copy(value, &copy);
        if (r < 0)
                return r;

        free(*text);
        *text = copy;
        return 0;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int text_substitute(char **text, const char *name, const char *value) {
        const size_t name_length = strlen(name), value_length = strlen(value);
        size_t n = 0;

        assert(name_length > 0);

        for (const char *found = strstr(*text, name); found; found = strstr(found + name_length, name))
                n++;
        if (n == 0)
                return 0;
        char *result = malloc(strlen(*text) - n * name_length + n * value_length + 1), *to = result;
        if (!result)
                return -ENOMEM;

        const char *from = *text;
        for (const char *found; (found = strstr(from, name)); from = found + name_length) {
                to = mempcpy(to, from, (size_t)(found - from));
                to = mempcpy(to, value, value_length);
        }
        memcpy(to, from, strlen(from) + 1);
        free(*text);
        *text = result;
        return 0;
}

char *text_strip(char *text) {
        while (is_blank(*text))
                text++;

        size_t length = strlen(text);
        while (length > 0 && is_blank(text[length - 1]))
                length--;
        text[length] = '\0';
        return text;
}

static bool is_plain(const char *word) {
        for (const char *c = word; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("-_=+./:,@%~", *c))
                        return false;
        return word[0] != '\0' && word[0] != '~';
}

int text_quote(const char *word, char **ret) {
        static const char quote[] = "'\\''"; /* ends the quotes, and begins new ones */
        size_t size = strlen(word) + sizeof("''");

        if (is_plain(word))
                return text_copy(word, ret);
        for (const char *c = word; *c; c++)
                size += *c == '\'' ? strlen(quote) - 1 : 0;
        char *quoted = malloc(size), *end = quoted;
        if (!quoted)
                return -ENOMEM;
        *end++ = '\'';
        for (; *word; word++)
                if (*word == '\'')
                        end = stpcpy(end, quote);
                else
                        *end++ = *word;
        *end++ = '\'';
        *end = '\0';
        *ret = quoted;
        return 0;
}

/* What has no look of its own, and turns around that of others: U+061C, U+200E, U+200F, U+202A to U+202E, and U+2066 to U+2069
 * (UAX 9, 2). */
static bool changes_direction(const unsigned char *c) {
        if (c[0] == 0xd8)
                return c[1] == 0x9c;
        if (c[0] != 0xe2 || (c[1] != 0x80 && c[1] != 0x81))
                return false;
        return c[1] == 0x80 ? c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae)
                            : c[2] >= 0xa6 && c[2] <= 0xa9;
}

/* RFC 3629, 4. */
size_t text_tame_length(const char *text) {
        const unsigned char *c = (const unsigned char *)text;
        static const struct {
                unsigned char first, last, second_min, second_max;
                size_t length;
        } sequences[] = {
                { 0x20, 0x7e, 0x00, 0xff, 1 }, { 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 },
                { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
                { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
                { 0xf4, 0xf4, 0x80, 0x8f, 4 },
        };

        for (size_t i = 0; i < ELEMENTSOF(sequences); i++) {
                if (c[0] < sequences[i].first || c[0] > sequences[i].last)
                        continue;
                if (sequences[i].length > 1 &&
                    (c[1] < sequences[i].second_min || c[1] > sequences[i].second_max))
                        return 0;
                for (size_t k = 2; k < sequences[i].length; k++)
                        if ((c[k] & 0xc0) != 0x80)
                                return 0;
                return changes_direction(c) ? 0 : sequences[i].length;
        }
        return 0;
}

void text_tame(char *text) {
        for (char *c = text; *c;) {
                const size_t length = text_tame_length(c);

                if (length == 0)
                        *c = '?';
                c += MAX(length, (size_t)1);
        }
}

unsigned text_distance(const char *a, const char *b) {
        const size_t a_length = strlen(a), b_length = strlen(b);
        unsigned rows[3][DISTANCE_LENGTH_MAX + 1];

        if (a_length > DISTANCE_LENGTH_MAX || b_length > DISTANCE_LENGTH_MAX)
                return UINT_MAX;

        for (size_t j = 0; j <= b_length; j++)
                rows[0][j] = (unsigned)j;

        for (size_t i = 1; i <= a_length; i++) {
                unsigned *row = rows[i % 3];
                const unsigned *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];

                row[0] = (unsigned)i;
                for (size_t j = 1; j <= b_length; j++) {
                        const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);

                        row[j] = MIN(above[j], row[j - 1]) + 1;
                        row[j] = MIN(row[j], above[j - 1] + (x != y));
                        if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                            y == tolower((unsigned char)a[i - 2]))
                                row[j] = MIN(row[j], above_that[j - 2] + 1);
                }
        }

        return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *name, const char *const *words) {
        const char *nearest = NULL;
        unsigned distance_min = UINT_MAX;

        for (; *words; words++) {
                const unsigned distance = text_distance(name, *words);

                /* A third of the letters may be wrong; more than that is another word. */
                if (distance < distance_min && distance <= (strlen(*words) + 2) / 3) {
                        nearest = *words;
                        distance_min = distance;
                }
        }
        return nearest;
}
