/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "exec/exec-context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written in a way that reads as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(exec_context_done) ExecContext context = { .descriptors = EXEC_DESCRIPTORS_NONE };
        _cleanup_(exec_context_done) ExecContext again = { .descriptors = EXEC_DESCRIPTORS_NONE };
        _cleanup_(freep) char *text = strndup((const char *)data, size), *written = NULL,
                              *written_again = NULL;
        _cleanup_(reason_done) Reason reason = {};

        if (!text)
                return 0;
        const int r = exec_context_read(text, &context, &reason);
        if (r < 0) {
                assert(r == -ENOMEM || (r == -EINVAL && reason.text));
                return 0;
        }
        assert(context.unit && context.command.path && context.command.argv);
        assert(exec_context_write(&context, &written) == 0);
        assert(exec_context_read(written, &again, NULL) == 0);
        assert(exec_context_write(&again, &written_again) == 0);
        assert(text_equal(written, written_again));
        return 0;
}
