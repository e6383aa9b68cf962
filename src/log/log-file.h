/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of the log. "NUMBER.export" has records in the Journal Export Format, one behind the other; the number is the time at
 * which the file was begun, or one more than that of the file before. "NUMBER.index" beside it tells where each of them ends,
 * so that the last ones can be found without those before, and a unit's without the others. Only the records count: what no
 * index tells of is read from the file itself.
 *
 * An index is LOG_INDEX_MAGIC and an entry for each record, both of LOG_INDEX_ENTRY_SIZE bytes; numbers are 64 bits, lowest
 * byte first. An entry is written behind its record, by whoever holds the lock (flock(2)) of the records' file, so what
 * it tells of is whole. */

#include "log/log-store.h"

#define LOG_FILE_SUFFIX      ".export"
#define LOG_INDEX_SUFFIX     ".index"
#define LOG_INDEX_MAGIC      "mkosi: index of a log 1\n"
#define LOG_INDEX_ENTRY_SIZE 24
#define LOG_FILE_NAME_MAX    32

#define LOG_UNIT_ANY  UINT64_C(0) /* has to be looked at */
#define LOG_UNIT_NONE UINT64_C(1)

typedef struct LogEntry {
        uint64_t end; /* offset of what follows the record */
        uint64_t realtime_usec;
        uint64_t unit; /* log_unit_hash(), LOG_UNIT_ANY or LOG_UNIT_NONE */
} LogEntry;

void log_entry_encode(const LogEntry *entry, uint8_t bytes[static LOG_INDEX_ENTRY_SIZE]);
void log_entry_decode(const uint8_t bytes[static LOG_INDEX_ENTRY_SIZE], LogEntry *ret);
uint64_t log_unit_hash(const char *unit, size_t size);
/* Of the units that the fields name. */
uint64_t log_unit_of_fields(const LogField *fields, size_t n_fields);

/* The number of a file with this name; 0: it is none of ours. */
uint64_t log_file_number(const char *name);
void log_file_name(uint64_t number, const char *suffix, char ret[static LOG_FILE_NAME_MAX]);
/* The numbers of all files of a directory, in order. */
int log_files_list(int dir_fd, uint64_t **ret, size_t *ret_n);

/* How long the record is that the bytes begin with: 1; 0 when it goes on behind them; -EBADMSG when it is none. entry->end is
 * its length. */
int log_record_measure(const char *data, size_t size, LogEntry *ret);
/* Takes a record of exactly this size apart, in place: names and values get NULs behind them. -EBADMSG when it is none, or has
 * more fields than LOG_FIELDS_MAX, for which record->fields has room. */
int log_record_split(char *data, size_t size, LogRecord *record);

typedef struct LogFile {
        uint64_t number; /* 0: none is open */
        int data_fd, index_fd;
        LogEntry *entries;
        size_t n_entries, n_allocated;
        bool damaged; /* there are bytes behind the last entry that are no record, and none that is still being written */
} LogFile;

/* -ENOENT when it is not there any more. The members are kept as far as they can be used again. */
int log_file_open(LogFile *file, int dir_fd, uint64_t number);
/* Takes note of what was written since. */
int log_file_update(LogFile *file, int dir_fd);
void log_file_close(LogFile *file);
void log_file_done(LogFile *file);
