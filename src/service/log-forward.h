/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records for journald, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). */

#include "service/log-store.h"

/* A socket that is connected to it; -ENOENT, -ECONNREFUSED where none listens. */
int log_forward_open(void);
/* What cannot be sent is lost: the store has it. */
void log_forward_send(int fd, const LogField *fields, size_t n_fields);

/* As the export format and the native protocol have it: a line if the value is text, else the length in front. */
void log_field_write(FILE *file, const LogField *field);

/* How many bytes of a file of the store are whole records, up to the first thing that is none, when those up to `from` are known
 * to be. Moves the descriptor's place. */
int log_file_measure(int fd, uint64_t from, uint64_t *ret);
