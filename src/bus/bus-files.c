/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "base/text.h"
#include "bus/bus-internal.h"
#include "unit/unit-file-state.h"
#include "unit/unit-name.h"

/* What the manager is asked about files of units, whether or not it knows the units. */

static int method_get_state(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const UnitPaths *const paths = manager_unit_paths(((BusConnection *)userdata)->server->manager);
        _cleanup_(unit_freep) Unit *unit = NULL;
        const char *name;

        int r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        if (unit_name_kind(name) == 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "\"%s\" is no name of a unit.",
                                         name);
        r = unit_load(paths, name, &unit);
        if (r < 0)
                return r;
        const char *const state = unit_file_state(paths, name, unit);
        if (state[0] == '\0')
                return sd_bus_error_setf(error, SD_BUS_ERROR_FILE_NOT_FOUND, "Unit %s has no file.", name);
        return sd_bus_reply_method_return(message, "s", state);
}

static int reply_with_list(BusConnection *connection, sd_bus_message *message, char *const *states,
                           char *const *patterns) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(unit_file_list_done) UnitFileList list = {};

        int r = unit_file_list(manager_unit_paths(connection->server->manager), STRV(patterns), &list);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ss)");
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                if (!states || !states[0] || strv_contains(STRV(states), list.items[i].state))
                        r = sd_bus_message_append(reply, "(ss)", list.items[i].path, list.items[i].state);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_list(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return reply_with_list(userdata, message, NULL, NULL);
}

static int method_list_by_patterns(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(strv_freep) char **states = NULL, **patterns = NULL;

        int r = sd_bus_message_read_strv(message, &states);
        if (r >= 0)
                r = sd_bus_message_read_strv(message, &patterns);
        return r < 0 ? r : reply_with_list(userdata, message, states, patterns);
}

#define METHOD(name, in, out, function) SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_file_vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHOD("GetUnitFileState", "s", "s", method_get_state),
        METHOD("ListUnitFiles", "", "a(ss)", method_list),
        METHOD("ListUnitFilesByPatterns", "asas", "a(ss)", method_list_by_patterns),
        SD_BUS_VTABLE_END,
};
