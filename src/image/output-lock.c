/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "image/output-lock.h"

#define WAIT_MILLISECONDS 200

/* Who runs an image can be asked to end, so that a build which has come this far is not lost. */
static int wait_for_lock(const char *output, pid_t holder, int *ret_fd) {
        int r = 0;

        log_info("Waiting until process %d, which runs %s, has ended", (int)holder, output);
        while (r == 0 && interrupt_check() == 0) {
                (void)poll(NULL, 0, WAIT_MILLISECONDS);
                r = file_lock_path(output, FILE_LOCK_EXCLUSIVE, ret_fd, &holder);
        }
        return r < 0 ? r : interrupt_check();
}

int output_lock(const char *output, bool wait, int *ret_fd) {
        _cleanup_(fd_closep) int fd = -EBADF;
        pid_t holder = 0;

        int r = file_lock_path(output, FILE_LOCK_EXCLUSIVE, &fd, &holder);
        if (r == 0 && !wait)
                return log_error(-EBUSY, "%s is being run by process %d: end that first", output,
                                 (int)holder);
        if (r == 0)
                r = wait_for_lock(output, holder, &fd);
        if (r == -EINTR)
                return r;
        /* What we may not even read, only others can have run. */
        if (r < 0 && r != -ENOENT && r != -EACCES)
                return log_error(r, "Cannot lock %s: %m", output);
        *ret_fd = TAKE_FD(fd);
        return 0;
}
