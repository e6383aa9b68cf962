/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/parse.h"
#include "base/text.h"

int parse_bool(const char *text, bool *ret) {
        static const char *const words[][6] = {
                { "no", "false", "0", "off", "n", "f" },
                { "yes", "true", "1", "on", "y", "t" },
        };

        for (size_t value = 0; value < ELEMENTSOF(words); value++)
                for (size_t i = 0; i < ELEMENTSOF(words[value]); i++)
                        if (strcasecmp(text, words[value][i]) == 0) {
                                *ret = value == 1;
                                return 0;
                        }
        return -EINVAL;
}

/* Reads the digits at the start of text; *end is what follows them. */
static int parse_digits(const char *text, const char **end, uint64_t *ret) {
        uint64_t value = 0;

        if (*text < '0' || *text > '9')
                return -EINVAL;
        for (; *text >= '0' && *text <= '9'; text++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
                        return -ERANGE;

        *end = text;
        *ret = value;
        return 0;
}

int parse_uint64(const char *text, uint64_t *ret) {
        const char *end;
        uint64_t value;

        const int r = parse_digits(text, &end, &value);
        if (r < 0)
                return r;
        if (*end != '\0')
                return -EINVAL;

        *ret = value;
        return 0;
}

static const char size_suffixes[] = "BKMGT"; /* index: power of 1024 */

int parse_size(const char *text, uint64_t *ret) {
        const char *end;
        uint64_t value;

        const int r = parse_digits(text, &end, &value);
        if (r < 0)
                return r;

        end += strspn(end, " \t");
        if (*end != '\0') {
                const char upper = *end >= 'a' && *end <= 'z' ? (char)(*end - 'a' + 'A') : *end;
                const char *suffix = strchr(size_suffixes, upper);

                if (!suffix || end[1] != '\0')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (suffix - size_suffixes)), &value))
                        return -ERANGE;
        }

        *ret = value;
        return 0;
}

void size_format(uint64_t size, char text[static 24]) {
        unsigned power = 0;

        while (size > 0 && size % KIB == 0 && power < sizeof(size_suffixes) - 2) {
                size /= KIB;
                power++;
        }
        if (power == 0)
                (void)snprintf(text, 24, "%" PRIu64, size);
        else
                (void)snprintf(text, 24, "%" PRIu64 "%c", size, size_suffixes[power]);
}

void size_format_rounded(uint64_t size, char text[static 24]) {
        unsigned power = 0;
        uint64_t unit = 1;

        while (size / unit >= KIB && power < sizeof(size_suffixes) - 2) {
                unit *= KIB;
                power++;
        }
        if (power == 0)
                (void)snprintf(text, 24, "%" PRIu64 "B", size);
        else
                (void)snprintf(text, 24, "%" PRIu64 ".%u%c", size / unit, (unsigned)(size % unit * 10 / unit),
                               size_suffixes[power]);
}
