/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Unified kernel images (UAPI Group's Unified Kernel Image specification): kernel, initrd and command line as sections of
 * one PE executable, on top of systemd's stub. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct UnifiedKernel {
        int stub_fd, kernel_fd, initrd_fd; /* regular files; initrd_fd -EBADF: none */
        const char *command_line;          /* NULL: none; blanks at its ends are cut */
        const char *os_release;            /* text of the file; NULL: none */
        const char *uname;                 /* kernel version; NULL: none */
        const char *sbat; /* SBAT lines in addition to the stub's and the kernel's own; NULL: none */
} UnifiedKernel;

/* Writes the image to fd, an empty regular file. -EBADMSG when stub or kernel is no PE image of a known machine, or the
 * two are of different machines; what is wrong is in the reason. A signature of the stub is dropped, one of the kernel
 * stays. The same input gives the same bytes. */
int unified_kernel_write(const UnifiedKernel *kernel, int fd, Reason *reason);
