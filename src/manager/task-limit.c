/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/text.h"
#include "manager/task-limit.h"

#define FILE_SIZE_MAX 64
#define ALL_MAX       (UINT64_C(1) << 22) /* the kernel's PID_MAX_LIMIT, where no file tells less */

uint64_t task_limit_system(void) {
        /* Numbers have to be different, and each takes memory: whichever is exhausted first. */
        static const char *const paths[] = { "/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max" };
        uint64_t all = ALL_MAX;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(freep) char *text = NULL;
                uint64_t value;

                if (file_read(AT_FDCWD, paths[i], FILE_SIZE_MAX, &text, NULL) >= 0 &&
                    parse_uint64(text_strip(text), &value) >= 0)
                        all = MIN(all, value);
        }
        return all;
}

uint64_t task_limit_of(const char *text, uint64_t all) {
        _cleanup_(freep) char *number = NULL;
        uint64_t value;

        if (!text || !text_ends_with(text, "%"))
                return text && parse_uint64(text, &value) >= 0 ? value : UINT64_MAX;
        number = strndup(text, strlen(text) - 1);
        if (!number || parse_uint64(number, &value) < 0 || value > 100)
                return UINT64_MAX;
        return MAX(all * value / 100, UINT64_C(1));
}

uint64_t task_limit(const char *text) {
        return task_limit_of(text, text && text_ends_with(text, "%") ? task_limit_system() : 0);
}
