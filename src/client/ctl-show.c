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
#include "client/property-print.h"
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

        int r = text_format(&directory, "%s/log", options->runtime ?: RUNTIME_DIRECTORY);
        if (r < 0 || query.n_last == 0)
                return r;
        (void)puts("");
        r = log_store_read(directory, &query, print_record, (void *)options, &reason);
        return r == -ENOENT ? 0
               : r < 0      ? log_error(r, "Cannot read the log: %s", reason_text(&reason, r))
                            : 0;
}

/* As JSON with a writer, else as text. */
static int print_status(const RemoteUnit *unit, sd_bus *bus, JsonWriter *writer) {
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
        if (r >= 0 && writer)
                status_print_json(&unit->status, shown, n_processes, writer);
        else if (r >= 0)
                r = status_print(&unit->status, shown, n_processes, now_usec(), log_coloured(), stdout);
        free(shown);
        remote_processes_free(processes, n_processes);
        return r;
}

static int show_status(const CtlOptions *options, sd_bus *bus, const char *word, JsonWriter *writer) {
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
        r = print_status(&unit, bus, writer);
        if (r >= 0 && !writer)
                r = print_log(options, unit.unit.name);
        if (r < 0)
                return r;
        return unit.status.active == UNIT_ACTIVE || unit.status.active == UNIT_RELOADING ? 0
                                                                                         : CTL_NOT_RUNNING;
}

/* The worst of what was found. */
int ctl_status(const CtlOptions *options, sd_bus *bus, char *const *words) {
        JsonWriter writer = { .file = stdout }, *const json = options->json ? &writer : NULL;
        int worst = 0;

        if (json)
                json_begin_array(json, NULL);
        for (char *const *word = words; *word; word++) {
                if (!json && word != words)
                        (void)puts("");
                const int r = show_status(options, bus, *word, json);
                if (r < 0)
                        return r;
                worst = MAX(worst, r);
        }
        if (json)
                json_end_array(json);
        return worst;
}

/* show */

typedef struct Show {
        const CtlOptions *options;
        JsonWriter *writer; /* NULL: as text */
} Show;

static int print_property(sd_bus_message *reply, const char *name, const char *contents, void *userdata) {
        const Show *const show = userdata;
        const CtlOptions *const options = show->options;

        if (options->properties && !strv_contains(STRV(options->properties), name))
                return sd_bus_message_skip(reply, contents);
        return show->writer ? property_print_json(reply, name, contents, show->writer)
                            : property_print(reply, name, contents, options->value_only, stdout);
}

static int show_unit(const Show *show, sd_bus *bus, const char *word) {
        _cleanup_(freep) char *name = NULL;

        int r = complete(word, &name);
        if (r < 0)
                return r;
        if (show->writer)
                json_begin_object(show->writer, NULL);
        r = remote_unit_ask(bus, name, print_property, (void *)(uintptr_t)show);
        if (show->writer)
                json_end_object(show->writer);
        return r;
}

int ctl_show(const CtlOptions *options, sd_bus *bus, char *const *words) {
        JsonWriter writer = { .file = stdout };
        const Show show = { .options = options, .writer = options->json ? &writer : NULL };
        int r = 0;

        if (options->json && options->value_only)
                return log_error(-EINVAL, "--json and --value exclude each other");
        if (options->json)
                json_begin_array(&writer, NULL);
        for (char *const *word = words; r >= 0 && *word; word++) {
                if (!options->json && word != words)
                        (void)putchar('\n');
                r = show_unit(&show, bus, *word);
        }
        if (options->json)
                json_end_array(&writer);
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
