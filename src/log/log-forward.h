/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records for journald, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). */

#include "log/log-store.h"

#define LOG_FORWARD_SOCKET "/run/systemd/journal/socket"

/* journald may come and go: it is looked for once in a second while there is none. */
typedef struct LogForward {
        const char *path;  /* of its socket */
        int fd;            /* -EBADF: not connected */
        bool known;        /* it has been there: what cannot be sent is missed */
        uint64_t try_usec; /* monotonic: not before that */
        uint64_t n_lost;
} LogForward;

/* Never waits. What cannot be sent although journald is there, or was, is counted; the store has it all the same. */
void log_forward(LogForward *forward, const LogField *fields, size_t n_fields);
/* How many were lost until it worked again, to be said once; 0: none, or it does not work yet. */
uint64_t log_forward_take_lost(LogForward *forward);
/* Of a connected socket. */
int log_forward_send(int fd, const LogField *fields, size_t n_fields);

/* As the export format and the native protocol have it: a line if the value is text, else the length in front. */
void log_field_write(FILE *file, const LogField *field);
