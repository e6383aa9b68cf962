/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Versions, and what conditions compare by operators. */

#include "base/macro.h"

/* Less than, equal to or greater than 0: by the rules of the UAPI group's version format specification, "1.10~rc1" < "1.10" <
 * "1.10-1" < "1.10^1" < "1.10.1". */
int version_compare(const char *a, const char *b);

typedef enum Order {
        ORDER_NONE, /* no operator was written */
        ORDER_LESS,
        ORDER_LESS_OR_EQUAL,
        ORDER_EQUAL,
        ORDER_UNEQUAL,
        ORDER_GREATER_OR_EQUAL,
        ORDER_GREATER,
        ORDER_SAME,    /* "==": the same text */
        ORDER_OTHER,   /* "<>": another text */
        ORDER_MATCHES, /* "$=": a shell pattern fits */
        ORDER_DIFFERS, /* "!$=": it does not */
} Order;

/* The operator at the beginning of a text, which is moved behind it. */
Order order_read(const char **text);
/* Whether a comparison with that result (as of strcmp(3)) is what the operator says. Not of patterns. */
bool order_holds(Order order, int comparison);
/* The same of two texts, which are versions where the operator compares. */
bool order_holds_for(Order order, const char *value, const char *wanted);
