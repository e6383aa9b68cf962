/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A terminal for what runs in a container: a pseudo terminal whose other side is our own standard input and output, by way of a
 * small process that copies between both. If standard input is a terminal it is raw meanwhile, so that every key gets
 * inside but Ctrl-] pressed three times within a second. When our output goes to nobody any more, SIGTERM comes to this
 * process. */

#include "base/macro.h"

typedef struct Console {
        int slave_fd;     /* for what runs inside */
        char *slave_path; /* "/dev/pts/7" */
        int master_fd;
        int control_fd; /* when it becomes readable, the keys want the end at once; -EBADF: it is not started */
        pid_t copier;   /* 0: it does not run */
} Console;

int console_new(Console **ret);

/* Begins to copy. No other thread may run. */
int console_start(Console *console);

/* To be called when all inside have ended: copies what is still to come, and gives the terminal back. */
void console_stop(Console *console);

/* The same, and frees. */
void console_free(Console *console);
DEFINE_CLEANUP(Console, console_free)
