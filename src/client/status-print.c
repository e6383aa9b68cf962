/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/time-span.h"
#include "manager/accounting.h"
#include "unit/condition.h"
#include "unit/exec-status.h"
#include "unit/unit-name.h"

/* `ctl status`: the layout of systemctl(1) in 2017, in which the colons are one below the other. */

#define GREEN  "\x1b[1;32m"
#define RED    "\x1b[1;31m"
#define NORMAL "\x1b[0m"

/* Texts come from whoever wrote the unit, or is it. */
static void print_tamed(const char *before, const char *said, const char *behind, FILE *file) {
        _cleanup_(freep) char *text = NULL;

        if (text_copy(said, &text) < 0 || !text)
                return;
        text_tame(text);
        (void)fprintf(file, "%s%s%s", before, text, behind);
}

static const char *colour_of(const UnitStatus *status, bool colours) {
        if (!colours)
                return "";
        switch (status->active) {
        case UNIT_ACTIVE:
        case UNIT_RELOADING:
                return GREEN;
        case UNIT_FAILED:
                return RED;
        default:
                return NORMAL;
        }
}

static void print_loaded(const UnitStatus *status, FILE *file) {
        const Unit *unit = status->unit;

        (void)fprintf(file, "   Loaded: %s", unit_load_state_words[unit->state]);
        if (unit->fragment && status->transient)
                (void)fprintf(file, " (%s; transient)", unit->fragment);
        else if (unit->fragment)
                (void)fprintf(file, " (%s; %s; vendor preset: disabled)", unit->fragment,
                              status->file_state ?: "static");
        else if (unit->state == UNIT_NOT_FOUND)
                (void)fputs(" (Reason: No such file or directory)", file);
        (void)fputc('\n', file);
        for (char *const *path = unit->drop_ins; path && *path; path++)
                (void)fprintf(file, "%s%s\n", path == unit->drop_ins ? "  Drop-In: " : "           ", *path);
}

static void print_since(uint64_t when, uint64_t now, FILE *file) {
        const time_t seconds = (time_t)(when / SECOND_USEC);
        char date[64], ago[TIME_SPAN_TEXT_MAX];
        struct tm tm;

        if (when == 0 || !localtime_r(&seconds, &tm) ||
            strftime(date, sizeof(date), "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                return;
        time_span_format_ago(when, now, ago);
        (void)fprintf(file, " since %s; %s", date, ago);
}

static void print_active(const UnitStatus *status, uint64_t now, bool colours, FILE *file) {
        const bool running = status->active == UNIT_ACTIVE || status->active == UNIT_RELOADING;
        const uint64_t when = running ? status->active_since : status->state_changed;

        const char *const word = unit_active_state_words[status->active], *const sub = unit_sub_state(status);

        (void)fprintf(file, "   Active: %s%s", colour_of(status, colours), word);
        if (status->active == UNIT_FAILED)
                (void)fprintf(file, " (Result: %s)", service_result_words[status->result]);
        else if (!text_equal(sub, word))
                (void)fprintf(file, " (%s)", sub);
        (void)fputs(colours ? NORMAL : "", file);
        print_since(when, now, file);
        (void)fputc('\n', file);
}

/* Why it was not started; nothing of what was not looked at any more. */
static void print_conditions(const char *label, const char *what, const ConditionList *list, uint64_t now,
                             FILE *file) {
        const time_t seconds = (time_t)(list->tested / SECOND_USEC);
        char date[64], ago[TIME_SPAN_TEXT_MAX];
        size_t n_unmet = 0;
        struct tm tm;

        if (list->tested == 0 || list->met || !localtime_r(&seconds, &tm) ||
            strftime(date, sizeof(date), "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                return;
        time_span_format_ago(list->tested, now, ago);
        (void)fprintf(file, "%s: start %s failed at %s; %s\n", label, what, date, ago);
        for (size_t i = 0; i < list->n_items; i++)
                n_unmet += list->items[i].result < 0;
        for (size_t i = 0; i < list->n_items; i++) {
                _cleanup_(freep) char *text = NULL;

                if (list->items[i].result >= 0 || condition_format(&list->items[i], &text) < 0)
                        continue;
                text_tame(text);
                (void)fprintf(file, "           %s %s was not met\n", --n_unmet > 0 ? "├─" : "└─", text);
        }
}

static void print_name(pid_t pid, FILE *file) {
        _cleanup_(freep) char *path = NULL, *name = NULL;
        size_t size;

        if (text_format(&path, "/proc/%d/comm", (int)pid) < 0 ||
            file_read(AT_FDCWD, path, 4096, &name, &size) < 0)
                return;
        text_strip(name);
        text_tame(name);
        (void)fprintf(file, " (%s)", name);
}

/* The process that runs, or how the last one ended. */
static void print_main(const UnitStatus *status, FILE *file) {
        const char *name;

        if (status->main_pid > 0) {
                (void)fprintf(file, " Main PID: %d", (int)status->main_pid);
                print_name(status->main_pid, file);
                (void)fputc('\n', file);
                return;
        }
        if (status->main_code == 0)
                return;
        (void)fprintf(file, " Main PID: %d (code=%s, ", (int)status->last_main_pid,
                      status->main_code == CLD_EXITED   ? "exited"
                      : status->main_code == CLD_KILLED ? "killed"
                                                        : "dumped");
        if (status->main_code != CLD_EXITED)
                (void)fprintf(file, "signal=%s)\n", sigabbrev_np(status->main_status) ?: "?");
        else if (status->main_status == 0)
                (void)fputs("status=0/SUCCESS)\n", file);
        else if ((name = exec_exit_name(status->main_status)))
                (void)fprintf(file, "status=%d/%s)\n", status->main_status, name);
        else
                (void)fprintf(file, "status=%d%s)\n", status->main_status,
                              status->main_status == 1 ? "/FAILURE" : "");
}

static void print_counters(const UnitStatus *status, FILE *file) {
        const UnitSettings *settings = &status->unit->settings;
        char in[BYTES_TEXT_MAX], out[BYTES_TEXT_MAX], span[TIME_SPAN_TEXT_MAX];

        if (settings->ip_accounting == TRUTH_YES && status->ip_counters[0] != UINT64_MAX) {
                bytes_format(status->ip_counters[0], in);
                bytes_format(status->ip_counters[2], out);
                (void)fprintf(file, "       IP: %s in, %s out\n", in, out);
        }
        if (status->tasks != UINT64_MAX && status->cgroup) {
                (void)fprintf(file, "    Tasks: %" PRIu64, status->tasks);
                if (settings->tasks_max && !text_equal(settings->tasks_max, "infinity"))
                        (void)fprintf(file, " (limit: %s)", settings->tasks_max);
                (void)fputc('\n', file);
        }
        if (settings->memory_accounting == TRUTH_YES && status->memory != UINT64_MAX) {
                bytes_format(status->memory, in);
                (void)fprintf(file, "   Memory: %s\n", in);
        }
        if (settings->cpu_accounting == TRUTH_YES && status->cpu_nsec != UINT64_MAX) {
                time_span_format(status->cpu_nsec / 1000, 1000, span);
                (void)fprintf(file, "      CPU: %s\n", span);
        }
}

static void print_tree(const UnitStatus *status, const StatusProcess *processes, size_t n_processes,
                       FILE *file) {
        int width = 0;

        if (!status->cgroup)
                return;
        (void)fprintf(file, "   CGroup: /%s\n", status->cgroup);
        for (size_t i = 0; i < n_processes; i++)
                width = MAX(width, snprintf(NULL, 0, "%d", (int)processes[i].pid));
        for (size_t i = 0; i < n_processes; i++) {
                (void)fprintf(file, "           %s%*d ", i + 1 < n_processes ? "├─" : "└─", width,
                              (int)processes[i].pid);
                print_tamed("", processes[i].command_line, "\n", file);
        }
}

int status_print(const UnitStatus *status, const StatusProcess *processes, size_t n_processes, uint64_t now,
                 bool colors, FILE *file) {
        const Unit *unit = status->unit;

        (void)fprintf(file, "%s●%s %s", colour_of(status, colors), colors ? NORMAL : "", unit->name);
        if (unit->settings.description && !text_equal(unit->settings.description, unit->name))
                print_tamed(" - ", unit->settings.description, "", file);
        (void)fputc('\n', file);
        print_loaded(status, file);
        print_active(status, now, colors, file);
        if (status->conditions)
                print_conditions("Condition", "condition", status->conditions, now, file);
        if (status->assertions)
                print_conditions("   Assert", "assertion", status->assertions, now, file);
        print_main(status, file);
        if (status->status_text)
                print_tamed("   Status: \"", status->status_text, "\"\n", file);
        print_counters(status, file);
        print_tree(status, processes, n_processes, file);
        return ferror(file) ? -EIO : 0;
}

static void json_count(JsonWriter *writer, const char *key, uint64_t value) {
        if (value == UINT64_MAX)
                json_null(writer, key);
        else
                json_number(writer, key, value);
}

/* Times are microseconds since 1970, and null for never. */
static void json_time(JsonWriter *writer, const char *key, uint64_t usec) {
        json_count(writer, key, usec == 0 ? UINT64_MAX : usec);
}

static void json_process(JsonWriter *writer, const UnitStatus *status) {
        json_count(writer, "main_pid", status->main_pid > 0 ? (uint64_t)status->main_pid : UINT64_MAX);
        json_count(writer, "control_pid",
                   status->control_pid > 0 ? (uint64_t)status->control_pid : UINT64_MAX);
        json_text(writer, "result", service_result_words[status->result]);
        json_text(writer, "main_code",
                  status->main_code == 0            ? NULL
                  : status->main_code == CLD_EXITED ? "exited"
                  : status->main_code == CLD_KILLED ? "killed"
                                                    : "dumped");
        json_integer(writer, "main_status", status->main_status);
        json_number(writer, "restarts", status->n_restarts);
        json_text(writer, "status_text", status->status_text);
}

void status_print_json(const UnitStatus *status, const StatusProcess *processes, size_t n_processes,
                       JsonWriter *writer) {
        const Unit *const unit = status->unit;

        json_begin_object(writer, NULL);
        json_text(writer, "unit", unit->name);
        json_text(writer, "description", unit->settings.description ?: unit->name);
        json_text(writer, "load", unit_load_state_words[unit->state]);
        json_text(writer, "active", unit_active_state_words[status->active]);
        json_text(writer, "sub", unit_sub_state(status));
        json_text(writer, "unit_file_state", status->file_state);
        json_text(writer, "fragment", unit->fragment);
        json_begin_array(writer, "drop_ins");
        for (char *const *path = unit->drop_ins; path && *path; path++)
                json_text(writer, NULL, *path);
        json_end_array(writer);
        json_text(writer, "invocation_id", status->invocation_id);
        json_time(writer, "state_changed", status->state_changed);
        json_time(writer, "active_since", status->active_since);
        if (unit_name_type(unit->name) == UNIT_SERVICE)
                json_process(writer, status);
        json_text(writer, "cgroup", status->cgroup);
        json_count(writer, "tasks", status->tasks);
        json_count(writer, "cpu_nsec", status->cpu_nsec);
        json_begin_array(writer, "processes");
        for (size_t i = 0; i < n_processes; i++) {
                json_begin_object(writer, NULL);
                json_number(writer, "pid", (uint64_t)processes[i].pid);
                json_text(writer, "command_line", processes[i].command_line);
                json_end_object(writer);
        }
        json_end_array(writer);
        json_end_object(writer);
}
