/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/text.h"
#include "manager/hand-over.h"

#define BASE_SIZE_MAX 4096

/* They only have to wake up, and to write nothing. */
#define TRIES_MAX     250
#define INTERVAL_NSEC 20000000

int hand_over_ask(int runtime_fd, const char *base, pid_t *ret_holder) {
        const struct timespec interval = { .tv_nsec = INTERVAL_NSEC };

        int r = file_write_text(runtime_fd, HAND_OVER_FILE, base, 0600);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                r = file_lock(runtime_fd, FILE_LOCK_EXCLUSIVE, ret_holder);
                if (r != 0)
                        break;
                (void)nanosleep(&interval, NULL);
        }
        (void)unlinkat(runtime_fd, HAND_OVER_FILE, 0);
        return r;
}

bool hand_over_is_asked(int runtime_fd, const char *base) {
        _cleanup_(freep) char *wanted = NULL;

        return file_read(runtime_fd, HAND_OVER_FILE, BASE_SIZE_MAX, &wanted, NULL) >= 0 &&
               text_equal(wanted, base);
}
