/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/capability.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "bus/bus-internal.h"
#include "exec/exec-privileges.h"
#include "manager/task-limit.h"
#include "unit/condition.h"
#include "unit/unit-name.h"

int bus_unit_path(const char *name, char **ret) {
        return sd_bus_path_encode(BUS_UNIT_PATH, name, ret);
}

#define GETTER(name)                                                                                \
        static int name(sd_bus *bus, const char *path, const char *interface, const char *property, \
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)

GETTER(get_id) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "s", unit->status.unit->name);
}

GETTER(get_names) {
        _cleanup_(strv_freep) char **names = NULL;

        const int r = managed_unit_names(((const BusUnit *)userdata)->managed, &names);
        return r < 0 ? r : sd_bus_message_append_strv(reply, names);
}

GETTER(get_related) {
        _cleanup_(strv_freep) char **names = NULL;

        const int r = managed_unit_related(((const BusUnit *)userdata)->managed, property, &names);
        return r < 0 ? r : sd_bus_message_append_strv(reply, names);
}

GETTER(get_description) {
        return sd_bus_message_append(reply, "s",
                                     managed_unit_description(((const BusUnit *)userdata)->managed));
}

GETTER(get_load_state) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "s", unit_load_state_words[unit->status.unit->state]);
}

/* Why it could not be loaded: an error's name, and what is to be read. */
GETTER(get_load_error) {
        const Unit *unit = ((const BusUnit *)userdata)->status.unit;
        _cleanup_(freep) char *text = NULL;

        if (unit->state == UNIT_LOADED)
                return sd_bus_message_append(reply, "(ss)", "", "");
        if (unit->state == UNIT_NOT_FOUND)
                return sd_bus_message_append(reply, "(ss)", BUS_ERROR_NO_SUCH_UNIT, "There is no such unit");
        if (unit->state == UNIT_MASKED)
                return sd_bus_message_append(reply, "(ss)", BUS_ERROR_UNIT_MASKED, "The unit is masked");
        const int r = strv_join(STRV(unit->mistakes.texts), "; ", &text);
        return r < 0 ? r : sd_bus_message_append(reply, "(ss)", BUS_ERROR_BAD_SETTING, text);
}

GETTER(get_active_state) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "s", unit_active_state_words[unit->status.active]);
}

GETTER(get_sub_state) {
        return sd_bus_message_append(reply, "s", unit_sub_state(&((const BusUnit *)userdata)->status));
}

GETTER(get_fragment) {
        const Unit *unit = ((const BusUnit *)userdata)->status.unit;

        return sd_bus_message_append(reply, "s", unit->fragment ?: "");
}

GETTER(get_file_state) {
        return sd_bus_message_append(reply, "s",
                                     managed_unit_file_state(((const BusUnit *)userdata)->managed));
}

/* Nothing enables units but those who are asked to. */
GETTER(get_file_preset) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(
                reply, "s", unit->status.unit->fragment && !unit->status.transient ? "disabled" : "");
}

GETTER(get_drop_ins) {
        const Unit *unit = ((const BusUnit *)userdata)->status.unit;

        return sd_bus_message_append_strv(reply, unit->drop_ins);
}

GETTER(get_invocation) {
        const BusUnit *unit = userdata;
        sd_id128_t id = SD_ID128_NULL;

        if (unit->status.invocation_id)
                (void)sd_id128_from_string(unit->status.invocation_id, &id);
        return sd_bus_message_append_array(reply, 'y', &id, unit->status.invocation_id ? sizeof(id) : 0);
}

GETTER(get_inactive_enter) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "t", unit->status.inactive_since);
}

GETTER(get_result) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "s", service_result_words[unit->status.result]);
}

GETTER(get_slice) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "s", unit->status.slice ?: "");
}

/* As systemd gives it: from the root of the hierarchy that the base is. */
GETTER(get_cgroup) {
        const BusUnit *unit = userdata;
        _cleanup_(freep) char *cgroup = NULL;

        const int r = text_format(&cgroup, "%s%s", unit->status.cgroup ? "/" : "", unit->status.cgroup ?: "");
        return r < 0 ? r : sd_bus_message_append(reply, "s", cgroup);
}

GETTER(get_slice_cgroup) {
        const UnitStatus *const status = &((const BusUnit *)userdata)->status;
        _cleanup_(freep) char *below = NULL, *cgroup = NULL;

        int r = status->active == UNIT_ACTIVE ? unit_slice_path(status->unit->name, &below)
                                              : text_copy("", &below);
        if (r >= 0)
                r = text_format(&cgroup, "%s%s", below[0] ? "/" : "", below);
        return r < 0 ? r : sd_bus_message_append(reply, "s", cgroup);
}

GETTER(get_needs_reload) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "b", managed_unit_needs_reload(unit->managed));
}

GETTER(get_transient) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "b", unit->status.transient);
}

GETTER(get_restarts) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "u",
                                     (uint32_t)MIN(unit->status.n_restarts, (uint64_t)UINT32_MAX));
}

GETTER(get_tasks_max) {
        const BusUnit *unit = userdata;

        return sd_bus_message_append(reply, "t", task_limit(unit->status.unit->settings.tasks_max));
}

GETTER(get_notify_access) {
        return sd_bus_message_append(reply, "s",
                                     managed_unit_notify_access(((const BusUnit *)userdata)->managed));
}

/* As the kernel has them: bit n is capability n. */
GETTER(get_capabilities) {
        const UnitSettings *const settings = &((const BusUnit *)userdata)->status.unit->settings;
        ExecCapabilities found = {};

        const int r = exec_capabilities_read(settings, &found, NULL);
        if (r < 0 && r != -EINVAL)
                return r;
        if (text_equal(property, "AmbientCapabilities"))
                return sd_bus_message_append(reply, "t", found.ambient);
        return sd_bus_message_append(reply, "t",
                                     found.bounded ? found.bounding : (UINT64_C(2) << CAP_LAST_CAP) - 1);
}

GETTER(get_condition_result) {
        return sd_bus_message_append(reply, "b", ((const BusUnit *)userdata)->status.conditions->met);
}

GETTER(get_assert_result) {
        return sd_bus_message_append(reply, "b", ((const BusUnit *)userdata)->status.assertions->met);
}

/* When they were looked at, by the clock that the name says. */
GETTER(get_condition_time) {
        const UnitStatus *const status = &((const BusUnit *)userdata)->status;
        const ConditionList *const list =
                text_after_prefix(property, "Assert") ? status->assertions : status->conditions;

        return sd_bus_message_append(
                reply, "t", text_ends_with(property, "Monotonic") ? list->tested_monotonic : list->tested);
}

static int append_conditions(sd_bus_message *reply, const ConditionList *list) {
        int r = sd_bus_message_open_container(reply, 'a', BUS_CONDITION);

        for (size_t i = 0; r >= 0 && i < list->n_items; i++) {
                const Condition *const item = &list->items[i];

                r = sd_bus_message_append(reply, BUS_CONDITION, item->name, item->triggers, item->negated,
                                          item->argument, item->result);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(get_conditions) {
        return append_conditions(reply, ((const BusUnit *)userdata)->status.conditions);
}

GETTER(get_assertions) {
        return append_conditions(reply, ((const BusUnit *)userdata)->status.assertions);
}

GETTER(get_collect_mode) {
        static const char *const words[] = { "inactive", "inactive-or-failed" };
        const Unit *unit = ((const BusUnit *)userdata)->status.unit;

        return sd_bus_message_append(reply, "s", words[unit->settings.collect_mode]);
}

GETTER(get_start_interval) {
        const Unit *unit = ((const BusUnit *)userdata)->status.unit;

        return sd_bus_message_append(reply, "t", start_limit_of(&unit->settings).interval_usec);
}

GETTER(get_start_burst) {
        const Unit *unit = ((const BusUnit *)userdata)->status.unit;

        return sd_bus_message_append(reply, "u", (uint32_t)start_limit_of(&unit->settings).burst);
}

/* What is counted takes a look at every cgroup of the unit, which few of those who ask for all else want. */
GETTER(get_cpu_nsec) {
        BusUnit *unit = userdata;

        managed_unit_count(unit->managed, &unit->status);
        return sd_bus_message_append(reply, "t", unit->status.cpu_nsec);
}

GETTER(get_tasks) {
        BusUnit *unit = userdata;

        managed_unit_count(unit->managed, &unit->status);
        return sd_bus_message_append(reply, "t", unit->status.tasks);
}

GETTER(get_memory) {
        BusUnit *unit = userdata;

        managed_unit_count(unit->managed, &unit->status);
        return sd_bus_message_append(reply, "t", unit->status.memory);
}

GETTER(get_true) {
        return sd_bus_message_append(reply, "b", true);
}

/* No kind of unit here starts others by an event. */
GETTER(get_no_names) {
        return sd_bus_message_append(reply, "as", 0);
}

/* Nothing is being done, or a number and the object of the job. */
GETTER(get_job) {
        _cleanup_(freep) char *job_path = NULL;
        JobStatus job = {};

        if (managed_unit_job(((const BusUnit *)userdata)->managed, &job) &&
            bus_job_path(job.id, &job_path) < 0)
                return -ENOMEM;
        return sd_bus_message_append(reply, "(uo)", job.id, job_path ?: "/");
}

#define RELATED(name) SD_BUS_PROPERTY(name, "as", get_related, 0, 0)
#define STATUS(name, type, member, flags) \
        SD_BUS_PROPERTY(name, type, NULL, offsetof(BusUnit, status.member), flags)

const sd_bus_vtable bus_unit_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Names", "as", get_names, 0, 0),
        SD_BUS_PROPERTY("Description", "s", get_description, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LoadState", "s", get_load_state, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LoadError", "(ss)", get_load_error, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ActiveState", "s", get_active_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("SubState", "s", get_sub_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("FragmentPath", "s", get_fragment, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("UnitFileState", "s", get_file_state, 0, 0),
        SD_BUS_PROPERTY("UnitFilePreset", "s", get_file_preset, 0, 0),
        SD_BUS_PROPERTY("DropInPaths", "as", get_drop_ins, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("InvocationID", "ay", get_invocation, 0, 0),
        STATUS("StateChangeTimestamp", "t", state_changed, 0),
        STATUS("ActiveEnterTimestamp", "t", active_since, 0),
        SD_BUS_PROPERTY("InactiveEnterTimestamp", "t", get_inactive_enter, 0, 0),
        SD_BUS_PROPERTY("NeedDaemonReload", "b", get_needs_reload, 0, 0),
        SD_BUS_PROPERTY("Transient", "b", get_transient, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CanStart", "b", get_true, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("CanStop", "b", get_true, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ConditionResult", "b", get_condition_result, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("AssertResult", "b", get_assert_result, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ConditionTimestamp", "t", get_condition_time, 0, 0),
        SD_BUS_PROPERTY("ConditionTimestampMonotonic", "t", get_condition_time, 0, 0),
        SD_BUS_PROPERTY("AssertTimestamp", "t", get_condition_time, 0, 0),
        SD_BUS_PROPERTY("AssertTimestampMonotonic", "t", get_condition_time, 0, 0),
        SD_BUS_PROPERTY("Conditions", "a" BUS_CONDITION, get_conditions, 0, 0),
        SD_BUS_PROPERTY("Asserts", "a" BUS_CONDITION, get_assertions, 0, 0),
        SD_BUS_PROPERTY("CollectMode", "s", get_collect_mode, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StartLimitIntervalUSec", "t", get_start_interval, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StartLimitBurst", "u", get_start_burst, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("TriggeredBy", "as", get_no_names, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        RELATED("Requires"),
        RELATED("RequiredBy"),
        RELATED("Wants"),
        RELATED("WantedBy"),
        RELATED("BindsTo"),
        RELATED("BoundBy"),
        RELATED("PartOf"),
        RELATED("ConsistsOf"),
        RELATED("Conflicts"),
        RELATED("ConflictedBy"),
        RELATED("Before"),
        RELATED("After"),
        RELATED("JoinsNamespaceOf"),
        SD_BUS_PROPERTY("Job", "(uo)", get_job, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

const sd_bus_vtable bus_service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        STATUS("MainPID", "u", main_pid, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        STATUS("ControlPID", "u", control_pid, 0),
        SD_BUS_PROPERTY("Result", "s", get_result, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        STATUS("StatusText", "s", status_text, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        STATUS("FailureText", "s", failure, 0),
        STATUS("UID", "u", uid, 0),
        STATUS("GID", "u", gid, 0),
        STATUS("DynamicUserName", "s", user, 0),
        STATUS("ExecMainPID", "u", last_main_pid, 0),
        STATUS("ExecMainCode", "i", main_code, 0),
        STATUS("ExecMainStatus", "i", main_status, 0),
        STATUS("ExecMainStartTimestamp", "t", main_started, 0),
        STATUS("ExecMainStartTimestampMonotonic", "t", main_started_monotonic, 0),
        STATUS("ExecMainExitTimestamp", "t", main_ended, 0),
        STATUS("ExecMainExitTimestampMonotonic", "t", main_ended_monotonic, 0),
        SD_BUS_PROPERTY("NRestarts", "u", get_restarts, 0, 0),
        SD_BUS_PROPERTY("NotifyAccess", "s", get_notify_access, 0, 0),
        SD_BUS_PROPERTY("CapabilityBoundingSet", "t", get_capabilities, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("AmbientCapabilities", "t", get_capabilities, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("TasksMax", "t", get_tasks_max, 0, 0),
        SD_BUS_PROPERTY("Slice", "s", get_slice, 0, 0),
        SD_BUS_PROPERTY("ControlGroup", "s", get_cgroup, 0, 0),
        SD_BUS_PROPERTY("TasksCurrent", "t", get_tasks, 0, 0),
        SD_BUS_PROPERTY("MemoryCurrent", "t", get_memory, 0, 0),
        SD_BUS_PROPERTY("CPUUsageNSec", "t", get_cpu_nsec, 0, 0),
        STATUS("IPIngressBytes", "t", ip_counters[0], 0),
        STATUS("IPIngressPackets", "t", ip_counters[1], 0),
        STATUS("IPEgressBytes", "t", ip_counters[2], 0),
        STATUS("IPEgressPackets", "t", ip_counters[3], 0),
        SD_BUS_VTABLE_END,
};

/* Of what systemd has of slices, what there is here: nothing is counted of all that is in one. */
const sd_bus_vtable bus_slice_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Slice", "s", get_slice, 0, 0),
        SD_BUS_PROPERTY("ControlGroup", "s", get_slice_cgroup, 0, 0),
        SD_BUS_PROPERTY("TasksMax", "t", get_tasks_max, 0, 0),
        SD_BUS_VTABLE_END,
};
