/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "bus/bus-internal.h"
#include "client/bus-client.h"
#include "client/ctl.h"
#include "manager/accounting.h"
#include "unit/unit-name.h"

/* What looks at units. */

#define STATUS_LINES 10

static int complete(const char *word, char **ret) {
        const int r = unit_name_complete(word, ret);
        return r == -EINVAL ? log_error(r, "\"%s\" is no name of a unit", word) : r;
}

/* status */

static uint64_t now_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * SECOND_USEC + (uint64_t)now.tv_nsec / 1000;
}

static int print_record(const LogRecord *record, void *userdata) {
        const CtlOptions *options = userdata;

        return log_record_print(record, (LogFormat)options->output, stdout);
}

static int print_log(const CtlOptions *options, const char *name) {
        _cleanup_(freep) char *directory = NULL;
        _cleanup_(reason_done) Reason reason = {};
        const char *const units[] = { name, NULL };
        const LogQuery query = { .units = units,
                                 .n_last = options->lines == UINT_MAX ? STATUS_LINES : options->lines };

        int r = text_format(&directory, "%s/log", options->runtime ?: SERVICE_RUNTIME_DIRECTORY);
        if (r < 0 || query.n_last == 0)
                return r;
        (void)puts("");
        r = log_store_read(directory, &query, print_record, (void *)options, &reason);
        return r == -ENOENT ? 0
               : r < 0      ? log_error(r, "Cannot read the log: %s", reason_text(&reason, r))
                            : 0;
}

static int print_status(const RemoteUnit *unit, sd_bus *bus) {
        RemoteProcess *processes = NULL;
        StatusProcess *shown = NULL;
        size_t n_processes = 0;
        int r = 0;

        if (unit->status.cgroup)
                r = remote_unit_processes(bus, unit->unit.name, &processes, &n_processes);
        if (r >= 0) {
                shown = calloc(MAX(n_processes, (size_t)1), sizeof(*shown));
                r = shown ? 0 : -ENOMEM;
        }
        for (size_t i = 0; r >= 0 && i < n_processes; i++)
                shown[i] = (StatusProcess){ processes[i].pid, processes[i].command_line };
        if (r >= 0)
                r = status_print(&unit->status, shown, n_processes, now_usec(), log_coloured(), stdout);
        free(shown);
        remote_processes_free(processes, n_processes);
        return r;
}

static int show_status(const CtlOptions *options, sd_bus *bus, const char *word) {
        _cleanup_(remote_unit_done) RemoteUnit unit = {};
        _cleanup_(freep) char *name = NULL;
        int r;

        r = complete(word, &name);
        if (r >= 0)
                r = remote_unit_get(bus, name, &unit);
        if (r < 0)
                return r;
        if (unit.unit.state == UNIT_NOT_FOUND && unit.status.active == UNIT_INACTIVE) {
                (void)fprintf(stderr, "Unit %s could not be found.\n", name);
                return CTL_NO_SUCH;
        }
        r = print_status(&unit, bus);
        if (r >= 0)
                r = print_log(options, unit.unit.name);
        if (r < 0)
                return r;
        return unit.status.active == UNIT_ACTIVE || unit.status.active == UNIT_RELOADING ? 0
                                                                                         : CTL_NOT_RUNNING;
}

/* The worst of what was found. */
int ctl_status(const CtlOptions *options, sd_bus *bus, char *const *words) {
        int worst = 0;

        for (char *const *word = words; *word; word++) {
                if (word != words)
                        (void)puts("");
                const int r = show_status(options, bus, *word);
                if (r < 0)
                        return r;
                worst = MAX(worst, r);
        }
        return worst;
}

/* show */

static int print_value(sd_bus_message *reply, const char *contents, FILE *file);

static int print_array(sd_bus_message *reply, const char *contents, FILE *file) {
        int r = sd_bus_message_enter_container(reply, 'a', contents);

        for (bool first = true; r >= 0 && (r = sd_bus_message_at_end(reply, false)) == 0; first = false) {
                if (!first)
                        (void)fputc(' ', file);
                r = print_value(reply, contents, file);
        }
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int print_bytes(sd_bus_message *reply, FILE *file) {
        const uint8_t *bytes;
        size_t size;

        const int r = sd_bus_message_read_array(reply, 'y', (const void **)&bytes, &size);
        for (size_t i = 0; r >= 0 && i < size; i++)
                (void)fprintf(file, "%02x", bytes[i]);
        return r;
}

static int print_structure(sd_bus_message *reply, const char *contents, FILE *file) {
        int r = sd_bus_message_enter_container(reply, 'r', contents);

        for (bool first = true; r >= 0 && (r = sd_bus_message_at_end(reply, false)) == 0; first = false) {
                const char *inner;
                char type;

                if (!first)
                        (void)fputc(' ', file);
                r = sd_bus_message_peek_type(reply, &type, &inner);
                if (r < 0)
                        return r;
                r = type == 'a' && !text_equal(inner, "y")
                            ? print_array(reply, inner, file)
                            : print_value(reply, (const char[]){ type, type == 'a' ? 'y' : '\0', '\0' },
                                          file);
        }
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int print_text(sd_bus_message *reply, char type, FILE *file) {
        _cleanup_(freep) char *text = NULL;
        const char *said;

        int r = sd_bus_message_read_basic(reply, type, &said);
        if (r >= 0)
                r = text_copy(said, &text);
        if (r >= 0) {
                text_tame(text);
                (void)fputs(text, file);
        }
        return r;
}

static int print_number(sd_bus_message *reply, char type, FILE *file) {
        union {
                int truth;
                int32_t i;
                uint32_t u;
                uint64_t t;
        } value;

        const int r = sd_bus_message_read_basic(reply, type, &value);
        if (r < 0)
                return r;
        switch (type) {
        case 'b':
                (void)fputs(value.truth ? "yes" : "no", file);
                return 0;
        case 'i':
                (void)fprintf(file, "%" PRIi32, value.i);
                return 0;
        case 'u':
                (void)fprintf(file, "%" PRIu32, value.u);
                return 0;
        default:
                (void)fprintf(file, "%" PRIu64, value.t);
                return 0;
        }
}

/* Of what the manager has: basic types, arrays and structures of these. */
static int print_value(sd_bus_message *reply, const char *contents, FILE *file) {
        if (contents[0] == 'a')
                return text_equal(contents, "ay") ? print_bytes(reply, file)
                                                  : print_array(reply, contents + 1, file);
        if (contents[0] == '(' || contents[0] == 'r') {
                const char *inner;

                const int r = sd_bus_message_peek_type(reply, NULL, &inner);
                return r < 0 ? r : print_structure(reply, inner, file);
        }
        if (strchr("sog", contents[0]))
                return print_text(reply, contents[0], file);
        return strchr("biut", contents[0]) ? print_number(reply, contents[0], file)
                                           : sd_bus_message_skip(reply, contents);
}

/* Points in time are shown as such, but by their own names as numbers. */
static bool is_time(const char *name, const char *contents) {
        return text_equal(contents, "t") && text_ends_with(name, "Timestamp");
}

static int print_time(sd_bus_message *reply, FILE *file) {
        char text[64];
        struct tm tm;
        uint64_t usec;

        const int r = sd_bus_message_read_basic(reply, 't', &usec);
        const time_t seconds = (time_t)(usec / SECOND_USEC);
        if (r >= 0 && usec > 0 && localtime_r(&seconds, &tm) &&
            strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S %Z", &tm) > 0)
                (void)fputs(text, file);
        return r;
}

/* The largest number stands for what is not known, or has no limit; which of both, the name tells. */
static void print_largest(const char *name, FILE *file) {
        if (strncmp(name, "IP", 2) == 0)
                (void)fputs("[no data]", file);
        else if (text_ends_with(name, "USec") || text_ends_with(name, "Max") ||
                 strncmp(name, "Limit", 5) == 0)
                (void)fputs("infinity", file);
        else
                (void)fputs("[not set]", file);
}

static int print_count(sd_bus_message *reply, const char *name, FILE *file) {
        char text[TIME_SPAN_TEXT_MAX];
        uint64_t count;

        const int r = sd_bus_message_read_basic(reply, 't', &count);
        if (r < 0)
                return r;
        if (count == UINT64_MAX)
                print_largest(name, file);
        else if (text_ends_with(name, "USec")) {
                time_span_format(count, 1, text);
                (void)fputs(text, file);
        } else
                (void)fprintf(file, "%" PRIu64, count);
        return 0;
}

static int print_property(sd_bus_message *reply, const char *name, const char *contents, void *userdata) {
        const CtlOptions *options = userdata;

        if (options->properties && !strv_contains(STRV(options->properties), name))
                return sd_bus_message_skip(reply, contents);
        if (!options->value_only)
                (void)printf("%s=", name);
        const int r = is_time(name, contents)     ? print_time(reply, stdout)
                      : text_equal(contents, "t") ? print_count(reply, name, stdout)
                                                  : print_value(reply, contents, stdout);
        (void)putchar('\n');
        return r;
}

static int show_unit(const CtlOptions *options, sd_bus *bus, const char *word) {
        _cleanup_(freep) char *name = NULL;

        const int r = complete(word, &name);
        return r < 0 ? r : remote_unit_ask(bus, name, print_property, (void *)(uintptr_t)options);
}

int ctl_show(const CtlOptions *options, sd_bus *bus, char *const *words) {
        int r = 0;

        for (char *const *word = words; r >= 0 && *word; word++) {
                if (word != words)
                        (void)putchar('\n');
                r = show_unit(options, bus, *word);
        }
        return r;
}

/* is-active, is-failed */

static int ask_state(const CtlOptions *options, sd_bus *bus, char *const *words, UnitActiveState wanted,
                     UnitActiveState also) {
        bool any = false;

        for (char *const *word = words; *word; word++) {
                _cleanup_(remote_unit_done) RemoteUnit unit = {};
                _cleanup_(freep) char *name = NULL;

                int r = complete(*word, &name);
                if (r >= 0)
                        r = remote_unit_get(bus, name, &unit);
                if (r < 0)
                        return r;
                if (!options->quiet)
                        (void)puts(unit_active_state_words[unit.status.active]);
                any = any || unit.status.active == wanted || unit.status.active == also;
        }
        return any ? 0 : wanted == UNIT_ACTIVE ? CTL_NOT_RUNNING : 1;
}

int ctl_is_active(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ask_state(options, bus, words, UNIT_ACTIVE, UNIT_RELOADING);
}

int ctl_is_failed(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return ask_state(options, bus, words, UNIT_FAILED, UNIT_FAILED);
}
