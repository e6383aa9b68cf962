/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "bus/bus-internal.h"
#include "unit/unit-name.h"

#define COMMAND_LINE_MAX (64 * 1024)

int bus_error(sd_bus_error *error, int r, const Reason *reason, const char *unit) {
        const char *text = reason_text(reason, r);

        switch (r) {
        case -ENOENT:
                if (reason && reason->text)
                        return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_UNIT, "%s.", text);
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_UNIT, "Unit %s not found.", unit);
        case -EEXIST:
                return sd_bus_error_set(error, BUS_ERROR_UNIT_EXISTS, text);
        case -EBUSY:
                return sd_bus_error_set(error, BUS_ERROR_DESTRUCTIVE, text);
        case -EBADMSG:
                return sd_bus_error_set(error, BUS_ERROR_BAD_SETTING, text);
        case -EPERM:
                return sd_bus_error_set(error, BUS_ERROR_UNIT_MASKED, text);
        case -EINVAL:
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, text);
        case -ENOMEM:
                return sd_bus_error_set(error, SD_BUS_ERROR_NO_MEMORY, text);
        default:
                return sd_bus_error_set(error, SD_BUS_ERROR_FAILED, text);
        }
}

static int find_unit(BusConnection *connection, const char *name, ManagedUnit **ret, sd_bus_error *error) {
        const int r = manager_find_unit(connection->server->manager, name, ret);
        if (r == -EINVAL)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "\"%s\" is no name of a unit.",
                                         name);
        return r < 0 ? bus_error(error, r, NULL, name) : 0;
}

static int find_known_unit(BusConnection *connection, const char *name, ManagedUnit **ret,
                           sd_bus_error *error) {
        *ret = manager_known_unit(connection->server->manager, name);
        if (!*ret)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_UNIT, "Unit %s not loaded.", name);
        return 0;
}

static int reply_with_job(sd_bus_message *message, uint32_t id) {
        _cleanup_(freep) char *path = NULL;

        const int r = bus_job_path(id, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static int reply_with_unit(sd_bus_message *message, ManagedUnit *unit) {
        _cleanup_(freep) char *path = NULL;
        UnitStatus status;

        managed_unit_status(unit, &status);
        const int r = bus_unit_path(status.unit->name, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static int start_job(BusConnection *connection, sd_bus_message *message, ManagedUnit *unit, JobType type,
                     JobMode mode, sd_bus_error *error) {
        _cleanup_(reason_done) Reason reason = {};
        UnitStatus status;
        uint32_t id;

        const int r = manager_start_job(connection->server->manager, unit, type, mode, &id, &reason);
        if (r >= 0)
                return reply_with_job(message, id);
        managed_unit_status(unit, &status);
        return bus_error(error, r, &reason, status.unit->name);
}

/* How to treat jobs and units that are in the way. */
static int parse_mode(const char *word, JobMode *ret, sd_bus_error *error) {
        for (JobMode mode = 0; mode < JOB_MODES; mode++)
                if (text_equal(job_mode_words[mode], word)) {
                        *ret = mode;
                        return 0;
                }
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                 "Jobs of the mode \"%s\" are not made here: say replace, fail, "
                                 "ignore-requirements or ignore-dependencies",
                                 word);
}

static int method_job(BusConnection *connection, sd_bus_message *message, JobType type, sd_bus_error *error) {
        const char *name, *word;
        ManagedUnit *unit;
        JobMode mode = JOB_REPLACE;

        int r = sd_bus_message_read(message, "ss", &name, &word);
        if (r >= 0)
                r = parse_mode(word, &mode, error);
        if (r >= 0)
                r = find_unit(connection, name, &unit, error);
        return r < 0 ? r : start_job(connection, message, unit, type, mode, error);
}

static int method_start(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_job(userdata, message, JOB_START, error);
}

static int method_stop(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_job(userdata, message, JOB_STOP, error);
}

static int method_restart(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_job(userdata, message, JOB_RESTART, error);
}

static int method_try_restart(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_job(userdata, message, JOB_TRY_RESTART, error);
}

static int method_reload_unit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return method_job(userdata, message, JOB_RELOAD, error);
}

static int method_kill(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(reason_done) Reason reason = {};
        const char *name, *who;
        ManagedUnit *unit;
        int32_t signal;

        int r = sd_bus_message_read(message, "ssi", &name, &who, &signal);
        if (r >= 0)
                r = find_known_unit(userdata, name, &unit, error);
        if (r < 0)
                return r;
        r = managed_unit_kill(unit, who, signal, &reason);
        if (r < 0)
                return sd_bus_error_set(error, r == -EINVAL ? SD_BUS_ERROR_INVALID_ARGS : SD_BUS_ERROR_FAILED,
                                        reason_text(&reason, r));
        return sd_bus_reply_method_return(message, "");
}

static int method_reset_failed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ManagedUnit *unit;
        const char *name;

        int r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = find_known_unit(userdata, name, &unit, error);
        if (r < 0)
                return r;
        managed_unit_reset_failed(unit);
        return sd_bus_reply_method_return(message, "");
}

static int method_reset_all_failed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        _cleanup_(freep) ManagedUnit **units = NULL;
        size_t n_units;

        const int r = manager_list_units(connection->server->manager, &units, &n_units);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_units; i++)
                managed_unit_reset_failed(units[i]);
        return sd_bus_reply_method_return(message, "");
}

static int method_get_unit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ManagedUnit *unit;
        const char *name;

        int r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = find_known_unit(userdata, name, &unit, error);
        return r < 0 ? r : reply_with_unit(message, unit);
}

static int method_load_unit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ManagedUnit *unit;
        const char *name;

        int r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = find_unit(userdata, name, &unit, error);
        return r < 0 ? r : reply_with_unit(message, unit);
}

static int method_get_unit_by_pid(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        ManagedUnit *unit;
        uint32_t pid;

        const int r = sd_bus_message_read(message, "u", &pid);
        if (r < 0)
                return r;
        unit = manager_unit_of_process(connection->server->manager, (pid_t)pid);
        if (!unit)
                return sd_bus_error_setf(error, BUS_SERVICE ".NoUnitForPID",
                                         "PID %" PRIu32 " belongs to no unit.", pid);
        return reply_with_unit(message, unit);
}

static int read_properties(sd_bus_message *message, char ***assignments, int standard[3],
                           sd_bus_error *error) {
        int r = sd_bus_message_enter_container(message, 'a', "(sv)");
        while (r >= 0 && (r = bus_property_read(message, assignments, standard, error)) > 0)
                ;
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* "AddRef" is about the client, not about the unit. */
static bool take_add_ref(char **assignments) {
        bool found = false;
        size_t n = 0;

        for (char **item = assignments; item && *item; item++) {
                if (text_equal(*item, "AddRef=yes")) {
                        found = true;
                        free(*item);
                } else
                        assignments[n++] = *item;
        }
        if (assignments)
                assignments[n] = NULL;
        return found;
}

static int add_transient(BusConnection *connection, const char *name, char **assignments,
                         const int standard[3], ManagedUnit **ret, sd_bus_error *error) {
        _cleanup_(reason_done) Reason reason = {};
        const bool hold = take_add_ref(assignments);

        int r = manager_add_transient(connection->server->manager, name, STRV(assignments), standard, ret,
                                      &reason);
        if (r >= 0 && hold)
                r = bus_connection_hold(connection, *ret);
        return r < 0 ? bus_error(error, r, &reason, name) : 0;
}

static int method_start_transient(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        _cleanup_(strv_freep) char **assignments = NULL;
        int standard[3] = { -EBADF, -EBADF, -EBADF };
        const char *name, *word;
        ManagedUnit *unit = NULL;
        JobMode mode = JOB_REPLACE;

        int r = sd_bus_message_read(message, "ss", &name, &word);
        if (r >= 0)
                r = parse_mode(word, &mode, error);
        if (r >= 0)
                r = read_properties(message, &assignments, standard, error);
        if (r >= 0)
                r = sd_bus_message_skip(message, "a(sa(sv))");
        if (r >= 0)
                r = add_transient(connection, name, assignments, standard, &unit, error);
        for (size_t i = 0; i < ELEMENTSOF(standard); i++)
                (void)fd_close(standard[i]);
        if (r < 0)
                return r;
        r = start_job(connection, message, unit, JOB_START, mode, error);
        if (r < 0)
                (void)bus_connection_let_go(connection, unit);
        return r;
}

static int method_set_properties(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(strv_freep) char **assignments = NULL;
        ManagedUnit *unit;
        const char *name;
        int runtime;

        int r = sd_bus_message_read(message, "sb", &name, &runtime);
        if (r >= 0)
                r = find_unit(userdata, name, &unit, error);
        if (r >= 0)
                r = read_properties(message, &assignments, NULL, error);
        if (r < 0)
                return r;
        r = managed_unit_set_properties(unit, runtime, STRV(assignments), &reason);
        return r < 0 ? bus_error(error, r, &reason, name) : sd_bus_reply_method_return(message, "");
}

static int append_unit(sd_bus_message *reply, ManagedUnit *unit) {
        _cleanup_(freep) char *path = NULL, *job_path = NULL;
        JobStatus job = {};
        UnitStatus status;

        managed_unit_status(unit, &status);
        int r = bus_unit_path(status.unit->name, &path);
        if (r >= 0 && managed_unit_job(unit, &job))
                r = bus_job_path(job.id, &job_path);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "(ssssssouso)", status.unit->name, managed_unit_description(unit),
                                     unit_load_state_words[status.unit->state],
                                     unit_active_state_words[status.active], unit_sub_state(&status), "",
                                     path, job.id, job_path ? job_type_words[job.type] : "", job_path ?: "/");
}

static int reply_with_units(BusConnection *connection, sd_bus_message *message,
                            bool (*filter)(ManagedUnit *unit, const void *filter_data),
                            const void *filter_data) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) ManagedUnit **units = NULL;
        size_t n_units;

        int r = manager_list_units(connection->server->manager, &units, &n_units);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
        for (size_t i = 0; r >= 0 && i < n_units; i++)
                if (!filter || filter(units[i], filter_data))
                        r = append_unit(reply, units[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_list_units(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return reply_with_units(userdata, message, NULL, NULL);
}

typedef struct UnitFilter {
        char **states, **patterns;
} UnitFilter;

static bool matches(ManagedUnit *unit, const void *data) {
        const UnitFilter *filter = data;
        UnitStatus status;
        bool found;

        managed_unit_status(unit, &status);
        found = strv_length(STRV(filter->patterns)) == 0;
        for (char **pattern = filter->patterns; !found && pattern && *pattern; pattern++)
                found = fnmatch(*pattern, status.unit->name, FNM_NOESCAPE) == 0;
        if (!found || strv_length(STRV(filter->states)) == 0)
                return found;
        return strv_contains(STRV(filter->states), unit_load_state_words[status.unit->state]) ||
               strv_contains(STRV(filter->states), unit_active_state_words[status.active]) ||
               strv_contains(STRV(filter->states), unit_sub_state(&status));
}

static int method_list_units_by_patterns(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(strv_freep) char **states = NULL, **patterns = NULL;

        int r = sd_bus_message_read_strv(message, &states);
        if (r >= 0)
                r = sd_bus_message_read_strv(message, &patterns);
        if (r < 0)
                return r;
        return reply_with_units(userdata, message, matches,
                                &(UnitFilter){ .states = states, .patterns = patterns });
}

/* The words of a command line, with blanks between them; of a process without one, its name in brackets. */
static int read_command_line(pid_t pid, char **ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        size_t size = 0;

        int r = text_format(&path, "/proc/%d/cmdline", (int)pid);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, COMMAND_LINE_MAX, &text, &size);
        if (r < 0 || size == 0) {
                free(TAKE_PTR(path));
                free(TAKE_PTR(text));
                r = text_format(&path, "/proc/%d/comm", (int)pid);
                if (r >= 0)
                        r = file_read(AT_FDCWD, path, COMMAND_LINE_MAX, &text, &size);
                return r < 0 ? r : text_format(ret, "[%s]", text_strip(text));
        }
        for (size_t i = 0; i + 1 < size; i++)
                if (text[i] == '\0')
                        text[i] = ' ';
        text_tame(text);
        *ret = TAKE_PTR(text);
        return 0;
}

static int append_process(sd_bus_message *reply, const char *cgroup, pid_t pid) {
        _cleanup_(freep) char *command_line = NULL;

        const int r = read_command_line(pid, &command_line);
        if (r == -ENOENT || r == -ESRCH)
                return 0; /* it has ended meanwhile */
        return sd_bus_message_append(reply, "(sus)", cgroup, (uint32_t)pid, r < 0 ? "?" : command_line);
}

static int method_get_unit_processes(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *cgroup = NULL;
        _cleanup_(freep) pid_t *pids = NULL;
        ManagedUnit *unit;
        UnitStatus status;
        const char *name;
        size_t n_pids = 0;

        int r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = find_known_unit(userdata, name, &unit, error);
        if (r < 0)
                return r;
        managed_unit_status(unit, &status);
        r = text_format(&cgroup, "/%s", status.cgroup ?: "");
        if (r >= 0)
                r = managed_unit_processes(unit, &pids, &n_pids);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sus)");
        for (size_t i = 0; r >= 0 && i < n_pids; i++)
                r = append_process(reply, cgroup, pids[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_ref_unit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        ManagedUnit *unit;
        const char *name;

        int r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = find_known_unit(connection, name, &unit, error);
        if (r >= 0)
                r = bus_connection_hold(connection, unit);
        return r < 0 ? r : sd_bus_reply_method_return(message, "");
}

static int method_unref_unit(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        ManagedUnit *unit;
        const char *name;

        int r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = find_known_unit(connection, name, &unit, error);
        if (r < 0)
                return r;
        if (!bus_connection_let_go(connection, unit))
                return sd_bus_error_set(error, BUS_ERROR_NOT_REFERENCED, "Unit has not been referenced yet.");
        return sd_bus_reply_method_return(message, "");
}

static int method_subscribe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ((BusConnection *)userdata)->subscribed = true;
        return sd_bus_reply_method_return(message, "");
}

static int method_unsubscribe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ((BusConnection *)userdata)->subscribed = false;
        return sd_bus_reply_method_return(message, "");
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        _cleanup_(reason_done) Reason reason = {};

        const int r = manager_reload(connection->server->manager, &reason);
        return r < 0 ? bus_error(error, r, &reason, "") : sd_bus_reply_method_return(message, "");
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", "mkosi " MKOSI_VERSION);
}

typedef struct Tally {
        uint32_t units, failed, jobs;
} Tally;

static int tally(BusConnection *connection, Tally *ret) {
        Manager *const manager = connection->server->manager;
        _cleanup_(freep) ManagedUnit **units = NULL;
        _cleanup_(freep) JobStatus *jobs = NULL;
        size_t n_units = 0, n_jobs = 0;

        int r = manager_list_units(manager, &units, &n_units);
        if (r >= 0)
                r = manager_list_jobs(manager, &jobs, &n_jobs);
        if (r < 0)
                return r;
        *ret = (Tally){ .units = (uint32_t)n_units, .jobs = (uint32_t)n_jobs };
        for (size_t i = 0; i < n_units; i++) {
                UnitStatus status;

                managed_unit_status(units[i], &status);
                ret->failed += status.active == UNIT_FAILED;
        }
        return 0;
}

static int get_tally(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Tally found;

        const int r = tally(userdata, &found);
        return r < 0 ? r
                     : sd_bus_message_append(reply, "u",
                                             text_equal(property, "NJobs")    ? found.jobs
                                             : text_equal(property, "NNames") ? found.units
                                                                              : found.failed);
}

/* There is no start of a whole system to be waited for. */
static int get_system_state(sd_bus *bus, const char *path, const char *interface, const char *property,
                            sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Tally found;

        const int r = tally(userdata, &found);
        return r < 0 ? r : sd_bus_message_append(reply, "s", found.failed > 0 ? "degraded" : "running");
}

#define METHOD(name, in, out, function) SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)
#define UNIT_ROW                        "ssssssouso"

const sd_bus_vtable bus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("SystemState", "s", get_system_state, 0, 0),
        SD_BUS_PROPERTY("NNames", "u", get_tally, 0, 0),
        SD_BUS_PROPERTY("NFailedUnits", "u", get_tally, 0, 0),
        SD_BUS_PROPERTY("NJobs", "u", get_tally, 0, 0),
        METHOD("StartUnit", "ss", "o", method_start),
        METHOD("StopUnit", "ss", "o", method_stop),
        METHOD("RestartUnit", "ss", "o", method_restart),
        METHOD("TryRestartUnit", "ss", "o", method_try_restart),
        METHOD("ReloadUnit", "ss", "o", method_reload_unit),
        METHOD("KillUnit", "ssi", "", method_kill),
        METHOD("ResetFailedUnit", "s", "", method_reset_failed),
        METHOD("ResetFailed", "", "", method_reset_all_failed),
        METHOD("GetUnit", "s", "o", method_get_unit),
        METHOD("GetUnitByPID", "u", "o", method_get_unit_by_pid),
        METHOD("LoadUnit", "s", "o", method_load_unit),
        METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", method_start_transient),
        METHOD("SetUnitProperties", "sba(sv)", "", method_set_properties),
        METHOD("ListUnits", "", "a(" UNIT_ROW ")", method_list_units),
        METHOD("ListUnitsByPatterns", "asas", "a(" UNIT_ROW ")", method_list_units_by_patterns),
        METHOD("GetUnitProcesses", "s", "a(sus)", method_get_unit_processes),
        METHOD("RefUnit", "s", "", method_ref_unit),
        METHOD("UnrefUnit", "s", "", method_unref_unit),
        METHOD("Subscribe", "", "", method_subscribe),
        METHOD("Unsubscribe", "", "", method_unsubscribe),
        METHOD("Reload", "", "", method_reload),
        SD_BUS_SIGNAL("JobNew", "uos", 0),
        SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
        SD_BUS_SIGNAL("UnitRemoved", "so", 0),
        SD_BUS_VTABLE_END,
};
