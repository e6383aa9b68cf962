/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "setting/load-file.h"
#include "unit/system-conf.h"
#include "unit/unit-additions.h"
#include "unit/unit-name.h"

#define FILE_NAME "system.conf"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define DEFAULT(key, member, type, text)                         \
        { .section = "Manager",                                  \
          .name = "Default" key,                                 \
          SETTING_MEMBER(SystemConfSettings, unit.member, type), \
          .about = text },
#define DEFAULT_LIMIT(resource, type)                               \
        DEFAULT("Limit" #resource, limits[RLIMIT_##resource], type, \
                "Limit" #resource "= of services that do not say it.")

static const char *const usual_directories[] = {
        "/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd",
};

/* clang-format off */
static const char *const log_level_words[CONF_LOG_MAX + 1] = { "", "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };
static const SettingAlias log_level_aliases[] = {
        { "0", "emerg" }, { "1", "alert" }, { "2", "crit" }, { "3", "err" }, { "4", "warning" }, { "5", "notice" }, { "6", "info" },
        { "7", "debug" }, {},
};

static const SettingSection sections[] = {
        { "Manager", "What the manager does, and what units have that do not say it themselves." },
};

static const Setting rows[] = {
        { .section = "Manager", .name = "LogLevel", SETTING_MEMBER(SystemConfSettings, log_level, enum),
          .words = log_level_words, .aliases = log_level_aliases,
          .about = "The least important messages that the manager prints on standard error: emerg, alert, crit, err, warning, "
                   "notice, info or debug. Looked at when the manager starts; --debug counts for more." },
        DEFAULT("TimeoutStartSec", timeout_start, timeout,
                "TimeoutStartSec= of services that do not say it, but not of those with Type=oneshot.")
        DEFAULT("TimeoutStopSec", timeout_stop, timeout, "TimeoutStopSec= of services that do not say it.")
        DEFAULT("RestartSec", restart_delay, duration, "RestartSec= of services that do not say it.")
        { .section = "Manager", .name = "DefaultStartLimitIntervalSec", .old_names = NAMES("DefaultStartLimitInterval"),
          SETTING_MEMBER(SystemConfSettings, unit.start_limit_interval, duration),
          .about = "StartLimitIntervalSec= of units that do not say it." },
        DEFAULT("StartLimitBurst", start_limit_burst, level, "StartLimitBurst= of units that do not say it.")
        DEFAULT("Environment", environment, lines,
                "Variables that all services get, NAME=VALUE, separated by blanks, with quotes around what has blanks itself; "
                "Environment= counts for more.")
        DEFAULT("StandardOutput", standard_output, text, "StandardOutput= of services that do not say it.")
        DEFAULT("StandardError", standard_error, text, "StandardError= of services that do not say it.")
        DEFAULT("CPUAccounting", cpu_accounting, truth, "CPUAccounting= of units that do not say it.")
        DEFAULT("TasksAccounting", tasks_accounting, truth, "TasksAccounting= of units that do not say it.")
        DEFAULT("MemoryAccounting", memory_accounting, truth, "MemoryAccounting= of units that do not say it.")
        DEFAULT("IPAccounting", ip_accounting, truth, "IPAccounting= of units that do not say it.")
        DEFAULT("TasksMax", tasks_max, tasks, "TasksMax= of services that do not say it; of slices it is none.")
        DEFAULT_LIMIT(CPU, limit_seconds)
        DEFAULT_LIMIT(FSIZE, limit)
        DEFAULT_LIMIT(DATA, limit)
        DEFAULT_LIMIT(STACK, limit)
        DEFAULT_LIMIT(CORE, limit)
        DEFAULT_LIMIT(RSS, limit)
        DEFAULT_LIMIT(NPROC, limit)
        DEFAULT_LIMIT(NOFILE, limit)
        DEFAULT_LIMIT(MEMLOCK, limit)
        DEFAULT_LIMIT(AS, limit)
        DEFAULT_LIMIT(LOCKS, limit)
        DEFAULT_LIMIT(SIGPENDING, limit)
        DEFAULT_LIMIT(MSGQUEUE, limit)
        DEFAULT_LIMIT(NICE, limit)
        DEFAULT_LIMIT(RTPRIO, limit)
        DEFAULT_LIMIT(RTTIME, limit_usec)
};
/* clang-format on */

const SettingTable system_conf_settings = {
        .dialect = SETTING_DIALECT_UNIT,
        .sections = sections,
        .n_sections = ELEMENTSOF(sections),
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
};

void system_conf_free(SystemConf *conf) {
        if (!conf)
                return;
        setting_store_free(conf->store);
        setting_mistakes_done(&conf->mistakes);
        free(conf);
}

int system_conf_paths(const char *root, const char *const *own, UnitPaths *ret) {
        _cleanup_(unit_paths_done) UnitPaths paths = {};

        int r = path_absolute(root ?: "/", &paths.root);
        for (; r >= 0 && own && *own; own++)
                r = unit_paths_add(&paths, *own);
        for (size_t i = 0; r >= 0 && root && i < ELEMENTSOF(usual_directories); i++)
                r = unit_paths_add(&paths, usual_directories[i]);
        if (r < 0)
                return r;
        *ret = paths;
        paths = (UnitPaths){};
        return 0;
}

/* 1 when there was such a file, whatever became of it. */
static int read_file(const UnitPaths *paths, const char *path, SystemConf *conf) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        int r = unit_file_read(paths, path, &text, &size);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0 && r != -ENOMEM)
                r = setting_warning(&conf->mistakes, "%s: %s", path, file_read_error(r));
        else if (r >= 0)
                r = setting_load_text(conf->store, path, text, size, &conf->mistakes);
        return r < 0 ? r : 1;
}

static int read_all(const UnitPaths *paths, SystemConf *conf) {
        _cleanup_(strv_freep) char **drop_ins = NULL;
        int r = 0;

        for (char *const *directory = paths->directories; r == 0 && directory && *directory; directory++) {
                _cleanup_(freep) char *path = NULL;

                r = path_join(*directory, FILE_NAME, &path);
                if (r >= 0)
                        r = read_file(paths, path, conf);
        }
        if (r >= 0)
                r = conf_drop_ins_find(paths, FILE_NAME, &conf->mistakes, &drop_ins);
        for (char **path = drop_ins; r >= 0 && path && *path; path++)
                r = read_file(paths, *path, conf);
        return r;
}

int system_conf_load(const UnitPaths *paths, SystemConf **ret) {
        _cleanup_(system_conf_freep) SystemConf *conf = calloc(1, sizeof(SystemConf));

        if (!conf)
                return -ENOMEM;
        int r = setting_store_new(&system_conf_settings, &conf->settings, &conf->store);
        if (r >= 0)
                r = read_all(paths, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(conf);
        return 0;
}

/* What a unit of the type has for a member; NULL when it has nothing of that, or has said it, in whichever section. */
static const Setting *find_unsaid(const Unit *unit, size_t offset) {
        const char *const own = unit_name_type(unit->name) == UNIT_SLICE ? "Slice" : "Service";
        const Setting *found = NULL;

        for (size_t i = 0; i < unit_settings.n_rows; i++) {
                const Setting *const row = &unit_settings.rows[i];

                if (row->offset != offset)
                        continue;
                if (setting_source(unit->store, row) != SETTING_UNSET)
                        return NULL;
                if (!found && (text_equal(row->section, "Unit") || text_equal(row->section, own)))
                        found = row;
        }
        return found;
}

/* Where something else of the unit decides. */
static bool is_exempt(const Unit *unit, size_t offset) {
        const UnitSettings *const settings = &unit->settings;

        switch (offset) {
        case offsetof(UnitSettings, timeout_start):
                return settings->timeout_both.set || settings->type == SERVICE_ONESHOT;
        case offsetof(UnitSettings, timeout_stop):
                return settings->timeout_both.set;
        case offsetof(UnitSettings, tasks_max):
                return unit_name_type(unit->name) == UNIT_SLICE;
        default:
                return false;
        }
}

/* Both members are of one type, which reads what it has printed. */
static int copy_value(const SystemConf *conf, const Setting *from, Unit *unit, const Setting *to) {
        _cleanup_(freep) char *text = NULL, *origin = NULL;
        size_t size;
        FILE *const file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        (void)from->type->print(from, setting_member(conf->store, from), 0, file);
        if (fclose(file) != 0)
                return -ENOMEM;
        int r = to->type->parse(to, text, setting_member(unit->store, to), NULL);
        if (r >= 0)
                r = text_format(&origin, "%s=", from->name);
        return r < 0 ? r : setting_note_origin(unit->store, to, SETTING_DERIVED, origin);
}

int system_conf_apply(const SystemConf *conf, Unit *unit) {
        const UnitType type = unit_name_type(unit->name);
        int r = 0;

        if (unit->state != UNIT_LOADED || (type != UNIT_SERVICE && type != UNIT_SLICE))
                return 0;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++) {
                const Setting *const from = &rows[i];
                const size_t offset = from->offset - offsetof(SystemConfSettings, unit);

                /* Lists add up, which is for whoever reads them. */
                if (from->offset < offsetof(SystemConfSettings, unit) || from->type->is_list ||
                    setting_source(conf->store, from) == SETTING_UNSET || is_exempt(unit, offset))
                        continue;
                const Setting *const to = find_unsaid(unit, offset);
                if (to)
                        r = copy_value(conf, from, unit, to);
        }
        return r;
}
