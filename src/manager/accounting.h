/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a unit used, in words and as a record: systemd's formats of 2017, which scripts read. */

#include "log/log-store.h"
#include "manager/manager.h"

#define BYTES_TEXT_MAX 32

/* "231.0K": one digit, cut, powers of 1024; "168B" below. */
void bytes_format(uint64_t bytes, char text[static BYTES_TEXT_MAX]);

/* "Consumed 1.234s CPU time, received 49.5K IP traffic, sent 49.5K IP traffic", what was not counted left out; "Completed" if
 * nothing is left. */
int accounting_message(const UnitStatus *status, char **ret);

/* Writes the record MESSAGE_ID=ae8f7b866b0347b9af31fe1c80b127c0 about a unit that has ended; nothing when nothing was
 * counted. */
int accounting_log(LogStore *store, const UnitStatus *status);

/* What `run --wait` says at the end, line by line. */
int accounting_print_result(const UnitStatus *status, FILE *file);

/* What `ctl status` says: from the bullet to the tree of processes, without the log. now: microseconds since 1970. */
typedef struct StatusProcess {
        pid_t pid;
        const char *command_line;
} StatusProcess;
int status_print(const UnitStatus *status, const StatusProcess *processes, size_t n_processes, uint64_t now,
                 bool colors, FILE *file);
/* The same for programs, as an object. */
void status_print_json(const UnitStatus *status, const StatusProcess *processes, size_t n_processes,
                       JsonWriter *writer);
