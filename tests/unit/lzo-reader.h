/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads LZO1X, instruction by instruction as the kernel's documentation lists them. */

#include "base/macro.h"

typedef struct LzoReader {
        const uint8_t *from;
        size_t size, position;
        uint8_t *to;
        size_t room, n;
} LzoReader;

static inline size_t lzo_byte(LzoReader *reader) {
        assert_true(reader->position < reader->size);
        return reader->from[reader->position++];
}

static inline size_t lzo_length(LzoReader *reader, size_t value, size_t max, size_t more) {
        if (value > 0)
                return value + more;
        for (value = max;; value += 255) {
                const size_t byte = lzo_byte(reader);

                if (byte > 0)
                        return value + byte + more;
        }
}

static inline void lzo_literals(LzoReader *reader, size_t n) {
        assert_true(n <= reader->room - reader->n);
        for (size_t i = 0; i < n; i++)
                reader->to[reader->n++] = (uint8_t)lzo_byte(reader);
}

static inline void lzo_copy(LzoReader *reader, size_t distance, size_t n) {
        assert_true(distance <= reader->n && n <= reader->room - reader->n);
        for (size_t i = 0; i < n; i++, reader->n++)
                reader->to[reader->n] = reader->to[reader->n - distance];
}

/* Returns how many bytes came out. All of the input must be used. */
static inline size_t lzo_read(const uint8_t *from, size_t size, uint8_t *to, size_t room) {
        LzoReader reader = { from, size, 0, to, room, 0 };
        size_t state = 0, word;

        if (from[0] >= 18) {
                const size_t n = lzo_byte(&reader) - 17;

                lzo_literals(&reader, n);
                state = MIN(n, (size_t)4);
        }
        for (;;) {
                const size_t byte = lzo_byte(&reader);

                if (byte >= 64) {
                        const size_t distance = (lzo_byte(&reader) << 3) + (byte >> 2 & 7) + 1;

                        lzo_copy(&reader, distance, (byte >> 5) + 1);
                        state = byte & 3;
                } else if (byte >= 32) {
                        const size_t length = lzo_length(&reader, byte & 31, 31, 2);

                        word = lzo_byte(&reader);
                        word |= lzo_byte(&reader) << 8;
                        lzo_copy(&reader, (word >> 2) + 1, length);
                        state = word & 3;
                } else if (byte >= 16) {
                        assert_int_equal(byte, 17); /* the end: nothing is 16 KiB away */
                        assert_int_equal(lzo_byte(&reader) | lzo_byte(&reader), 0);
                        assert_int_equal(reader.position, size);
                        return reader.n;
                } else {
                        assert_int_equal(state, 0); /* otherwise it is a copy that is never written */
                        lzo_literals(&reader, lzo_length(&reader, byte, 15, 3));
                        state = 4;
                        continue;
                }
                lzo_literals(&reader, state);
        }
}
