/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a file of the log holds: records follow each other without gaps, what was measured can be taken apart, and no value
 * leads out of its record. */

#include <string.h>

#include "log/log-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(const uint8_t *data, size_t size, const LogEntry *entry) {
        static LogField fields[LOG_FIELDS_MAX];
        LogRecord record = { .fields = fields };
        char *copy = malloc(size);

        if (!copy)
                return;
        memcpy(copy, data, size);
        if (log_record_split(copy, size, &record) < 0 || record.realtime_usec != entry->realtime_usec ||
            log_unit_of_fields(fields, record.n_fields) != entry->unit)
                abort();
        for (size_t i = 0; i < record.n_fields; i++) {
                const char *const value = fields[i].value;

                if (fields[i].name < copy || strlen(fields[i].name) == 0 ||
                    value + fields[i].size >= copy + size || value[fields[i].size] != '\0')
                        abort();
        }
        free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        LogEntry entry;

        for (size_t taken = 0; taken < size; taken += entry.end) {
                if (log_record_measure((const char *)data + taken, size - taken, &entry) <= 0)
                        break;
                if (entry.end == 0 || entry.end > size - taken)
                        abort();
                split(data + taken, entry.end, &entry);
        }
        return 0;
}
