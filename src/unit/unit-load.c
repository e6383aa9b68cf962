/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "setting/load-file.h"
#include "unit/unit-check.h"
#include "unit/unit-fragment.h"
#include "unit/unit-implied.h"
#include "unit/unit-load.h"
#include "unit/unit-mark.h"
#include "unit/unit-name.h"

void unit_free(Unit *unit) {
        if (!unit)
                return;
        setting_store_free(unit->store);
        setting_mistakes_done(&unit->mistakes);
        free(unit->name);
        free(unit->fragment);
        strv_free(unit->drop_ins);
        unit_marks_done(unit);
        free(unit);
}

static int unit_new(const char *name, Unit **ret) {
        _cleanup_(unit_freep) Unit *unit = calloc(1, sizeof(Unit));

        if (!unit)
                return -ENOMEM;
        int r = text_copy(name, &unit->name);
        if (r >= 0)
                r = setting_store_new(&unit_settings, &unit->settings, &unit->store);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(unit);
        return 0;
}

/* One that cannot be read might have said anything, also what confines. */
static int read_file(const UnitPaths *paths, const char *path, Unit *unit) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        int r = unit_mark_file(unit, paths, path);
        if (r < 0)
                return r;
        r = unit_file_read(paths, path, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return setting_mistake(&unit->mistakes, "%s: %s", path, file_read_error(r));
        return setting_load_text(unit->store, path, text, size, &unit->mistakes);
}

static int add_names(Unit *unit, size_t offset, char *const *names, const char *suffix) {
        const Setting *const setting = setting_find(&unit_settings, offset);
        char ***const list = setting_member(unit->store, setting);
        _cleanup_(freep) char *origin = NULL;

        if (!names)
                return 0;
        int r = text_format(&origin, "%s%s/", unit->name, suffix);
        if (r >= 0)
                r = strv_extend(list, STRV(names));
        return r < 0 ? r : setting_note_addition(unit->store, setting, SETTING_DISCOVERED, origin);
}

static int refuse_setting(Unit *unit, const Setting *setting) {
        _cleanup_(freep) char *origin = NULL;

        const int r = setting_origin_format(setting_origins(unit->store, setting)->items, &origin);
        return r < 0 ? r
                     : setting_mistake(&unit->mistakes, "%s: %s= is refused: %s", origin, setting->name,
                                       setting->planned);
}

/* What would confine the service must not be passed over because it is not there yet. */
static int check_refused(Unit *unit) {
        int r = 0;

        for (size_t i = 0; i < unit_settings.n_rows && r >= 0; i++) {
                const Setting *const setting = &unit_settings.rows[i];

                if (setting->planned && *(const bool *)setting_member(unit->store, setting))
                        r = refuse_setting(unit, setting);
        }
        return r;
}

/* A service that starts nothing is none; one that only stops something says so by Type=oneshot. */
static int check_commands(Unit *unit, const char *origin) {
        char **const *commands = unit->settings.commands;

        if (unit_name_type(unit->name) != UNIT_SERVICE || commands[SERVICE_START] ||
            (unit->settings.type == SERVICE_ONESHOT && unit->settings.remain_after_exit &&
             commands[SERVICE_STOP]))
                return 0;
        return setting_mistake(&unit->mistakes, "%s: There is no ExecStart=", origin);
}

static int unit_check(Unit *unit, const char *origin) {
        int r = check_refused(unit);

        if (r >= 0)
                r = check_commands(unit, origin);
        if (r >= 0)
                r = unit_settings_check(unit);
        if (r >= 0)
                r = unit_settings_imply(unit->store);
        unit->state = unit->mistakes.texts ? UNIT_BAD_SETTING : UNIT_LOADED;
        return r;
}

static int unit_read(const UnitPaths *paths, const UnitFiles *files, Unit *unit) {
        int r = unit->fragment ? read_file(paths, unit->fragment, unit) : 0;

        for (char *const *path = unit->drop_ins; r >= 0 && path && *path; path++)
                r = read_file(paths, *path, unit);
        if (r >= 0)
                r = add_names(unit, offsetof(UnitSettings, wants), files->wants, ".wants");
        if (r >= 0)
                r = add_names(unit, offsetof(UnitSettings, requires), files->requires, ".requires");
        if (r >= 0)
                r = unit_fragment_expand(unit);
        return r < 0 ? r : unit_check(unit, unit->fragment ? unit->fragment : unit->name);
}

int unit_load(const UnitPaths *paths, const char *name, Unit **ret) {
        _cleanup_(unit_files_done) UnitFiles files = {};
        _cleanup_(unit_freep) Unit *unit = NULL;

        int r = unit_new(name, &unit);
        if (r >= 0)
                r = unit_files_find(paths, name, &unit->mistakes, &files);
        if (r < 0)
                return r;
        free(unit->name);
        unit->name = TAKE_PTR(files.name);
        unit->fragment = TAKE_PTR(files.fragment);
        unit->drop_ins = TAKE_PTR(files.drop_ins);

        if (files.masked)
                unit->state = UNIT_MASKED;
        else if (unit->fragment || unit_name_type(unit->name) == UNIT_SLICE)
                r = unit_read(paths, &files, unit);
        else
                unit->state = unit->mistakes.texts ? UNIT_BAD_SETTING : UNIT_NOT_FOUND;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(unit);
        return 0;
}

static bool is_called(const Setting *setting, const char *name) {
        return text_equal(setting->name, name) || strv_contains(setting->old_names, name);
}

bool unit_type_has_section(UnitType type, const char *section) {
        return text_equal(section, "Unit") || text_equal(section, "Install") ||
               text_equal(section, type == UNIT_SLICE ? "Slice" : "Service");
}

static const Setting *property_find(UnitType type, const char *name) {
        for (size_t i = 0; i < unit_settings.n_rows; i++)
                if (unit_type_has_section(type, unit_settings.rows[i].section) &&
                    is_called(&unit_settings.rows[i], name))
                        return &unit_settings.rows[i];
        return NULL;
}

static int explain_property(Unit *unit, const char *name, const char *source) {
        _cleanup_(freep) const char **names = calloc(unit_settings.n_rows + 1, sizeof(char *));
        size_t n = 0;

        if (!names)
                return -ENOMEM;
        if (strv_length(STRV(unit->mistakes.texts)) > SETTING_MISTAKES_MAX)
                return 0; /* no more of them are kept */
        for (size_t i = 0; i < unit_settings.n_rows; i++)
                if (unit_type_has_section(unit_name_type(unit->name), unit_settings.rows[i].section))
                        names[n++] = unit_settings.rows[i].name;
        const char *const near = text_nearest(name, names);
        return setting_mistake(&unit->mistakes, "%s: Unknown setting \"%s\"%s%s%s", source, name,
                               near ? ", did you mean \"" : "", near ?: "", near ? "\"?" : "");
}

static int property_set(Unit *unit, const Setting *setting, const char *text, const char *source) {
        const SettingValue value = { .text = text, .source = SETTING_FILE, .file = source };
        _cleanup_(reason_done) Reason reason = {};

        if (text[0] == '\0') {
                setting_reset(unit->store, setting);
                if (!(setting->flags & SETTING_EMPTY_COUNTS))
                        return 0;
        }
        const int r = setting_assign(unit->store, setting, &value, &reason);
        if (r >= 0 || r == -ENOMEM)
                return r;
        return setting_mistake(&unit->mistakes, "%s: %s=%s: %s", source, setting->name, text,
                               reason_text(&reason, r));
}

static int property_assign(Unit *unit, const char *assignment, const char *source) {
        const char *const equals = strchr(assignment, '=');
        _cleanup_(freep) char *name = NULL;

        if (!equals)
                return setting_mistake(&unit->mistakes, "%s: Not \"NAME=VALUE\": \"%s\"", source, assignment);
        name = strndup(assignment, (size_t)(equals - assignment));
        if (!name)
                return -ENOMEM;
        const Setting *const setting = property_find(unit_name_type(unit->name), name);
        return setting ? property_set(unit, setting, equals + 1, source)
                       : explain_property(unit, name, source);
}

int unit_new_transient(const char *name, const char *const *assignments, const char *source, Unit **ret) {
        _cleanup_(unit_freep) Unit *unit = NULL;

        assert(unit_name_kind(name) & (UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE));
        int r = unit_new(name, &unit);
        for (; r >= 0 && assignments && *assignments; assignments++)
                r = property_assign(unit, *assignments, source);
        if (r >= 0)
                r = unit_check(unit, source);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(unit);
        return 0;
}
