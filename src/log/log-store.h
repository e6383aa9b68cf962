/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The log: records in the Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS), appended to files in one directory
 * (log-file.h). The last one is written to; when it is full the next one is begun, and the oldest go when all are too
 * large, or the disk is full. A record that a crash cut off at the end is passed over, and cut before the next one is written.
 * Where journald listens (/run/systemd/journal/socket), every record goes there as well. */

#include <stdio.h>

#include "base/macro.h"
#include "base/reason.h"

#define LOG_FILE_SIZE_MAX   (16 * 1024 * 1024)
#define LOG_STORE_SIZE_MAX  (128 * 1024 * 1024)
#define LOG_RECORD_SIZE_MAX (16 * 1024 * 1024)
#define LOG_FIELDS_MAX      1024

typedef struct LogStore LogStore;

/* For writing; the directory is made with mode 0755, files have 0640. */
int log_store_open(const char *directory, LogStore **ret, Reason *reason);
void log_store_free(LogStore *store);
DEFINE_CLEANUP(LogStore, log_store_free)

/* A field; value may hold anything. Names are upper-case letters, digits and '_'; a name that begins with '_' is trusted,
 * and only the writer's own. */
typedef struct LogField {
        const char *name;
        const void *value;
        size_t size; /* SIZE_MAX: the value is a string */
} LogField;

/* One record. __REALTIME_TIMESTAMP, __MONOTONIC_TIMESTAMP, __CURSOR, _BOOT_ID, _MACHINE_ID, _HOSTNAME are added, and of
 * `pid` (0: of this process) _PID, _UID, _GID, _COMM, _EXE, _CMDLINE, _CAP_EFFECTIVE, as far as they can be had. -E2BIG of a
 * record that would have LOG_RECORD_SIZE_MAX bytes or more. What could not be written is counted, and said by the next record. */
int log_store_write(LogStore *store, pid_t pid, const LogField *fields, size_t n_fields);

/* What is known of a process is kept from one record to the next; from here on it is asked anew. */
void log_store_ask_anew(LogStore *store);

typedef struct LogRecord {
        LogField
                *fields; /* names and values have a NUL behind them, and last until the next record is read */
        size_t n_fields;
        uint64_t realtime_usec;
} LogRecord;
const LogField *log_record_find(const LogRecord *record, const char *name);
bool log_field_equals(const LogField *field, const char *value);

typedef struct LogQuery {
        const char *const
                *units; /* any of these; NULL: all. Records about a unit by the manager count as its own */
        const char *const *matches;      /* "FIELD=VALUE": all fields must match, of one field any */
        size_t n_last;                   /* SIZE_MAX: all */
        bool reverse;                    /* newest first */
        unsigned n_priorities;           /* only records whose PRIORITY is below this; 0: all */
        uint64_t since_usec, until_usec; /* both included; 0: not said */
        bool follow; /* goes on with what is written from then on, until hangup_fd is a pipe that nobody reads */
        int hangup_fd;
} LogQuery;

/* Calls for each record that is asked for, oldest first; a negative result ends it and is returned. The store may be
 * written to meanwhile. The last ones are looked for from the end on, so that neither time nor memory depends on what is before
 * them. What is damaged is left out, and -EBADMSG at the end. */
int log_store_read(const char *directory, const LogQuery *query,
                   int (*on_record)(const LogRecord *record, void *userdata), void *userdata, Reason *reason);

typedef enum LogFormat {
        LOG_SHORT,
        LOG_VERBOSE,
        LOG_EXPORT,
        LOG_JSON,
        LOG_CAT,
        LOG_SHORT_ISO,
        LOG_FORMAT_MAX
} LogFormat;
/* As journalctl(1) prints it, --output=short and so on. */
int log_record_print(const LogRecord *record, LogFormat format, FILE *file);
