/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Units out of their files and drop-ins, systemd.unit(5): which files there are, and what they say. */

#include "service/service.h"

typedef enum UnitLoadState {
        UNIT_LOADED,
        UNIT_NOT_FOUND,
        UNIT_MASKED,      /* its file is empty, or a link to /dev/null */
        UNIT_BAD_SETTING, /* a mistake that must not be passed over */
} UnitLoadState;

typedef struct Unit {
        char *name;      /* as it was asked for; of an alias that of the file */
        char *fragment;  /* path of its file; NULL when it has none */
        char **drop_ins; /* in the order in which they were read */
        UnitLoadState state;
        ServiceSettings settings;
        SettingStore *store; /* over settings */
        SettingMistakes mistakes;
} Unit;

/* Where units lie, highest precedence first: "/etc/systemd/system" and so on, each below the root. */
typedef struct UnitPaths {
        char **directories;
} UnitPaths;

/* The usual directories, below root ("/" or another), those of `own` first. */
int unit_paths_new(const char *root, const char *const *own, UnitPaths *ret);
void unit_paths_done(UnitPaths *paths);

/* Reads the unit of a valid name that is no template. What is wrong in its files is in its mistakes and its state;
 * -ENOMEM is the only error. */
int unit_load(const UnitPaths *paths, const char *name, Unit **ret);
void unit_free(Unit *unit);
DEFINE_CLEANUP(Unit, unit_free)

/* A unit that no file describes, of assignments "NAME=VALUE" of which each is said by `source` ("--property"). */
int unit_new_transient(const char *name, const char *const *assignments, const char *source, Unit **ret);

/* Everything that is set, as "NAME=VALUE", each item of a list on its own, so that unit_new_transient() makes the same again. */
int unit_settings_write(const Unit *unit, char ***ret);
