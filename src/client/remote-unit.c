/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "bus/bus-internal.h"
#include "client/bus-client.h"

/* The properties that a RemoteUnit is made of: what the bus says, as a member of it. */

typedef struct Field {
        const char *name, *signature;
        size_t offset;
        const char *const *words; /* of "s": the member is an index */
} Field;

#define STATUS(member)  offsetof(RemoteUnit, status.member)
#define SETTING(member) offsetof(RemoteUnit, unit.settings.member)

/* clang-format off */
static const Field fields[] = {
        { "Id", "s", offsetof(RemoteUnit, unit.name), NULL },
        { "FragmentPath", "s", offsetof(RemoteUnit, unit.fragment), NULL },
        { "DropInPaths", "as", offsetof(RemoteUnit, unit.drop_ins), NULL },
        { "Description", "s", SETTING(description), NULL },
        { "IPAccounting", "b", SETTING(ip_accounting), NULL },
        { "CPUAccounting", "b", SETTING(cpu_accounting), NULL },
        { "TasksAccounting", "b", SETTING(tasks_accounting), NULL },
        { "MainPID", "u", STATUS(main_pid), NULL },
        { "ControlPID", "u", STATUS(control_pid), NULL },
        { "ExecMainPID", "u", STATUS(last_main_pid), NULL },
        { "UID", "u", STATUS(uid), NULL },
        { "GID", "u", STATUS(gid), NULL },
        { "ExecMainCode", "i", STATUS(main_code), NULL },
        { "ExecMainStatus", "i", STATUS(main_status), NULL },
        { "ExecMainStartTimestamp", "t", STATUS(main_started), NULL },
        { "ExecMainExitTimestamp", "t", STATUS(main_ended), NULL },
        { "ExecMainStartTimestampMonotonic", "t", STATUS(main_started_monotonic), NULL },
        { "ExecMainExitTimestampMonotonic", "t", STATUS(main_ended_monotonic), NULL },
        { "StateChangeTimestamp", "t", STATUS(state_changed), NULL },
        { "ActiveEnterTimestamp", "t", STATUS(active_since), NULL },
        { "InactiveEnterTimestamp", "t", STATUS(inactive_since), NULL },
        { "CPUUsageNSec", "t", STATUS(cpu_nsec), NULL },
        { "TasksCurrent", "t", STATUS(tasks), NULL },
        { "MemoryAccounting", "b", SETTING(memory_accounting), NULL },
        { "MemoryCurrent", "t", STATUS(memory), NULL },
        { "IPIngressBytes", "t", STATUS(ip_counters[0]), NULL },
        { "IPIngressPackets", "t", STATUS(ip_counters[1]), NULL },
        { "IPEgressBytes", "t", STATUS(ip_counters[2]), NULL },
        { "IPEgressPackets", "t", STATUS(ip_counters[3]), NULL },
        { "ConditionTimestamp", "t", offsetof(RemoteUnit, conditions.tested), NULL },
        { "AssertTimestamp", "t", offsetof(RemoteUnit, assertions.tested), NULL },
};
/* clang-format on */

/* Texts that the status points to but does not own, and words that are numbers in it. */
enum { TEXT_SLICE, TEXT_CGROUP, TEXT_STATUS, TEXT_USER, TEXT_FILE_STATE, TEXT_INVOCATION, TEXT_FAILURE };
_Static_assert(TEXT_FAILURE < ELEMENTSOF(((RemoteUnit *)NULL)->texts), "room for all texts");

static int index_of(const char *const *words, size_t n_words, const char *word) {
        for (size_t i = 0; i < n_words; i++)
                if (text_equal(words[i], word))
                        return (int)i;
        return -EBADMSG;
}

static int take_word(RemoteUnit *unit, const char *name, const char *word) {
        int i = 0;

        if (text_equal(name, "LoadState") &&
            (i = index_of(unit_load_state_words, UNIT_LOAD_STATES, word)) >= 0)
                unit->unit.state = (UnitLoadState)i;
        else if (text_equal(name, "ActiveState") &&
                 (i = index_of(unit_active_state_words, UNIT_ACTIVE_STATES, word)) >= 0)
                unit->status.active = (UnitActiveState)i;
        else if (text_equal(name, "SubState") &&
                 (i = index_of(service_state_words, SERVICE_STATE_MAX, word)) >= 0)
                unit->status.state = (ServiceState)i;
        else if (text_equal(name, "Result") &&
                 (i = index_of(service_result_words, SERVICE_RESULT_MAX, word)) >= 0)
                unit->status.result = (ServiceResult)i;
        else if (text_equal(name, "Slice"))
                return text_replace(&unit->texts[TEXT_SLICE], word);
        else if (text_equal(name, "ControlGroup"))
                return word[0] ? text_replace(&unit->texts[TEXT_CGROUP], word + 1) : 0;
        else if (text_equal(name, "StatusText"))
                return word[0] ? text_replace(&unit->texts[TEXT_STATUS], word) : 0;
        else if (text_equal(name, "FailureText"))
                return word[0] ? text_replace(&unit->texts[TEXT_FAILURE], word) : 0;
        else if (text_equal(name, "UnitFileState"))
                return word[0] ? text_replace(&unit->texts[TEXT_FILE_STATE], word) : 0;
        else if (text_equal(name, "DynamicUserName"))
                return word[0] ? text_replace(&unit->texts[TEXT_USER], word) : 0;
        return 0; /* a word that is not known here is of a kind of unit that has no service's state */
}

static int read_invocation(sd_bus_message *reply, RemoteUnit *unit) {
        const void *bytes;
        size_t size;
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;

        const int r = sd_bus_message_read_array(reply, 'y', &bytes, &size);
        if (r < 0 || size != sizeof(id))
                return r;
        memcpy(&id, bytes, sizeof(id));
        return text_replace(&unit->texts[TEXT_INVOCATION], sd_id128_to_string(id, text));
}

static int read_field(sd_bus_message *reply, const Field *field, RemoteUnit *unit) {
        void *member = (char *)unit + field->offset;
        const char *text;
        int truth;

        if (text_equal(field->signature, "s")) {
                const int r = sd_bus_message_read_basic(reply, 's', &text);
                return r < 0 || text[0] == '\0' ? r : text_replace(member, text);
        }
        if (text_equal(field->signature, "b")) {
                const int r = sd_bus_message_read_basic(reply, 'b', &truth);
                *(Truth *)member = truth ? TRUTH_YES : TRUTH_NO;
                return r;
        }
        if (text_equal(field->signature, "as"))
                return sd_bus_message_read_strv(reply, member);
        return sd_bus_message_read_basic(reply, field->signature[0], member);
}

/* Numbers that are kept otherwise here. */
static int read_number(sd_bus_message *reply, const char *name, RemoteUnit *unit) {
        uint64_t limit;
        uint32_t n;
        int r;

        if (text_equal(name, "NRestarts")) {
                r = sd_bus_message_read_basic(reply, 'u', &n);
                unit->status.n_restarts = r < 0 ? 0 : n;
                return r;
        }
        r = sd_bus_message_read_basic(reply, 't', &limit);
        if (r < 0 || limit == UINT64_MAX)
                return r;
        free(TAKE_PTR(unit->unit.settings.tasks_max));
        return text_format(&unit->unit.settings.tasks_max, "%" PRIu64, limit);
}

static int read_condition(sd_bus_message *reply, ConditionList *list) {
        const char *name, *argument;
        int triggers, negated, result;

        int r = sd_bus_message_read(reply, BUS_CONDITION, &name, &triggers, &negated, &argument, &result);
        if (r <= 0)
                return r;
        Condition *const items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;
        Condition *const item = &items[list->n_items++];
        *item = (Condition){ .triggers = triggers, .negated = negated, .result = result };
        r = text_copy(name, &item->name);
        if (r >= 0)
                r = text_copy(argument, &item->argument);
        return r < 0 ? r : 1;
}

static int read_conditions(sd_bus_message *reply, ConditionList *list) {
        int r = sd_bus_message_enter_container(reply, 'a', BUS_CONDITION);

        while (r >= 0 && (r = read_condition(reply, list)) > 0)
                ;
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

/* Truth values that are no Truth here. */
static bool *find_truth(RemoteUnit *unit, const char *name) {
        const struct {
                const char *name;
                bool *member;
        } truths[] = {
                { "Transient", &unit->status.transient },
                { "NeedDaemonReload", &unit->status.needs_reload },
                { "ConditionResult", &unit->conditions.met },
                { "AssertResult", &unit->assertions.met },
        };

        for (size_t i = 0; i < ELEMENTSOF(truths); i++)
                if (text_equal(truths[i].name, name))
                        return truths[i].member;
        return NULL;
}

static int read_property(sd_bus_message *reply, const char *name, const char *contents, void *userdata) {
        RemoteUnit *unit = userdata;
        const char *word;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (text_equal(fields[i].name, name) && text_equal(fields[i].signature, contents))
                        return read_field(reply, &fields[i], unit);
        if (text_equal(name, "NRestarts") || text_equal(name, "TasksMax"))
                return read_number(reply, name, unit);
        if (text_equal(name, "InvocationID") && text_equal(contents, "ay"))
                return read_invocation(reply, unit);
        bool *const member = find_truth(unit, name);
        if (member) {
                int truth = 0;
                const int r = sd_bus_message_read(reply, "b", &truth);
                *member = truth;
                return r;
        }
        if (text_equal(name, "Conditions") || text_equal(name, "Asserts"))
                return read_conditions(reply, name[0] == 'C' ? &unit->conditions : &unit->assertions);
        if (!text_equal(contents, "s"))
                return sd_bus_message_skip(reply, contents);
        const int r = sd_bus_message_read_basic(reply, 's', &word);
        return r < 0 ? r : take_word(unit, name, word);
}

/* The name, and its value in the reply: on_property() reads it. */
static int read_next_property(sd_bus_message *reply, RemoteProperty on_property, void *userdata) {
        const char *name, *contents;

        int r = sd_bus_message_read_basic(reply, 's', &name);
        if (r >= 0)
                r = sd_bus_message_peek_type(reply, NULL, &contents);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'v', contents);
        if (r >= 0)
                r = on_property(reply, name, contents, userdata);
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

int remote_unit_ask(sd_bus *bus, const char *name, RemoteProperty on_property, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *path = NULL;

        int r = bus_unit_path(name, &path);
        if (r >= 0)
                r = sd_bus_call_method(bus, NULL, path, "org.freedesktop.DBus.Properties", "GetAll", &error,
                                       &reply, "s", "");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0)
                r = read_next_property(reply, on_property, userdata);
        return r < 0 ? log_error(r, "Cannot ask about %s: %s", name, error.message ?: strerror(-r)) : 0;
}

int remote_unit_get(sd_bus *bus, const char *name, RemoteUnit *ret) {
        *ret = (RemoteUnit){};
        const int r = remote_unit_ask(bus, name, read_property, ret);
        if (r < 0) {
                remote_unit_done(ret);
                return r;
        }
        ret->status.unit = &ret->unit;
        ret->status.conditions = &ret->conditions;
        ret->status.assertions = &ret->assertions;
        ret->status.file_state = ret->texts[TEXT_FILE_STATE];
        ret->status.slice = ret->texts[TEXT_SLICE];
        ret->status.cgroup = ret->texts[TEXT_CGROUP];
        ret->status.status_text = ret->texts[TEXT_STATUS];
        ret->status.failure = ret->texts[TEXT_FAILURE];
        ret->status.user = ret->texts[TEXT_USER];
        ret->status.invocation_id = ret->texts[TEXT_INVOCATION];
        return 0;
}

void remote_unit_done(RemoteUnit *unit) {
        for (size_t i = 0; i < ELEMENTSOF(unit->texts); i++)
                free(unit->texts[i]);
        condition_list_done(&unit->conditions);
        condition_list_done(&unit->assertions);
        free(unit->unit.name);
        free(unit->unit.fragment);
        strv_free(unit->unit.drop_ins);
        free(unit->unit.settings.description);
        free(unit->unit.settings.tasks_max);
        *unit = (RemoteUnit){};
}

int remote_unit_processes(sd_bus *bus, const char *name, RemoteProcess **ret, size_t *ret_n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *cgroup, *command_line;
        RemoteProcess *processes = NULL;
        size_t n = 0;
        uint32_t pid;

        int r = bus_client_call(bus, "GetUnitProcesses", &reply, "s", name);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sus)", &cgroup, &pid, &command_line)) > 0) {
                RemoteProcess *more = reallocarray(processes, n + 1, sizeof(*more));

                if (!more) {
                        r = -ENOMEM;
                        break;
                }
                processes = more;
                r = text_copy(command_line, &processes[n].command_line);
                if (r < 0)
                        break;
                processes[n++].pid = (pid_t)pid;
        }
        if (r < 0) {
                remote_processes_free(processes, n);
                return r;
        }
        *ret = processes;
        *ret_n = n;
        return 0;
}

void remote_processes_free(RemoteProcess *processes, size_t n_processes) {
        for (size_t i = 0; i < n_processes; i++)
                free(processes[i].command_line);
        free(processes);
}
