/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Units out of their files and drop-ins, systemd.unit(5): what they say. */

#include <sys/types.h>
#include <time.h>

#include "unit/unit-files.h"
#include "unit/unit-name.h"
#include "unit/unit-settings.h"

typedef enum UnitLoadState {
        UNIT_LOADED,
        UNIT_NOT_FOUND,
        UNIT_MASKED,      /* its file is empty, or a link to /dev/null */
        UNIT_BAD_SETTING, /* a mistake that must not be passed over */
} UnitLoadState;
#define UNIT_LOAD_STATES (UNIT_BAD_SETTING + 1)

/* A file as it was: what tells it from another one that is in its place later. All zero: it was not there. */
typedef struct FileMark {
        ino_t inode;
        off_t size;
        struct timespec changed;
} FileMark;

typedef struct UnitMark {
        char *path;
        FileMark mark;
} UnitMark;

typedef struct Unit {
        char *name;      /* as it was asked for; of an alias that of the file */
        char *fragment;  /* path of its file; NULL when it has none */
        char **drop_ins; /* in the order in which they were read */
        UnitMark *marks; /* of these files, unit-mark.h */
        size_t n_marks;
        UnitLoadState state;
        UnitSettings settings;
        SettingStore *store; /* over settings */
        SettingMistakes mistakes;
} Unit;

/* Reads the unit of a valid name that is no template. What is wrong in its files is in its mistakes and its state: what
 * is unknown is a warning, and what would confine the service if it were known refuses the unit. A slice needs no file.
 * Specifiers stay as they are written. -ENOMEM is the only error. */
int unit_load(const UnitPaths *paths, const char *name, Unit **ret);
void unit_free(Unit *unit);
DEFINE_CLEANUP(Unit, unit_free)

/* A unit that no file describes, of assignments "NAME=VALUE" of which each is said by `source` ("--property"). The name is
 * valid and no template's. What is unknown or wrong is always a mistake here. */
int unit_new_transient(const char *name, const char *const *assignments, const char *source, Unit **ret);

/* Whether units of the type have a setting of that section. Several sections may have settings of one name for the same thing:
 * units of one type have one of them. */
bool unit_type_has_section(UnitType type, const char *section);

/* Everything that is set, as "NAME=VALUE", each item of a list on its own, so that unit_new_transient() makes the same again. */
int unit_settings_write(const Unit *unit, char ***ret);
