/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the C language leaves out: automatic cleanup, giving ownership away, a few sizes. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#define _cleanup_(function)   __attribute__((cleanup(function)))
#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _unused_              __attribute__((unused))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

#define MAX(a, b)                                  \
        ({                                         \
                const typeof(a) _max_a = (a);      \
                const typeof(b) _max_b = (b);      \
                _max_a > _max_b ? _max_a : _max_b; \
        })
#define MIN(a, b)                                  \
        ({                                         \
                const typeof(a) _min_a = (a);      \
                const typeof(b) _min_b = (b);      \
                _min_a < _min_b ? _min_a : _min_b; \
        })

/* Hands an owned pointer on: the variable no longer owns it. */
#define TAKE_PTR(pointer)                            \
        ({                                           \
                typeof(pointer) *_take = &(pointer); \
                typeof(pointer) _taken = *_take;     \
                *_take = NULL;                       \
                _taken;                              \
        })

/* The same for a file descriptor. */
#define TAKE_FD(fd)                        \
        ({                                 \
                int *_take = &(fd);        \
                const int _taken = *_take; \
                *_take = -EBADF;           \
                _taken;                    \
        })

/* Defines foo_freep() for _cleanup_ out of foo_free(); foo_free() takes NULL. */
#define DEFINE_CLEANUP(type, function)                   \
        static inline void function##p(type **pointer) { \
                function(*pointer);                      \
        }

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

static inline void freep(void *pointer) {
        free(*(void **)pointer);
}

/* Rounds up to a multiple of alignment, which is a power of two; the caller rules out overflow. */
static inline uint64_t align_up(uint64_t value, uint64_t alignment) {
        return (value + alignment - 1) & ~(alignment - 1);
}

static inline uint64_t divide_round_up(uint64_t value, uint64_t divisor) {
        return value / divisor + (value % divisor != 0);
}
