/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

int reason_set(Reason *reason, int r, const char *format, ...) {
        va_list arguments;

        assert(r < 0 && format);

        if (!reason || reason->text)
                return r;

        errno = -r;
        va_start(arguments, format);
        if (vasprintf(&reason->text, format, arguments) < 0)
                reason->text = NULL; /* the caller still has r */
        va_end(arguments);
        if (reason->text)
                text_tame(reason->text);
        return r;
}

const char *reason_text(const Reason *reason, int r) {
        assert(r < 0);

        if (reason && reason->text)
                return reason->text;
        return strerror(-r);
}

void reason_done(Reason *reason) {
        if (!reason)
                return;
        free(reason->text);
        reason->text = NULL;
}
