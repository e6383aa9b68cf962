/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mkosi-exec: the manager of services runs this in the control group of a service, with all that is to be done in a file that it
 * inherits. */

#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "exec/exec-process.h"
#include "unit/exec-status.h"

#define CONTEXT_SIZE_MAX (16 * 1024 * 1024)

static int refuse(int exit, int r, const Reason *reason) {
        (void)log_error(r, "%s", reason_text(reason, r));
        return exit;
}

int main(int argc, char *argv[]) {
        _cleanup_(exec_context_done) ExecContext context = { .descriptors = EXEC_DESCRIPTORS_NONE };
        _cleanup_(freep) char *text = NULL;
        _cleanup_(reason_done) Reason reason = {};
        uint64_t fd;

        log_set_name("mkosi-exec");
        if (argc != 2 || parse_uint64(argv[1], &fd) < 0 || fd <= STDERR_FILENO || fd > INT32_MAX) {
                (void)reason_set(&reason, -EINVAL,
                                 "This is run by the manager of services, and by nobody else");
                return refuse(EXIT_FAILURE, -EINVAL, &reason);
        }
        int r = fd_read_file((int)fd, CONTEXT_SIZE_MAX, &text, NULL);
        if (r < 0)
                return refuse(EXEC_EXIT_FDS, r, &reason);
        r = exec_context_read(text, &context, &reason);
        if (r < 0)
                return refuse(EXEC_EXIT_FDS, r, &reason);
        return exec_process_run(&context);
}
