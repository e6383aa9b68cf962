/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <syslog.h>

#include "base/log.h"
#include "base/strv.h"
#include "manager/managed-unit.h"
#include "unit/system-conf.h"

/* Own directories come first. Who names all directories of units wants nothing of what is elsewhere. */
int manager_find_conf(Manager *manager, const ManagerOptions *options) {
        const char *const own[] = { manager->paths.config, manager->paths.runtime, NULL };

        return system_conf_paths(options->unit_paths ? NULL : options->root ?: "/", own, &manager->conf_paths);
}

static void log_mistakes(const SystemConf *conf) {
        for (char *const *text = conf->mistakes.texts; text && *text; text++)
                log_warning("%s", *text);
        for (char *const *text = conf->mistakes.warnings; text && *text; text++)
                log_warning("%s", *text);
}

int manager_read_conf(Manager *manager) {
        _cleanup_(reason_done) Reason reason = {};
        SystemConf *conf;

        const int r = system_conf_load(&manager->conf_paths, &conf);
        if (r < 0)
                return r;
        system_conf_free(manager->conf);
        manager->conf = conf;
        /* Who runs one unit, and keeps nothing, has not asked for the manager. */
        if (!manager->log)
                return 0;
        log_mistakes(conf);
        /* Said once, and not of every unit. */
        if (conf->settings.unit.tasks_max && !manager->controllers[CONTROLLER_PIDS].base &&
            controller_give(&manager->controllers[CONTROLLER_PIDS], "", &reason) < 0)
                log_warning("DefaultTasksMax= is not kept to: %s", reason_text(&reason, -EOPNOTSUPP));
        return 0;
}

int manager_log_level(const Manager *manager) {
        const unsigned level = manager->conf->settings.log_level;

        return level == CONF_LOG_OPEN ? -1 : (int)level - CONF_LOG_EMERG + LOG_EMERG;
}
