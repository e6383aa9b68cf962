/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager itself is told: system.conf, systemd-system.conf(5), and drop-ins. Most of it is what holds for units that say
 * nothing of it themselves. */

#include "unit/unit-files.h"
#include "unit/unit-load.h"

typedef enum ConfLogLevel {
        CONF_LOG_OPEN,
        CONF_LOG_EMERG,
        CONF_LOG_ALERT,
        CONF_LOG_CRIT,
        CONF_LOG_ERR,
        CONF_LOG_WARNING,
        CONF_LOG_NOTICE,
        CONF_LOG_INFO,
        CONF_LOG_DEBUG,
        CONF_LOG_MAX
} ConfLogLevel;

typedef struct SystemConfSettings {
        unsigned log_level;
        UnitSettings unit; /* the members that have a default: of those, what units are given */
} SystemConfSettings;

extern const SettingTable system_conf_settings;

typedef struct SystemConf {
        SystemConfSettings settings;
        SettingStore *store; /* over settings */
        SettingMistakes mistakes;
} SystemConf;

/* The directories in which the files are, highest precedence first: those of `own`, and below root (NULL: none of these) the ones
 * that systemd has. */
int system_conf_paths(const char *root, const char *const *own, UnitPaths *ret);

/* Reads the first system.conf that there is, and then system.conf.d/X.conf of all directories in the order of their names, of
 * which each counts where it comes first. What is unknown or wrong is a warning, and left out. -ENOMEM is the only error. */
int system_conf_load(const UnitPaths *paths, SystemConf **ret);
void system_conf_free(SystemConf *conf);
DEFINE_CLEANUP(SystemConf, system_conf_free)

/* Gives a service or a slice what it says nothing of itself. */
int system_conf_apply(const SystemConf *conf, Unit *unit);
