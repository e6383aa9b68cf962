/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "format/lzo.h"

#define HASH_BITS      12
#define MATCH_SIZE_MIN 4

/* The short form of a copy: two bytes. */
#define NEAR_SIZE_MAX     8
#define NEAR_DISTANCE_MAX 2048

typedef struct Output {
        uint8_t *next;
        uint8_t *
                last_copy; /* the byte of the last copy that has room for the number of up to three literals */
} Output;

/* A length that does not fit into its instruction: as many zeros as there are 255s in it, then the rest. */
static void put_length(Output *output, size_t length) {
        for (; length > 255; length -= 255)
                *output->next++ = 0;
        *output->next++ = (uint8_t)length;
}

static void put_literals(Output *output, const uint8_t *from, size_t n) {
        if (n == 0)
                return;
        if (output->last_copy && n <= 3)
                *output->last_copy |= (uint8_t)n;
        else if (!output->last_copy && n <= 238)
                *output->next++ = (uint8_t)(17 + n);
        else if (n <= 18)
                *output->next++ = (uint8_t)(n - 3);
        else {
                *output->next++ = 0;
                put_length(output, n - 18);
        }
        memcpy(output->next, from, n);
        output->next += n;
}

static void put_copy(Output *output, size_t distance, size_t length) {
        const size_t d = distance - 1;

        if (length <= NEAR_SIZE_MAX && distance <= NEAR_DISTANCE_MAX) {
                output->last_copy = output->next;
                *output->next++ = (uint8_t)((length - 1) << 5 | (d & 7) << 2);
                *output->next++ = (uint8_t)(d >> 3);
                return;
        }
        if (length <= 33)
                *output->next++ = (uint8_t)(32 | (length - 2));
        else {
                *output->next++ = 32;
                put_length(output, length - 33);
        }
        output->last_copy = output->next;
        *output->next++ = (uint8_t)(d << 2);
        *output->next++ = (uint8_t)(d >> 6);
}

static uint32_t load(const uint8_t *from) {
        uint32_t word;

        memcpy(&word, from, sizeof(word));
        return word;
}

/* Where bytes like those at the position were last. Byte order decides which ones are kept apart, so the word is used as
 * it would be on a little-endian machine: the output must not depend on ours. */
static size_t hash(const uint8_t *from) {
        const uint32_t word =
                from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;

        return (word * UINT32_C(2654435761)) >> (32 - HASH_BITS);
}

size_t lzo_compress(const uint8_t *from, size_t size, uint8_t to[static LZO_OUTPUT_SIZE_MAX]) {
        uint16_t positions[1 << HASH_BITS] = {}; /* plus one; 0: none */
        Output output = { .next = to };
        size_t written = 0, position = 1;

        assert(size > 0 && size <= LZO_SIZE_MAX);

        if (size >= MATCH_SIZE_MIN)
                positions[hash(from)] = 1;
        while (position + MATCH_SIZE_MIN <= size) {
                uint16_t *known = &positions[hash(from + position)];
                const size_t candidate = *known;

                *known = (uint16_t)(position + 1);
                if (candidate == 0 || load(from + candidate - 1) != load(from + position)) {
                        position++;
                        continue;
                }

                const size_t distance = position - (candidate - 1);
                size_t length = MATCH_SIZE_MIN;
                while (position + length < size &&
                       from[position + length] == from[position + length - distance])
                        length++;
                put_literals(&output, from + written, position - written);
                put_copy(&output, distance, length);
                position += length;
                written = position;
        }
        put_literals(&output, from + written, size - written);

        /* The end: a copy from nowhere. */
        memcpy(output.next, "\x11\0\0", 3);
        return (size_t)(output.next + 3 - to);
}
