/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time-span.h"
#include "log/log-forward.h"
#include "log/log-store.h"

/* How records look, as journalctl(1) prints them. */

/* What a terminal would obey, or is no UTF-8, is shown as '?', but for line ends, which are indented by that. */
static void print_text(const LogField *field, size_t indent, FILE *file) {
        const char *bytes = field->value;

        for (size_t i = 0, length; i < field->size; i += MAX(length, (size_t)1)) {
                length = text_tame_length(bytes + i);
                if (length > 0)
                        (void)fwrite(bytes + i, 1, length, file);
                else if (bytes[i] == '\n' && i + 1 < field->size)
                        (void)fprintf(file, "\n%*s", (int)indent, "");
                else if (bytes[i] != '\n')
                        (void)fputc(bytes[i] == '\t' ? '\t' : '?', file);
        }
}

static struct tm time_of(const LogRecord *record) {
        const time_t seconds = (time_t)(record->realtime_usec / SECOND_USEC);
        struct tm tm = {};

        (void)localtime_r(&seconds, &tm);
        return tm;
}

static const LogField *find_either(const LogRecord *record, const char *name, const char *other) {
        return log_record_find(record, name) ?: log_record_find(record, other);
}

/* "Oct 09 18:05:47 host name[123]: message" */
static void print_short(const LogRecord *record, bool is_iso, FILE *file) {
        static const LogField unknown = { .name = "", .value = "unknown", .size = 7 };
        const LogField *message = log_record_find(record, "MESSAGE");
        const LogField *host = log_record_find(record, "_HOSTNAME");
        const LogField *name = find_either(record, "SYSLOG_IDENTIFIER", "_COMM");
        const LogField *pid = find_either(record, "_PID", "SYSLOG_PID");
        char when[64];

        if (!message)
                return;
        const struct tm tm = time_of(record);
        if (is_iso)
                (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z ", &tm);
        else
                (void)strftime(when, sizeof(when), "%b %d %H:%M:%S ", &tm);
        (void)fputs(when, file);
        if (host) {
                print_text(host, 0, file);
                (void)fputc(' ', file);
        }
        print_text(name ?: &unknown, 0, file);
        if (pid) {
                (void)fputc('[', file);
                print_text(pid, 0, file);
                (void)fputc(']', file);
        }
        (void)fputs(": ", file);
        print_text(message, 4, file);
        (void)fputc('\n', file);
}

static void print_verbose(const LogRecord *record, FILE *file) {
        const LogField *cursor = log_record_find(record, "__CURSOR");
        const struct tm tm = time_of(record);
        char day[64], zone[64];

        (void)strftime(day, sizeof(day), "%a %Y-%m-%d %H:%M:%S", &tm);
        (void)strftime(zone, sizeof(zone), "%Z", &tm);
        (void)fprintf(file, "%s.%06" PRIu64 " %s", day, record->realtime_usec % SECOND_USEC, zone);
        if (cursor) {
                (void)fputs(" [", file);
                print_text(cursor, 0, file);
                (void)fputc(']', file);
        }
        (void)fputc('\n', file);
        for (size_t i = 0; i < record->n_fields; i++) {
                const LogField *field = &record->fields[i];

                if (text_after_prefix(field->name, "__"))
                        continue;
                (void)fprintf(file, "    %s=", field->name);
                print_text(field, strlen(field->name) + 5, file);
                (void)fputc('\n', file);
        }
}

static void print_export(const LogRecord *record, FILE *file) {
        for (size_t i = 0; i < record->n_fields; i++)
                log_field_write(file, &record->fields[i]);
        (void)fputc('\n', file);
}

static bool is_text(const LogField *field) {
        const char *bytes = field->value;

        for (size_t i = 0, length; i < field->size; i += length) {
                length = bytes[i] == '\n' || bytes[i] == '\t' ? 1 : text_tame_length(bytes + i);
                if (length == 0)
                        return false;
        }
        return true;
}

/* Text that no terminal would obey is a string, anything else an array of its bytes. */
static void print_json(const LogRecord *record, FILE *file) {
        JsonWriter writer = { .file = file, .compact = true };

        json_begin_object(&writer, NULL);
        for (size_t i = 0; i < record->n_fields; i++) {
                const LogField *field = &record->fields[i];
                const uint8_t *bytes = field->value;

                if (is_text(field)) {
                        json_text(&writer, field->name, field->value);
                        continue;
                }
                json_begin_array(&writer, field->name);
                for (size_t j = 0; j < field->size; j++)
                        json_number(&writer, NULL, bytes[j]);
                json_end_array(&writer);
        }
        json_end_object(&writer);
}

int log_record_print(const LogRecord *record, LogFormat format, FILE *file) {
        const LogField *message;

        switch (format) {
        case LOG_VERBOSE:
                print_verbose(record, file);
                break;
        case LOG_EXPORT:
                print_export(record, file);
                break;
        case LOG_JSON:
                print_json(record, file);
                break;
        case LOG_CAT:
                message = log_record_find(record, "MESSAGE");
                if (message) {
                        print_text(message, 0, file);
                        (void)fputc('\n', file);
                }
                break;
        case LOG_SHORT_ISO:
                print_short(record, true, file);
                break;
        default:
                print_short(record, false, file);
        }
        return ferror(file) ? -EIO : 0;
}
