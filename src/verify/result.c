/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "verify/result.h"

const char *const verify_verdict_words[] = {
        [VERIFY_OK] = "ok",
        [VERIFY_FAILED] = "failed",
        [VERIFY_ABSENT] = "absent",
};
static_assert(ELEMENTSOF(verify_verdict_words) == VERIFY_VERDICT_MAX, "A verdict has no word");

int verify_add(VerifyResults *results, VerifyVerdict verdict, const char *object, const char *format, ...) {
        _cleanup_(freep) char *copy = NULL;
        va_list arguments;
        char *detail;

        const int r = text_copy(object, &copy);
        if (r < 0)
                return r;
        VerifyResult *more = reallocarray(results->items, results->n_items + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        results->items = more;
        va_start(arguments, format);
        const int length = vasprintf(&detail, format, arguments);
        va_end(arguments);
        if (length < 0)
                return -ENOMEM;
        /* Names, labels and command lines are whatever the image has. */
        text_tame(copy);
        text_tame(detail);
        more[results->n_items++] =
                (VerifyResult){ .verdict = verdict, .object = TAKE_PTR(copy), .detail = detail };
        return 0;
}

void verify_results_done(VerifyResults *results) {
        for (size_t i = 0; i < results->n_items; i++) {
                free(results->items[i].object);
                free(results->items[i].detail);
        }
        free(results->items);
        *results = (VerifyResults){};
}

bool verify_results_are_good(const VerifyResults *results) {
        for (size_t i = 0; i < results->n_items; i++)
                if (results->items[i].verdict == VERIFY_FAILED)
                        return false;
        return true;
}
