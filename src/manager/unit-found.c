/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/json-reader.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "manager/unit-state.h"

#define STATE_SIZE_MAX    (64 * KIB)
#define SETTINGS_SIZE_MAX (16 * MIB)
#define TMP_SIZE_MAX      (4 * KIB)
#define SOURCE            "the settings that it was started with"

void unit_found_done(UnitFound *found) {
        char **const texts[] = {
                &found->invocation, &found->active_word, &found->cgroup,     &found->user,
                &found->program,    &found->status,      &found->state_word, &found->result_word,
                &found->kind_word,  &found->tmp,         &found->var_tmp,    &found->dynamic_user,
                &found->job_word,   &found->network_id,
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                free(*texts[i]);
        *found = (UnitFound){};
}

static int read_service(JsonReader *reader, void *userdata, Reason *reason) {
        UnitFound *const found = userdata;
        const JsonField fields[] = {
                { .name = "state", .text = &found->state_word },
                { .name = "result", .text = &found->result_word },
                { .name = "kind", .text = &found->kind_word },
                { .name = "begun", .number = &found->begun },
                { .name = "spawning", .truth = &found->is_spawning },
                { .name = "mainPid", .number = &found->main_pid },
                { .name = "mainBegan", .optional = true, .number = &found->main_began },
                { .name = "controlPid", .number = &found->control_pid },
                { .name = "lastMainPid", .number = &found->last_main_pid },
                { .name = "mainCode", .number = &found->main_code },
                { .name = "mainStatus", .number = &found->main_status },
                { .name = "mainStarted", .number = &found->main_started },
                { .name = "mainStartedMonotonic", .number = &found->main_started_monotonic },
                { .name = "mainEnded", .number = &found->main_ended },
                { .name = "mainEndedMonotonic", .number = &found->main_ended_monotonic },
                { .name = "mainIgnoresFailure", .truth = &found->main_ignores_failure },
                { .name = "deadline", .number = &found->deadline },
                { .name = "runtimeDeadline", .optional = true, .number = &found->runtime_deadline },
                { .name = "watchdog", .number = &found->watchdog },
                { .name = "restarts", .number = &found->restarts },
                { .name = "stopAsked", .truth = &found->stop_asked },
                { .name = "unknown", .optional = true, .truth = &found->is_unknown },
                { .name = "cgroup", .text = &found->cgroup },
                { .name = "hasIdentity", .truth = &found->has_identity },
                { .name = "uid", .number = &found->uid },
                { .name = "gid", .number = &found->gid },
                { .name = "user", .text = &found->user },
                { .name = "dynamicUser", .text = &found->dynamic_user },
                { .name = "tmp", .text = &found->tmp },
                { .name = "varTmp", .text = &found->var_tmp },
                { .name = "network", .truth = &found->network },
                { .name = "networkId", .optional = true, .text = &found->network_id },
                { .name = "program", .text = &found->program },
                { .name = "status", .text = &found->status },
        };

        found->is_service = true;
        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

/* The place of a word in a table of them; its size when it is none of them. */
static unsigned place_of(const char *word, const char *const *words, unsigned n_words) {
        unsigned i = 0;

        while (i < n_words && !text_equal(words[i], word))
                i++;
        return i;
}

static int take_words(UnitFound *found, Reason *reason) {
        found->active = place_of(found->active_word, unit_active_state_words, UNIT_ACTIVE_STATES);
        if (found->active >= UNIT_ACTIVE_STATES)
                return reason_set(reason, -EBADMSG, "\"%s\" is no state of a unit", found->active_word);
        found->job = place_of(found->job_word, job_type_words, JOB_TYPES);
        if (!found->is_service)
                return 0;
        found->state = place_of(found->state_word, service_state_words, SERVICE_STATE_MAX);
        found->result = place_of(found->result_word, service_result_words, SERVICE_RESULT_MAX);
        found->kind = place_of(found->kind_word, service_command_words, SERVICE_COMMANDS + 1);
        if (found->state >= SERVICE_STATE_MAX || found->result >= SERVICE_RESULT_MAX ||
            found->kind > SERVICE_COMMANDS)
                return reason_set(reason, -EBADMSG, "\"%s\", \"%s\" or \"%s\" is a word of another version",
                                  found->state_word, found->result_word, found->kind_word);
        return 0;
}

/* "": of a manager that had none. */
static bool is_network_id(const char *text) {
        const size_t length = strspn(text, "0123456789abcdef");

        return text[length] == '\0' && (length == 0 || length == 32);
}

static int parse_state(const char *text, UnitFound *found, Reason *reason) {
        JsonReader reader = { .position = text, .end = text + strlen(text) };
        const JsonField fields[] = {
                { .name = "invocation", .text = &found->invocation },
                { .name = "active", .text = &found->active_word },
                { .name = "job", .text = &found->job_word },
                { .name = "jobRuns", .truth = &found->job_runs },
                { .name = "stateChanged", .number = &found->state_changed },
                { .name = "activeSince", .number = &found->active_since },
                { .name = "inactiveSince", .number = &found->inactive_since },
                { .name = "service", .optional = true, .read = read_service, .userdata = found },
        };

        int r = json_read_fields(&reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0)
                r = json_read_end(&reader);
        if (r >= 0)
                r = take_words(found, reason);
        if (r < 0)
                return r;
        if (found->main_pid > INT32_MAX || found->control_pid > INT32_MAX || found->uid >= UINT32_MAX ||
            found->gid >= UINT32_MAX || strlen(found->invocation) > 32)
                return reason_set(reason, -EBADMSG, "A number is out of range");
        if (found->network_id && !is_network_id(found->network_id))
                return reason_set(reason, -EBADMSG, "\"networkId\" is not 32 hexadecimal digits");
        return 0;
}

static int read_below(int units_fd, const char *name, const char *file, size_t size_max, char **ret) {
        _cleanup_(freep) char *path = NULL;

        const int r = path_join(name, file, &path);
        return r < 0 ? r : file_read(units_fd, path, size_max, ret, NULL);
}

/* Nothing else is ever removed because of a note. */
static bool is_private_tmp(const char *path, const char *where) {
        const char *const name = text_after_prefix(path, where);
        const char *const rest =
                name && text_after_prefix(name, "systemd-private-") ? strchr(name, '/') : NULL;

        return rest && text_equal(rest, "/tmp");
}

int unit_state_read(int units_fd, const char *name, UnitFound *ret, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        UnitFound found = {};

        int r = read_below(units_fd, name, "state", STATE_SIZE_MAX, &text);
        if (r >= 0)
                r = parse_state(text, &found, reason);
        if (r < 0) {
                unit_found_done(&found);
                return r;
        }
        *ret = found;
        return 0;
}

int unit_state_read_tmp(int units_fd, const char *name, PrivateTmp *ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(strv_freep) char **lines = NULL;

        int r = read_below(units_fd, name, "tmp", TMP_SIZE_MAX, &text);
        if (r >= 0)
                r = strv_split(text, "\n", &lines);
        if (r < 0)
                return r;
        if (strv_length(STRV(lines)) != 2 || !is_private_tmp(lines[0], "/tmp/") ||
            !is_private_tmp(lines[1], "/var/tmp/"))
                return -EBADMSG;
        *ret = (PrivateTmp){ .tmp = lines[0], .var_tmp = lines[1] };
        lines[0] = lines[1] = NULL;
        return 0;
}

typedef struct SettingsFound {
        char *fragment;
        char **drop_ins, **settings;
} SettingsFound;

static void settings_found_done(SettingsFound *found) {
        free(found->fragment);
        strv_free(found->drop_ins);
        strv_free(found->settings);
}

static int read_item(JsonReader *reader, void *userdata, Reason *reason) {
        char *text;

        const int r = json_read_text(reader, &text);
        return r < 0 ? r : strv_take(userdata, text);
}

static int read_list(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_item, userdata, reason);
}

static int parse_settings(const char *text, SettingsFound *found, Reason *reason) {
        JsonReader reader = { .position = text, .end = text + strlen(text) };
        const JsonField fields[] = {
                { .name = "fragment", .text = &found->fragment },
                { .name = "dropIns", .read = read_list, .userdata = &found->drop_ins },
                { .name = "settings", .read = read_list, .userdata = &found->settings },
        };

        const int r = json_read_fields(&reader, fields, ELEMENTSOF(fields), reason);
        return r < 0 ? r : json_read_end(&reader);
}

int unit_state_read_settings(int units_fd, const char *name, Unit **ret, Reason *reason) {
        _cleanup_(settings_found_done) SettingsFound found = {};
        _cleanup_(freep) char *text = NULL;
        _cleanup_(unit_freep) Unit *unit = NULL;

        int r = read_below(units_fd, name, "settings", SETTINGS_SIZE_MAX, &text);
        if (r >= 0)
                r = parse_settings(text, &found, reason);
        if (r >= 0)
                r = unit_new_transient(name, STRV(found.settings), SOURCE, &unit);
        if (r < 0)
                return r;
        if (unit->state != UNIT_LOADED)
                return reason_set(reason, -EBADMSG, "%s",
                                  unit->mistakes.texts ? unit->mistakes.texts[0] : "It is no unit");
        if (!text_is_empty(found.fragment))
                unit->fragment = TAKE_PTR(found.fragment);
        unit->drop_ins = TAKE_PTR(found.drop_ins);
        *ret = TAKE_PTR(unit);
        return 0;
}
