/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "base/strv.h"
#include "base/text.h"
#include "client/bus-client.h"
#include "client/ctl-table.h"
#include "client/ctl.h"

/* What is known, as tables. */

#define UNIT_ROW "(ssssssouso)"

typedef struct UnitRow {
        const char *name, *description, *load, *active, *sub;
} UnitRow;

static int read_row(sd_bus_message *reply, UnitRow *row) {
        const char *following, *path, *job_type, *job_path;
        uint32_t job;

        return sd_bus_message_read(reply, UNIT_ROW, &row->name, &row->description, &row->load, &row->active,
                                   &row->sub, &following, &path, &job, &job_type, &job_path);
}

static bool is_shown(const CtlOptions *options, const UnitRow *row) {
        const char *const type = strrchr(row->name, '.');

        if (options->types && !(type && strv_contains(STRV(options->types), type + 1)))
                return false;
        if (options->states)
                return strv_contains(STRV(options->states), row->load) ||
                       strv_contains(STRV(options->states), row->active) ||
                       strv_contains(STRV(options->states), row->sub);
        return options->all || !text_equal(row->active, "inactive");
}

static bool matches_any(char *const *patterns, const char *name) {
        bool found = !patterns[0];

        for (; !found && *patterns; patterns++)
                found = fnmatch(*patterns, name, FNM_NOESCAPE) == 0;
        return found;
}

void ctl_print_table(const CtlOptions *options, CtlTable *table, const char *what, const char *nothing) {
        const bool is_empty = table->n_cells == 0;

        if (options->json) {
                ctl_table_print_json(table, stdout);
                return;
        }
        ctl_table_print(table, options->quiet || (nothing && is_empty), stdout);
        if (options->quiet)
                return;
        if (nothing && is_empty)
                (void)puts(nothing);
        else
                (void)printf("\n%zu %s listed.\n", ctl_table_length(table), what);
}

int ctl_list_units(const CtlOptions *options, sd_bus *bus, char *const *words) {
        static const CtlColumn columns[] = {
                { "UNIT", "unit", false },
                { "LOAD", "load", false },
                { "ACTIVE", "active", false },
                { "SUB", "sub", false },
                { "DESCRIPTION", "description", false },
        };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_(ctl_table_done) CtlTable table = { .columns = columns, .n_columns = ELEMENTSOF(columns) };
        UnitRow row;

        int r = sd_bus_message_new_method_call(bus, &message, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                               "ListUnitsByPatterns");
        if (r >= 0)
                r = sd_bus_message_append(message, "as", 0);
        if (r >= 0)
                r = sd_bus_message_append_strv(message, (char **)words);
        if (r >= 0)
                r = bus_client_send(bus, message, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', UNIT_ROW);
        while (r >= 0 && (r = read_row(reply, &row)) > 0)
                if (is_shown(options, &row))
                        r = ctl_table_add(&table, (const char *[]){ row.name, row.load, row.active, row.sub,
                                                                    row.description });
        if (r >= 0)
                ctl_print_table(options, &table, "units", NULL);
        return r;
}

int ctl_list_jobs(const CtlOptions *options, sd_bus *bus, char *const *words) {
        static const CtlColumn columns[] = {
                { "JOB", "job", true },
                { "UNIT", "unit", false },
                { "TYPE", "type", false },
                { "STATE", "state", false },
        };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(ctl_table_done) CtlTable table = { .columns = columns, .n_columns = ELEMENTSOF(columns) };
        const char *unit, *type, *state, *path, *unit_path;
        uint32_t id;

        int r = bus_client_call(bus, "ListJobs", &reply, "");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &path,
                                                  &unit_path)) > 0) {
                char number[16];

                (void)snprintf(number, sizeof(number), "%" PRIu32, id);
                if (matches_any(words, unit))
                        r = ctl_table_add(&table, (const char *[]){ number, unit, type, state });
        }
        if (r >= 0)
                ctl_print_table(options, &table, "jobs", "No jobs are waiting or running.");
        return r;
}
