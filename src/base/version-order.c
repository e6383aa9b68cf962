/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/text.h"
#include "base/version-order.h"

/* What separates parts, the earliest first: what comes behind it is older than what has nothing there, or newer. */
static const char separators[] = "~\0-^.";

static bool is_significant(char c) {
        return isalnum((unsigned char)c) || (c != '\0' && strchr("~-^.", c));
}

/* The place of a separator in the order of these; the end of the text is between '~' and '-'. */
static int rank_of(char c) {
        if (isalnum((unsigned char)c))
                return (int)sizeof(separators);
        return (int)((const char *)memchr(separators, c, sizeof(separators) - 1) - separators);
}

static int compare_numbers(const char **a, const char **b) {
        *a += strspn(*a, "0");
        *b += strspn(*b, "0");

        const size_t length_a = strspn(*a, "0123456789"), length_b = strspn(*b, "0123456789");
        const int r = length_a != length_b ? (length_a < length_b ? -1 : 1) : strncmp(*a, *b, length_a);

        *a += length_a;
        *b += length_b;
        return r;
}

static int compare_words(const char **a, const char **b) {
        size_t length_a = 0, length_b = 0;

        while (isalpha((unsigned char)(*a)[length_a]))
                length_a++;
        while (isalpha((unsigned char)(*b)[length_b]))
                length_b++;

        const int r = strncmp(*a, *b, MIN(length_a, length_b));
        *a += length_a;
        *b += length_b;
        return r != 0 ? r : (length_a > length_b) - (length_a < length_b);
}

int version_compare(const char *a, const char *b) {
        for (;;) {
                while (*a && !is_significant(*a))
                        a++;
                while (*b && !is_significant(*b))
                        b++;

                const int rank_a = rank_of(*a), rank_b = rank_of(*b);
                if (rank_a != rank_b)
                        return rank_a < rank_b ? -1 : 1;
                if (*a == '\0')
                        return 0;
                if (!isalnum((unsigned char)*a)) {
                        a++;
                        b++;
                        continue;
                }
                /* A number is newer than a word. */
                const bool has_number = isdigit((unsigned char)*a) || isdigit((unsigned char)*b);
                const int r = has_number && !isdigit((unsigned char)*a)   ? -1
                              : has_number && !isdigit((unsigned char)*b) ? 1
                              : has_number                                ? compare_numbers(&a, &b)
                                                                          : compare_words(&a, &b);
                if (r != 0)
                        return r;
        }
}

Order order_read(const char **text) {
        /* The longer ones first. */
        static const struct {
                const char *word;
                Order order;
        } operators[] = {
                { "!$=", ORDER_DIFFERS },      { "$=", ORDER_MATCHES },
                { "<=", ORDER_LESS_OR_EQUAL }, { ">=", ORDER_GREATER_OR_EQUAL },
                { "==", ORDER_SAME },          { "<>", ORDER_OTHER },
                { "!=", ORDER_UNEQUAL },       { "<", ORDER_LESS },
                { ">", ORDER_GREATER },        { "=", ORDER_EQUAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(operators); i++) {
                const char *const rest = text_after_prefix(*text, operators[i].word);

                if (!rest)
                        continue;
                *text = rest;
                return operators[i].order;
        }
        return ORDER_NONE;
}

bool order_holds(Order order, int comparison) {
        switch (order) {
        case ORDER_LESS:
                return comparison < 0;
        case ORDER_LESS_OR_EQUAL:
                return comparison <= 0;
        case ORDER_EQUAL:
                return comparison == 0;
        case ORDER_UNEQUAL:
                return comparison != 0;
        case ORDER_GREATER_OR_EQUAL:
                return comparison >= 0;
        case ORDER_GREATER:
                return comparison > 0;
        default:
                return false;
        }
}

bool order_holds_for(Order order, const char *value, const char *wanted) {
        if (order == ORDER_SAME || order == ORDER_OTHER)
                return text_equal(value, wanted) == (order == ORDER_SAME);
        if (order == ORDER_MATCHES || order == ORDER_DIFFERS)
                return (fnmatch(wanted, value, 0) == 0) == (order == ORDER_MATCHES);
        return order_holds(order, version_compare(value, wanted));
}
