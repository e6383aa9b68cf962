/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/service.h"
#include "manager/unit-log.h"

#define IDENTIFIER      "mkosi-manager"
#define FACILITY_DAEMON "3"
#define FIELDS_MAX      24
#define MESSAGE_STARTED "39f53479d3a045ac8e11786248231fbf"
#define NUMBER_TEXT_MAX 24

#define MESSAGE_START_FAILED "be02cf6855d2428ba40df7e9d022f03d"

typedef struct Fields {
        LogField items[FIELDS_MAX];
        size_t n_items;
} Fields;

static void add(Fields *fields, const char *name, const char *value) {
        if (!text_is_empty(value))
                fields->items[fields->n_items++] =
                        (LogField){ .name = name, .value = value, .size = SIZE_MAX };
}

static void print_without_log(int priority, const char *text) {
        if (priority <= LOG_ERR)
                (void)log_error(-EIO, "%s", text);
        else if (priority <= LOG_WARNING)
                log_warning("%s", text);
        else
                log_debug("%s", text);
}

/* For whoever asks what became of the unit, and has no log. That its start has failed is known without; only when it never
 * began (a warning then) there is nothing else that says why. */
static void note_failure(ManagedUnit *unit, const UnitMessage *message, const char *text) {
        Service *const service = unit->service;
        const bool is_start = message->id && text_equal(message->id, MESSAGE_START_FAILED);

        if (!service || service->failure || message->priority > (is_start ? LOG_WARNING : LOG_ERR) ||
            (is_start && message->priority <= LOG_ERR))
                return;
        if (text_copy(text, &service->failure) >= 0)
                text_tame(service->failure);
}

void unit_log_message(ManagedUnit *unit, const UnitMessage *message, const char *format, ...) {
        char priority[NUMBER_TEXT_MAX], line[NUMBER_TEXT_MAX];
        _cleanup_(freep) char *text = NULL;
        Fields fields = {};
        va_list arguments;

        va_start(arguments, format);
        const int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0) {
                text = NULL;
                return;
        }
        note_failure(unit, message, text);
        if (!unit->manager->log) {
                print_without_log(message->priority, text);
                return;
        }
        (void)snprintf(priority, sizeof(priority), "%d", message->priority);
        (void)snprintf(line, sizeof(line), "%d", message->line);
        add(&fields, "MESSAGE", text);
        add(&fields, "PRIORITY", priority);
        add(&fields, "SYSLOG_FACILITY", FACILITY_DAEMON);
        add(&fields, "SYSLOG_IDENTIFIER", IDENTIFIER);
        add(&fields, "CODE_FILE", message->file);
        add(&fields, "CODE_LINE", line);
        add(&fields, "CODE_FUNC", message->function);
        add(&fields, "MESSAGE_ID", message->id);
        add(&fields, "UNIT", unit->name);
        add(&fields, "INVOCATION_ID", unit->invocation);
        add(&fields, "_TRANSPORT", "journal");
        for (size_t i = 0; i < UNIT_LOG_FIELDS_MAX && message->fields[i].name; i++)
                fields.items[fields.n_items++] = message->fields[i];
        (void)log_store_write(unit->manager->log, 0, fields.items, fields.n_items);
}

/* What is said at the beginning, and how a job ended. */
typedef struct JobMessage {
        JobType type;
        int result; /* a JobResult; -1: it begins */
        int priority;
        const char *id;
        const char *before, *behind; /* of the description */
} JobMessage;

/* clang-format off */
static const JobMessage job_messages[] = {
        { JOB_START,   -1,             LOG_INFO,    "7d4958e842da4a758f6c1cdc7b36dcc5", "Starting ",              "..." },
        { JOB_START,   JOB_DONE,       LOG_INFO,    MESSAGE_STARTED,                    "Started ",               "." },
        { JOB_START,   JOB_FAILED,     LOG_ERR,     MESSAGE_START_FAILED, "Failed to start ",       "." },
        { JOB_START,   JOB_DEPENDENCY, LOG_WARNING, MESSAGE_START_FAILED, "Dependency failed for ", "." },
        { JOB_START,   JOB_ASSERT,     LOG_WARNING, MESSAGE_START_FAILED, "Assertion failed for ",  "." },
        { JOB_STOP,    -1,             LOG_INFO,    "de5b426a63be47a7b6ac3eaac82e2f6f", "Stopping ",              "..." },
        { JOB_STOP,    JOB_DONE,       LOG_INFO,    "9d1aaa27d60140bd96365438aad20286", "Stopped ",               "." },
        { JOB_STOP,    JOB_FAILED,     LOG_WARNING, "9d1aaa27d60140bd96365438aad20286", "Stopped (with error) ",  "." },
        { JOB_RELOAD,  -1,             LOG_INFO,    "d34d037fff1847e6ae669a370e694725", "Reloading ",             "..." },
        { JOB_RELOAD,  JOB_DONE,       LOG_INFO,    "7b05ebc668384222baa8881179cfda54", "Reloaded ",              "." },
        { JOB_RELOAD,  JOB_FAILED,     LOG_ERR,     "7b05ebc668384222baa8881179cfda54", "Reload failed for ",     "." },
};
/* clang-format on */

static void log_job(ManagedUnit *unit, JobType type, int result) {
        for (size_t i = 0; i < ELEMENTSOF(job_messages); i++) {
                const JobMessage *const message = &job_messages[i];

                if (message->type != type || message->result != result)
                        continue;
                unit_log_with(unit, message->priority,
                              (.id = message->id,
                               .fields = { { "JOB_TYPE", job_type_words[type], SIZE_MAX },
                                           { result >= 0 ? "JOB_RESULT" : NULL,
                                             result >= 0 ? job_result_words[result] : NULL, SIZE_MAX } }),
                              "%s%s%s", message->before, managed_unit_description(unit), message->behind);
        }
}

/* The job is done, and nothing was. */
static void log_skipped(ManagedUnit *unit) {
        const Condition *const unmet = condition_list_unmet(&unit->conditions);
        _cleanup_(freep) char *why = NULL;
        const UnitMessage message = {
                .priority = LOG_INFO,
                .id = MESSAGE_STARTED,
                .file = __FILE__,
                .line = __LINE__,
                .function = __func__,
                .fields = { { "JOB_TYPE", job_type_words[JOB_START], SIZE_MAX },
                            { "JOB_RESULT", job_result_words[JOB_DONE], SIZE_MAX } },
        };

        if (unit->conditions.met)
                unit_log_message(unit, &message, "Condition check resulted in %s being skipped.",
                                 managed_unit_description(unit));
        else if (!unmet || condition_format(unmet, &why) < 0)
                unit_log_message(unit, &message,
                                 "%s was skipped because no trigger condition checks were met.",
                                 managed_unit_description(unit));
        else
                unit_log_message(unit, &message, "%s was skipped because of an unmet condition check (%s).",
                                 managed_unit_description(unit), why);
}

static bool was_skipped(const ManagedUnit *unit, JobType type, JobResult result) {
        if (type != JOB_START || result != JOB_DONE || managed_unit_is_active(unit))
                return false;
        return managed_unit_was_refused(unit) ||
               (unit->service && unit->service->result == SERVICE_SKIP_CONDITION);
}

void unit_log_begin(ManagedUnit *unit, JobType type) {
        log_job(unit, type, -1);
}

void unit_log_job(ManagedUnit *unit, JobType type, JobResult result) {
        /* Slices come and go with what is in them: there is nothing to tell. */
        if (unit_name_type(unit->name) == UNIT_SLICE)
                return;
        if (was_skipped(unit, type, result))
                log_skipped(unit);
        else
                log_job(unit, type, (int)result);
}

/* "<3>text": the priority, as sd-daemon(3) has it. */
static size_t take_priority(const char *line, size_t size, char *priority) {
        if (size < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' || line[2] != '>')
                return 0;
        priority[0] = line[1];
        return 3;
}

void unit_log_line(ManagedUnit *unit, const char *line, size_t size, bool is_whole) {
        const Service *const service = unit->service;
        const UnitSettings *const settings = managed_unit_settings(unit);
        char priority[] = "6";
        const size_t skip = take_priority(line, size, priority);
        Fields fields = {};

        if (!unit->manager->log || size == skip)
                return;
        fields.items[fields.n_items++] =
                (LogField){ .name = "MESSAGE", .value = line + skip, .size = size - skip };
        add(&fields, "PRIORITY", priority);
        add(&fields, "SYSLOG_FACILITY", FACILITY_DAEMON);
        add(&fields, "SYSLOG_IDENTIFIER",
            settings->syslog_identifier
                    ?: service->program ? path_base_name(service->program)
                                        : unit->name);
        add(&fields, "_TRANSPORT", "stdout");
        add(&fields, "_SYSTEMD_CGROUP", service->cgroup);
        add(&fields, "_SYSTEMD_UNIT", unit->name);
        add(&fields, "_SYSTEMD_SLICE", unit->slice);
        add(&fields, "_SYSTEMD_INVOCATION_ID", unit->invocation);
        if (!is_whole)
                add(&fields, "_LINE_BREAK", "line-max");
        (void)log_store_write(unit->manager->log, service->last_pid, fields.items, fields.n_items);
}
