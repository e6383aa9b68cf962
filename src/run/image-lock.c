/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/file-lock.h"
#include "base/log.h"
#include "run/image-lock.h"

int image_lock(const Config *config, int *ret_fd) {
        const FileLock lock = config->persistent ? FILE_LOCK_EXCLUSIVE : FILE_LOCK_SHARED;
        pid_t holder;

        const int r = file_lock_path(config->output, lock, ret_fd, &holder);
        if (r < 0)
                return log_error(r, "Cannot lock %s: %m", config->output);
        if (r > 0)
                return 0;
        if (config->persistent)
                return log_error(-EBUSY,
                                 "%s is in use by process %d, and --persistent wants it alone: end that "
                                 "first, or leave the option out",
                                 config->output, (int)holder);
        return log_error(-EBUSY, "%s is being changed or replaced by process %d: wait until that has ended",
                         config->output, (int)holder);
}
