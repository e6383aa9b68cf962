/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <systemd/sd-bus.h>

#include "base/text.h"
#include "client/bus-client.h"
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

/* Among the words that stand between commas. */
static bool is_listed(char *const *lists, const char *word) {
        const size_t length = strlen(word);

        for (; *lists; lists++)
                for (const char *at = *lists; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
                        if (strcspn(at, ",") == length && strncmp(at, word, length) == 0)
                                return true;
        return false;
}

static bool is_shown(const CtlOptions *options, const UnitRow *row) {
        const char *const type = strrchr(row->name, '.');

        if (options->types && !(type && is_listed(options->types, type + 1)))
                return false;
        if (options->states)
                return is_listed(options->states, row->load) || is_listed(options->states, row->active) ||
                       is_listed(options->states, row->sub);
        return options->all || !text_equal(row->active, "inactive");
}

static int measure(const CtlOptions *options, sd_bus_message *reply, int *ret_width) {
        UnitRow row;

        int r = sd_bus_message_enter_container(reply, 'a', UNIT_ROW);
        while (r >= 0 && (r = read_row(reply, &row)) > 0)
                if (is_shown(options, &row))
                        *ret_width = MAX(*ret_width, (int)strlen(row.name));
        return r < 0 ? r : sd_bus_message_rewind(reply, true);
}

int ctl_list_units(const CtlOptions *options, sd_bus *bus, char *const *words) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        unsigned n = 0;
        int width = 4;
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
                r = measure(options, reply, &width);
        if (r < 0)
                return r;
        if (!options->quiet)
                (void)printf("%-*s %-9s %-12s %-12s %s\n", width, "UNIT", "LOAD", "ACTIVE", "SUB",
                             "DESCRIPTION");
        r = sd_bus_message_enter_container(reply, 'a', UNIT_ROW);
        for (; r >= 0 && (r = read_row(reply, &row)) > 0;) {
                if (!is_shown(options, &row))
                        continue;
                (void)printf("%-*s %-9s %-12s %-12s %s\n", width, row.name, row.load, row.active, row.sub,
                             row.description);
                n++;
        }
        if (r >= 0 && !options->quiet)
                (void)printf("\n%u units listed.\n", n);
        return r;
}
