/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "bus/bus-internal.h"
#include "unit/exec-command.h"

/* How the settings of units look on a bus: a truth value as one, a length of time in microseconds under a name of its own,
 * numbers as numbers, and all else as the text that would stand in a file. */

typedef struct PropertyType {
        const SettingType *setting;
        const char *signature;
        int (*append)(sd_bus_message *reply, const Setting *setting, const void *member);
} PropertyType;

/* What holds where nothing was said: of numbers and truth values 0 unless it stands here. */
static uint64_t default_number(const char *name) {
        static const struct {
                const char *name;
                uint64_t number;
        } rows[] = {
                { "RestartSec", 100 * UINT64_C(1000) },
                { "RuntimeMaxSec", UINT64_MAX },
                { "TimeoutStartSec", 90 * SECOND_USEC },
                { "TimeoutStopSec", 90 * SECOND_USEC },
                { "KillSignal", SIGTERM },
                { "FinalKillSignal", SIGKILL },
                { "SendSIGKILL", true },
                { "IgnoreSIGPIPE", true },
                { "TasksAccounting", true },
                { "IOSchedulingPriority", 4 },
                { "UMask", 022 },
                { "RuntimeDirectoryMode", 0755 },
                { "StateDirectoryMode", 0755 },
                { "CacheDirectoryMode", 0755 },
                { "LogsDirectoryMode", 0755 },
                { "ConfigurationDirectoryMode", 0755 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (text_equal(rows[i].name, name))
                        return rows[i].number;
        return 0;
}

/* The same of texts, which are empty unless they stand here. */
static const char *default_text(const char *name) {
        static const char *const rows[][2] = {
                { "StandardInput", "null" },  { "StandardOutput", "journal" }, { "StandardError", "inherit" },
                { "KeyringMode", "private" }, { "TimerSlackNSec", "50000" },   { "Delegate", "no" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (text_equal(rows[i][0], name))
                        return rows[i][1];
        return "";
}

static int append_bool(sd_bus_message *reply, const Setting *setting, const void *member) {
        return sd_bus_message_append(reply, "b", *(const bool *)member);
}

static int append_truth(sd_bus_message *reply, const Setting *setting, const void *member) {
        const Truth truth = *(const Truth *)member;

        return sd_bus_message_append(
                reply, "b", truth == TRUTH_OPEN ? default_number(setting->name) != 0 : truth == TRUTH_YES);
}

/* What follows from other settings comes before that: a oneshot service does its work while it starts. */
static uint64_t duration_of(const UnitSettings *settings, const Setting *setting) {
        const Duration *const said = (const void *)((const char *)settings + setting->offset);

        if (said->set)
                return said->usec;
        if (settings->timeout_both.set &&
            (said == &settings->timeout_start || said == &settings->timeout_stop))
                return settings->timeout_both.usec;
        if (said == &settings->timeout_start && settings->type == SERVICE_ONESHOT)
                return TIME_SPAN_INFINITY;
        return default_number(setting->name);
}

static int append_duration(sd_bus_message *reply, const Setting *setting, const void *member) {
        const Duration *const duration = member;

        return sd_bus_message_append(reply, "t",
                                     duration->set ? duration->usec : default_number(setting->name));
}

/* Processes of services have the manager's limits where they have none of their own. */
static Limit limit_of(const Setting *setting, const Limit *limit) {
        const size_t resource = (setting->offset - offsetof(UnitSettings, limits)) / sizeof(Limit);
        struct rlimit ours;

        if (limit->set || getrlimit((int)resource, &ours) < 0)
                return *limit;
        return (Limit){
                .soft = ours.rlim_cur == RLIM_INFINITY ? UINT64_MAX : ours.rlim_cur,
                .hard = ours.rlim_max == RLIM_INFINITY ? UINT64_MAX : ours.rlim_max,
        };
}

static int append_limit(sd_bus_message *reply, const Setting *setting, const void *member) {
        return sd_bus_message_append(reply, "t", limit_of(setting, member).hard);
}

static int append_level(sd_bus_message *reply, const Setting *setting, const void *member) {
        const Level *const level = member;

        return sd_bus_message_append(reply, "i",
                                     level->set ? level->value : (int32_t)default_number(setting->name));
}

static int append_mode(sd_bus_message *reply, const Setting *setting, const void *member) {
        const Mode *const mode = member;

        return sd_bus_message_append(reply, "u",
                                     (uint32_t)(mode->set ? mode->bits : default_number(setting->name)));
}

static int append_signal(sd_bus_message *reply, const Setting *setting, const void *member) {
        return sd_bus_message_append(reply, "i",
                                     *(const int *)member ?: (int32_t)default_number(setting->name));
}

static int append_list(sd_bus_message *reply, const Setting *setting, const void *member) {
        return sd_bus_message_append_strv(reply, *(char **const *)member);
}

/* Of lines, each word is an item for systemctl(1); a line that cannot be split is one. */
static int append_words(sd_bus_message *reply, const Setting *setting, const void *member) {
        _cleanup_(strv_freep) char **words = NULL;
        int r = 0;

        /* What is no list of words is one text a line. */
        if (setting->offset == offsetof(UnitSettings, environment_file) ||
            setting->offset == offsetof(UnitSettings, standard_input_text))
                return append_list(reply, setting, member);
        for (char *const *line = *(char **const *)member; r >= 0 && line && *line; line++) {
                _cleanup_(strv_freep) char **some = NULL;

                r = strv_split_quoted(*line, &some);
                if (r >= 0)
                        r = strv_extend(&words, STRV(some));
                else if (r != -ENOMEM)
                        r = strv_append(&words, *line);
        }
        return r < 0 ? r : sd_bus_message_append_strv(reply, words);
}

static const PropertyType types[] = {
        { &setting_type_bool, "b", append_bool },         { &setting_type_truth, "b", append_truth },
        { &setting_type_duration, "t", append_duration }, { &setting_type_timeout, "t", append_duration },
        { &setting_type_limit, "t", append_limit },       { &setting_type_limit_seconds, "t", append_limit },
        { &setting_type_limit_usec, "t", append_limit },  { &setting_type_level, "i", append_level },
        { &setting_type_nice, "i", append_level },        { &setting_type_oom_score, "i", append_level },
        { &setting_type_mode, "u", append_mode },         { &setting_type_signal, "i", append_signal },
        { &setting_type_word_list, "as", append_list },   { &setting_type_lines, "as", append_words },
        { &setting_type_path_list, "as", append_list },
};

/* Words that are the kernel's numbers for systemctl(1). */
static int append_cpu_policy(sd_bus_message *reply, const Setting *setting, const void *member) {
        static const int32_t policies[] = {
                [CPU_POLICY_OPEN] = SCHED_OTHER,  [CPU_POLICY_OTHER] = SCHED_OTHER,
                [CPU_POLICY_BATCH] = SCHED_BATCH, [CPU_POLICY_IDLE] = SCHED_IDLE,
                [CPU_POLICY_FIFO] = SCHED_FIFO,   [CPU_POLICY_RR] = SCHED_RR,
        };

        static_assert(ELEMENTSOF(policies) == CPU_POLICY_MAX, "every word has a policy");
        return sd_bus_message_append(reply, "i", policies[*(const unsigned *)member]);
}

static int append_io_class(sd_bus_message *reply, const Setting *setting, const void *member) {
        static const int32_t classes[] = {
                [IO_CLASS_OPEN] = 2,        [IO_CLASS_NONE] = 0, [IO_CLASS_REALTIME] = 1,
                [IO_CLASS_BEST_EFFORT] = 2, [IO_CLASS_IDLE] = 3,
        };

        static_assert(ELEMENTSOF(classes) == IO_CLASS_MAX, "every word has a class");
        return sd_bus_message_append(reply, "i", classes[*(const unsigned *)member]);
}

/* systemctl(1) takes a list under these names for one of structures, and fails: they are one text. */
static bool is_joined(const Setting *setting) {
        static const char *const names[] = { "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", NULL };

        return strv_contains(names, setting->name);
}

static int append_joined(sd_bus_message *reply, const Setting *setting, const void *member) {
        _cleanup_(freep) char *text = NULL;

        const int r = strv_join(STRV(*(char **const *)member), " ", &text);
        return r < 0 ? r : sd_bus_message_append(reply, "s", text);
}

static const PropertyType *find_type(const Setting *setting) {
        static const PropertyType joined = { NULL, "s", append_joined },
                                  policy = { NULL, "i", append_cpu_policy },
                                  class = { NULL, "i", append_io_class };

        if (is_joined(setting))
                return &joined;
        if (setting->offset == offsetof(UnitSettings, cpu_policy))
                return &policy;
        if (setting->offset == offsetof(UnitSettings, io_class))
                return &class;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (types[i].setting == setting->type)
                        return &types[i];
        return NULL;
}

/* "TimeoutStopSec" is "TimeoutStopUSec" on the bus, where no unit can be told otherwise. */
static const char seconds[] = "Sec", microseconds[] = "USec";

static bool is_duration(const Setting *setting) {
        return setting->type == &setting_type_duration || setting->type == &setting_type_timeout;
}

static bool is_limit(const Setting *setting) {
        return setting->type == &setting_type_limit || setting->type == &setting_type_limit_seconds ||
               setting->type == &setting_type_limit_usec;
}

static int property_name(const Setting *setting, char **ret) {
        const size_t length = strlen(setting->name) - strlen(seconds);

        if (is_duration(setting) && text_ends_with(setting->name, seconds))
                return text_format(ret, "%.*s%s", (int)length, setting->name, microseconds);
        return text_copy(setting->name, ret);
}

/* The row that a property is made of; NULL: it is none. */
static const Setting *find_setting(const char *property) {
        const size_t length = strlen(property);

        for (size_t i = 0; i < unit_settings.n_rows; i++) {
                const Setting *setting = &unit_settings.rows[i];
                const size_t name_length = strlen(setting->name);

                if (text_equal(setting->name, property))
                        return setting;
                if (is_duration(setting) && length == name_length + 1 &&
                    text_ends_with(property, microseconds) &&
                    strncmp(property, setting->name, length - strlen(microseconds)) == 0)
                        return setting;
        }
        return NULL;
}

/* Commands, with how the last of them went: of those that are kept, the main process is the one that is known. */

#define COMMAND_CONTENTS "sasbttttuii"

static bool is_command(const Setting *setting) {
        return setting->offset >= offsetof(UnitSettings, commands) &&
               setting->offset < offsetof(UnitSettings, commands) + sizeof(((UnitSettings *)NULL)->commands);
}

static int append_command(sd_bus_message *reply, const ExecCommand *command, const UnitStatus *status) {
        int r = sd_bus_message_open_container(reply, 'r', COMMAND_CONTENTS);
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", command->path);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, command->argv);
        if (r >= 0)
                r = sd_bus_message_append(reply, "bttttuii",
                                          (command->flags & EXEC_COMMAND_IGNORE_FAILURE) != 0,
                                          status->main_started, status->main_started_monotonic,
                                          status->main_ended, status->main_ended_monotonic,
                                          (uint32_t)status->last_main_pid, (int32_t)status->main_code,
                                          (int32_t)status->main_status);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Lines that are none were complained of when the unit was loaded. */
static int append_commands(sd_bus_message *reply, const Setting *setting, const UnitStatus *status) {
        static const UnitStatus nothing = {};
        const bool is_main = setting->offset == offsetof(UnitSettings, commands[SERVICE_START]);
        char *const *line = *(char *const *const *)((const char *)&status->unit->settings + setting->offset);
        _cleanup_(exec_command_list_done) ExecCommandList list = {};
        int r = 0;

        for (; r >= 0 && line && *line; line++) {
                r = exec_command_parse(*line, status->unit->name, &list, NULL);
                if (r == -EINVAL)
                        r = 0;
        }
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(" COMMAND_CONTENTS ")");
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                r = append_command(reply, &list.items[i], is_main ? status : &nothing);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_text(sd_bus_message *reply, const Setting *setting, const void *member) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        FILE *file = open_memstream(&text, &size);
        if (!file)
                return -errno;
        (void)setting->type->print(setting, member, 0, file);
        if (fclose(file) != 0)
                return -ENOMEM;
        return sd_bus_message_append(reply, "s", text_is_empty(text) ? default_text(setting->name) : text);
}

static int get_setting(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const BusUnit *unit = userdata;
        const Setting *setting = find_setting(property);
        const PropertyType *type;

        if (!setting)
                return -ENOENT;
        if (is_command(setting))
                return append_commands(reply, setting, &unit->status);
        const void *member = (const char *)&unit->status.unit->settings + setting->offset;
        type = find_type(setting);
        if (is_duration(setting))
                return sd_bus_message_append(reply, "t", duration_of(&unit->status.unit->settings, setting));
        return type ? type->append(reply, setting, member) : append_text(reply, setting, member);
}

static const char soft[] = "Soft";

static int get_soft_limit(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const UnitSettings *const settings = &((const BusUnit *)userdata)->status.unit->settings;
        _cleanup_(freep) char *name = strndup(property, strlen(property) - strlen(soft));

        if (!name)
                return -ENOMEM;
        const Setting *const setting = find_setting(name);
        if (!setting)
                return -ENOENT;
        return sd_bus_message_append(
                reply, "t",
                limit_of(setting, (const Limit *)(const void *)((const char *)settings + setting->offset))
                        .soft);
}

/* What the other tables have under the same name, as it really is. */
static bool is_elsewhere(const Setting *setting) {
        static const char *const names[] = {
                "Description",           "Slice",      "TasksMax",     "StartLimitInterval",
                "StartLimitBurst",       "TimeoutSec", "NotifyAccess", "AmbientCapabilities",
                "CapabilityBoundingSet", NULL,
        };

        return setting->planned || strv_contains(names, setting->name) ||
               !text_equal(setting->section, "Service");
}

static const char *signature_of(const Setting *setting) {
        const PropertyType *type = find_type(setting);

        return is_command(setting) ? "a(" COMMAND_CONTENTS ")" : type ? type->signature : "s";
}

static int add_property(sd_bus_vtable *table, size_t *n, const Setting *setting) {
        char *name;

        int r = property_name(setting, &name);
        if (r < 0)
                return r;
        table[(*n)++] = (sd_bus_vtable)SD_BUS_PROPERTY(name, signature_of(setting), get_setting, 0,
                                                       SD_BUS_VTABLE_PROPERTY_CONST);
        if (!is_limit(setting))
                return 0;
        r = text_format(&name, "%s%s", setting->name, soft);
        if (r >= 0)
                table[(*n)++] = (sd_bus_vtable)SD_BUS_PROPERTY(name, "t", get_soft_limit, 0,
                                                               SD_BUS_VTABLE_PROPERTY_CONST);
        return r;
}

int bus_property_vtable(sd_bus_vtable **ret) {
        const sd_bus_vtable start = SD_BUS_VTABLE_START(0), end = SD_BUS_VTABLE_END;
        sd_bus_vtable *table = calloc(2 * unit_settings.n_rows + 2, sizeof(*table));
        size_t n = 0;
        int r = 0;

        if (!table)
                return -ENOMEM;
        table[n++] = start;
        for (size_t i = 0; r >= 0 && i < unit_settings.n_rows; i++)
                if (!is_elsewhere(&unit_settings.rows[i]))
                        r = add_property(table, &n, &unit_settings.rows[i]);
        table[n] = end;
        if (r < 0) {
                bus_property_vtable_free(table);
                return r;
        }
        *ret = table;
        return 0;
}

void bus_property_vtable_free(sd_bus_vtable *table) {
        if (!table)
                return;
        for (sd_bus_vtable *row = table; row->type != _SD_BUS_VTABLE_END; row++)
                if (row->type == _SD_BUS_VTABLE_PROPERTY)
                        free((char *)row->x.property.member);
        free(table);
}

/* What clients say */

static int add_text(char ***assignments, const char *name, const char *text) {
        return strv_append_format(assignments, "%s=%s", name, text);
}

/* The first assignment takes back what was said before. */
static int read_list(sd_bus_message *message, const char *name, char ***assignments) {
        const char *text;

        int r = sd_bus_message_enter_container(message, 'a', "s");
        if (r >= 0)
                r = add_text(assignments, name, "");
        while (r >= 0 && (r = sd_bus_message_read_basic(message, 's', &text)) > 0)
                r = add_text(assignments, name, text);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_number(sd_bus_message *message, char type, const char *name, char ***assignments) {
        union {
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                int b;
        } value;

        const int r = sd_bus_message_read_basic(message, type, &value);
        if (r < 0)
                return r;
        switch (type) {
        case 'b':
                return add_text(assignments, name, value.b ? "yes" : "no");
        case 'i':
                return strv_append_format(assignments, "%s=%" PRIi32, name, value.i);
        case 'u':
                return strv_append_format(assignments, "%s=%" PRIu32, name, value.u);
        case 'x':
                return strv_append_format(assignments, "%s=%" PRIi64, name, value.x);
        default:
                return value.t == UINT64_MAX ? add_text(assignments, name, "infinity")
                                             : strv_append_format(assignments, "%s=%" PRIu64, name, value.t);
        }
}

/* A number of microseconds is written as one. */
static int read_duration(sd_bus_message *message, const Setting *setting, char ***assignments) {
        uint64_t usec;

        const int r = sd_bus_message_read_basic(message, 't', &usec);
        if (r < 0)
                return r;
        if (usec == UINT64_MAX)
                return add_text(assignments, setting->name, "infinity");
        return strv_append_format(assignments, "%s=%" PRIu64 "us", setting->name, usec);
}

static int read_descriptor(sd_bus_message *message, int *ret) {
        int fd;

        const int r = sd_bus_message_read_basic(message, 'h', &fd);
        if (r < 0)
                return r;
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return -errno;
        (void)fd_close(*ret);
        *ret = fd;
        return 0;
}

static int read_value(sd_bus_message *message, const char *name, const char *contents, char ***assignments,
                      int standard[3], sd_bus_error *error) {
        static const char *const descriptors[] = { "StandardInputFileDescriptor",
                                                   "StandardOutputFileDescriptor",
                                                   "StandardErrorFileDescriptor" };
        const Setting *setting = find_setting(name);
        const char *text;

        for (size_t i = 0; standard && i < ELEMENTSOF(descriptors); i++)
                if (text_equal(name, descriptors[i]) && text_equal(contents, "h"))
                        return read_descriptor(message, &standard[i]);
        if (setting && is_duration(setting) && text_equal(contents, "t"))
                return read_duration(message, setting, assignments);
        if (text_equal(contents, "as"))
                return read_list(message, name, assignments);
        if (strlen(contents) == 1 && strchr("biuxt", contents[0]))
                return read_number(message, contents[0], name, assignments);
        if (!text_equal(contents, "s"))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "%s: a value of the type \"%s\" is not known here", name, contents);
        const int r = sd_bus_message_read_basic(message, 's', &text);
        return r < 0 ? r : add_text(assignments, name, text);
}

int bus_property_read(sd_bus_message *message, char ***assignments, int standard[3], sd_bus_error *error) {
        const char *name, *contents;

        int r = sd_bus_message_enter_container(message, 'r', "sv");
        if (r <= 0)
                return r;
        r = sd_bus_message_read_basic(message, 's', &name);
        if (r >= 0)
                r = sd_bus_message_peek_type(message, NULL, &contents);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'v', contents);
        if (r >= 0)
                r = read_value(message, name, contents, assignments, standard, error);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 1;
}
