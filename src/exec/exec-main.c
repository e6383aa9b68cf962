/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mkosi-exec: the manager of services runs this in the control group of a service, with all that is to be done in a file that it
 * inherits. */

#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/text.h"
#include "exec/exec-process.h"
#include "unit/exec-status.h"

static const char help[] = "mkosi-exec DESCRIPTOR\n"
                           "\n"
                           "Sets the process of a service up, and becomes its program. It is run by\n"
                           "mkosi-manager and mkosi-run, with all that is to be done in an open file.\n"
                           "\n"
                           "  --help     show this\n"
                           "  --version  show the version\n";

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
        if (argc == 2 && text_equal(argv[1], "--version"))
                return puts("mkosi-exec " MKOSI_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc == 2 && text_equal(argv[1], "--help"))
                return fputs(help, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc != 2 || parse_uint64(argv[1], &fd) < 0 || fd <= STDERR_FILENO || fd > INT32_MAX) {
                (void)reason_set(
                        &reason, -EINVAL,
                        "This is run by mkosi-manager and mkosi-run alone; see \"mkosi-exec --help\"");
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
