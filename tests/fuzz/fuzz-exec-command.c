/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>
#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "unit/exec-command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line with commands, and behind it variables, one on each line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *line = strndup((const char *)data, size);
        _cleanup_(exec_command_list_done) ExecCommandList list = {};
        _cleanup_(strv_freep) char **variables = NULL, **missing = NULL;
        _cleanup_(reason_done) Reason reason = {};

        if (!line)
                return 0;
        char *const line_end = strchrnul(line, '\n');
        if (strv_split(line_end, "\n", &variables) < 0 || strv_length(STRV(variables)) > 100)
                return 0;
        *line_end = '\0';

        const int r = exec_command_parse(line, "a-b@c\\x20d.service", &list, &reason);
        assert(r == 0 || r == -EINVAL || r == -E2BIG);
        assert((r == 0) == (list.n_items > 0));
        for (size_t i = 0; i < list.n_items; i++) {
                const ExecCommand *const command = &list.items[i];
                _cleanup_(strv_freep) char **argv = NULL;

                assert(command->path[0] == '/' || !strchr(command->path, '/'));
                assert(command->argv && command->argv[0]);
                if (exec_command_expand(STRV(command->argv), STRV(variables), &argv, &missing) < 0)
                        return 0;
        }
        return 0;
}
