/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes the nth allocation fail. The linker replaces the allocating functions in a test that is listed in meson.build
 * under failing_allocation; those that the C library calls for itself are not reached. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

/* Volatile: the compiler knows malloc() and believes that it leaves other variables alone. */
static volatile size_t allocations_left = SIZE_MAX;
static volatile bool allocation_has_failed;

static inline bool allocation_fails(void) {
        if (allocations_left == SIZE_MAX)
                return false;
        if (allocations_left > 0) {
                allocations_left--;
                return false;
        }
        allocation_has_failed = true;
        errno = ENOMEM;
        return true;
}

#define FAILING(type, name, parameters, arguments) \
        type __real_##name parameters;             \
        type __wrap_##name parameters;             \
        type __wrap_##name parameters {            \
                if (allocation_fails())            \
                        return (type)0;            \
                return __real_##name arguments;    \
        }

FAILING(void *, malloc, (size_t size), (size))
FAILING(void *, calloc, (size_t n, size_t size), (n, size))
FAILING(void *, realloc, (void *old, size_t size), (old, size))
FAILING(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
FAILING(char *, strdup, (const char *text), (text))
FAILING(char *, strndup, (const char *text, size_t size), (text, size))
FAILING(FILE *, open_memstream, (char **text, size_t *size), (text, size))

int __real_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments) {
        return allocation_fails() ? -1 : __real_vasprintf(ret, format, arguments);
}

/* Runs the function with its first, then its second … allocation failing, and all that follow, until it needs no more
 * of them. It says -ENOMEM, or 0 where it can do without; leaks are for the sanitizer to find. Returns how often it said
 * -ENOMEM. */
static inline size_t fail_every_allocation(int (*function)(void)) {
        size_t n_refused = 0;

        for (size_t n = 0;; n++) {
                allocation_has_failed = false;
                allocations_left = n;
                const int r = function();
                allocations_left = SIZE_MAX;

                if (r != -ENOMEM)
                        assert_int_equal(r, 0);
                if (!allocation_has_failed)
                        return n_refused;
                n_refused += r < 0;
        }
}
