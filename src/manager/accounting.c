/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "base/time-span.h"
#include "manager/accounting.h"

/* systemd's MESSAGE_ID of what a unit has used. */
#define MESSAGE_ID_RESOURCES "ae8f7b866b0347b9af31fe1c80b127c0"

#define NOT_COUNTED UINT64_MAX

_Static_assert(TIME_SPAN_TEXT_MAX >= BYTES_TEXT_MAX, "one text for both");

enum { INGRESS_BYTES, INGRESS_PACKETS, EGRESS_BYTES, EGRESS_PACKETS };

void bytes_format(uint64_t bytes, char text[static BYTES_TEXT_MAX]) {
        static const char suffixes[] = "KMGTPE";
        uint64_t unit = 1;
        size_t i = 0;

        if (bytes < KIB) {
                (void)snprintf(text, BYTES_TEXT_MAX, "%" PRIu64 "B", bytes);
                return;
        }
        for (unit = KIB; i + 1 < strlen(suffixes) && bytes / unit >= KIB; i++)
                unit *= KIB;
        /* A tenth of a unit is no whole number: the remainder is cut by dividing first where it could overflow. */
        const uint64_t rest = bytes % unit;
        const uint64_t tenth = unit >= UINT64_MAX / 10 ? rest / (unit / 10) : rest * 10 / unit;
        (void)snprintf(text, BYTES_TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%c", bytes / unit,
                       MIN(tenth, UINT64_C(9)), suffixes[i]);
}

static bool has_cpu(const UnitStatus *status) {
        return status->unit->settings.cpu_accounting == TRUTH_YES && status->cpu_nsec != NOT_COUNTED;
}

static bool has_traffic(const UnitStatus *status) {
        return status->unit->settings.ip_accounting == TRUTH_YES &&
               status->ip_counters[INGRESS_BYTES] != NOT_COUNTED;
}

int accounting_message(const UnitStatus *status, char **ret) {
        char cpu[TIME_SPAN_TEXT_MAX] = "", in[BYTES_TEXT_MAX], out[BYTES_TEXT_MAX];

        if (has_cpu(status))
                time_span_format(status->cpu_nsec / 1000, 1000, cpu);
        if (!has_traffic(status))
                return cpu[0] ? text_format(ret, "Consumed %s CPU time", cpu) : text_copy("Completed", ret);
        bytes_format(status->ip_counters[INGRESS_BYTES], in);
        bytes_format(status->ip_counters[EGRESS_BYTES], out);
        if (cpu[0])
                return text_format(ret, "Consumed %s CPU time, received %s IP traffic, sent %s IP traffic",
                                   cpu, in, out);
        return text_format(ret, "Received %s IP traffic, sent %s IP traffic", in, out);
}

/* The values of a record, which its fields point to. */
typedef struct Record {
        LogField fields[20];
        char numbers[6][24];
        size_t n_fields, n_numbers;
} Record;

static void add(Record *record, const char *name, const char *value) {
        record->fields[record->n_fields++] = (LogField){ .name = name, .value = value, .size = SIZE_MAX };
}

static void add_number(Record *record, const char *name, uint64_t number) {
        char *text = record->numbers[record->n_numbers++];

        (void)snprintf(text, sizeof(record->numbers[0]), "%" PRIu64, number);
        add(record, name, text);
}

int accounting_log(LogStore *store, const UnitStatus *status) {
        static const char *const counters[] = { "IP_METRIC_INGRESS_BYTES", "IP_METRIC_INGRESS_PACKETS",
                                                "IP_METRIC_EGRESS_BYTES", "IP_METRIC_EGRESS_PACKETS" };
        _cleanup_(freep) char *used = NULL, *message = NULL;
        Record record = {};

        if (!store || (!has_cpu(status) && !has_traffic(status)))
                return 0;
        int r = accounting_message(status, &used);
        if (r >= 0)
                r = text_format(&message, "%s: %s", status->unit->name, used);
        if (r < 0)
                return r;
        add(&record, "PRIORITY", "6");
        add(&record, "SYSLOG_FACILITY", "3");
        add(&record, "SYSLOG_IDENTIFIER", "mkosi-manager");
        add(&record, "UNIT", status->unit->name);
        add(&record, "MESSAGE_ID", MESSAGE_ID_RESOURCES);
        if (status->invocation_id)
                add(&record, "INVOCATION_ID", status->invocation_id);
        add(&record, "CODE_FILE", __FILE__);
        add_number(&record, "CODE_LINE", __LINE__);
        add(&record, "CODE_FUNC", __func__);
        add(&record, "_TRANSPORT", "journal");
        add(&record, "MESSAGE", message);
        if (has_cpu(status))
                add_number(&record, "CPU_USAGE_NSEC", status->cpu_nsec);
        for (size_t i = 0; has_traffic(status) && i < ELEMENTSOF(counters); i++)
                add_number(&record, counters[i], status->ip_counters[i]);
        return log_store_write(store, 0, record.fields, record.n_fields);
}

/* "code=exited/status=0", "code=killed/status=TERM" */
static void print_exit(const UnitStatus *status, FILE *file) {
        const char *code = status->main_code == CLD_EXITED   ? "exited"
                           : status->main_code == CLD_KILLED ? "killed"
                                                             : "dumped";

        (void)fprintf(file, "Main processes terminated with: code=%s/status=", code);
        if (status->main_code == CLD_EXITED)
                (void)fprintf(file, "%d\n", status->main_status);
        else
                (void)fprintf(file, "%s\n", sigabbrev_np(status->main_status) ?: "?");
}

int accounting_print_result(const UnitStatus *status, FILE *file) {
        char text[TIME_SPAN_TEXT_MAX];

        (void)fprintf(file, "Finished with result: %s\n", service_result_words[status->result]);
        if (status->main_code != 0)
                print_exit(status, file);
        if (status->main_started_monotonic > 0 &&
            status->main_ended_monotonic >= status->main_started_monotonic) {
                time_span_format(status->main_ended_monotonic - status->main_started_monotonic, 1000, text);
                (void)fprintf(file, "Service runtime: %s\n", text);
        }
        if (has_cpu(status)) {
                time_span_format(status->cpu_nsec / 1000, 1000, text);
                (void)fprintf(file, "CPU time consumed: %s\n", text);
        }
        if (has_traffic(status)) {
                bytes_format(status->ip_counters[INGRESS_BYTES], text);
                (void)fprintf(file, "IP traffic received: %s\n", text);
                bytes_format(status->ip_counters[EGRESS_BYTES], text);
                (void)fprintf(file, "IP traffic sent: %s\n", text);
        }
        return ferror(file) ? -EIO : 0;
}
