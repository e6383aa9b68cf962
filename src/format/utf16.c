/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "format/utf16.h"

/* Reads one character and moves on behind it. */
static int32_t utf8_next(const uint8_t **text) {
        /* By the number of bytes that follow the first: the smallest character that may be written so. */
        static const int32_t character_min[] = { 0, 0x80, 0x800, 0x10000 };
        const uint8_t first = *(*text)++;
        unsigned n_more;
        int32_t character;

        if (first < 0x80)
                return first;
        if ((first & 0xe0) == 0xc0) {
                n_more = 1;
                character = first & 0x1f;
        } else if ((first & 0xf0) == 0xe0) {
                n_more = 2;
                character = first & 0x0f;
        } else if ((first & 0xf8) == 0xf0) {
                n_more = 3;
                character = first & 0x07;
        } else
                return -EILSEQ;

        for (unsigned i = 0; i < n_more; i++) {
                if ((**text & 0xc0) != 0x80) /* which the final NUL is not either */
                        return -EILSEQ;
                character = character << 6 | (*(*text)++ & 0x3f);
        }

        if (character < character_min[n_more] || character > 0x10ffff ||
            (character >= 0xd800 && character <= 0xdfff))
                return -EILSEQ;
        return character;
}

ssize_t utf16_from_utf8(const char *text, uint16_t *units, size_t n_max) {
        const uint8_t *position = (const uint8_t *)text;
        size_t n = 0;

        assert(text);

        while (*position) {
                const int32_t character = utf8_next(&position);
                if (character < 0)
                        return character;

                const size_t n_units = character < 0x10000 ? 1 : 2;
                if (n_units > n_max - n)
                        return -ENAMETOOLONG;
                if (units && n_units == 1)
                        units[n] = (uint16_t)character;
                if (units && n_units == 2) {
                        units[n] = (uint16_t)(0xd800 + ((character - 0x10000) >> 10));
                        units[n + 1] = (uint16_t)(0xdc00 + ((character - 0x10000) & 0x3ff));
                }
                n += n_units;
        }
        return (ssize_t)n;
}

/* Writes one character, up to four bytes, and returns how many. */
static size_t utf8_put(char *text, uint32_t character) {
        if (character < 0x80) {
                text[0] = (char)character;
                return 1;
        }

        const size_t n = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
        for (size_t i = n - 1; i > 0; i--) {
                text[i] = (char)(0x80 | (character & 0x3f));
                character >>= 6;
        }
        text[0] = (char)((0xf00U >> n & 0xff) | character);
        return n;
}

int utf16_to_utf8(const uint16_t *units, size_t n, char **ret) {
        _cleanup_(freep) char *text = malloc(3 * n + 1);
        size_t size = 0;

        assert(units && ret);

        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                uint32_t character = units[i];

                assert(character != 0);
                if (character >= 0xd800 && character <= 0xdfff) {
                        if (character >= 0xdc00 || i + 1 == n || units[i + 1] < 0xdc00 ||
                            units[i + 1] > 0xdfff)
                                return -EILSEQ;
                        character = 0x10000 + ((character - 0xd800) << 10) + (units[++i] - 0xdc00U);
                }
                size += utf8_put(text + size, character);
        }
        text[size] = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}
