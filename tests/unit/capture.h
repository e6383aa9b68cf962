/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a function prints on standard error. */

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

static inline char *capture_stderr(void (*function)(void)) {
        _cleanup_(fd_closep) int fd = memfd_create("stderr", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
        struct stat status;
        char *text;

        (void)fflush(stderr);
        assert_true(dup2(fd, STDERR_FILENO) >= 0);
        function();
        (void)fflush(stderr);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);

        assert_int_equal(fstat(fd, &status), 0);
        text = calloc(1, (size_t)status.st_size + 1);
        assert_int_equal(fd_pread_all(fd, text, (size_t)status.st_size, 0), 0);
        return text;
}
