/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of units, systemd.unit(5): "PREFIX.TYPE", "PREFIX@INSTANCE.TYPE", or "PREFIX@.TYPE" for a template. */

#include "base/macro.h"

#define UNIT_NAME_SIZE_MAX 255

typedef enum UnitType {
        UNIT_SERVICE,
        UNIT_SOCKET,
        UNIT_SLICE,
        UNIT_TARGET,
        /* Of these only the names are known: units may be ordered behind them. */
        UNIT_AUTOMOUNT,
        UNIT_DEVICE,
        UNIT_MOUNT,
        UNIT_PATH,
        UNIT_SCOPE,
        UNIT_SWAP,
        UNIT_TIMER,
        UNIT_TYPES
} UnitType;

/* "service" for UNIT_SERVICE. */
const char *unit_type_name(UnitType type);

typedef enum UnitNameKind {
        UNIT_NAME_PLAIN = 1 << 0,
        UNIT_NAME_INSTANCE = 1 << 1,
        UNIT_NAME_TEMPLATE = 1 << 2,
        UNIT_NAME_ANY = UNIT_NAME_PLAIN | UNIT_NAME_INSTANCE | UNIT_NAME_TEMPLATE,
} UnitNameKind;

/* Which kind of name it is; 0 when it is no valid name of a unit at all. A valid name has no slash, is not "." or "..",
 * and has nothing that a terminal would obey: it can be the name of a file. */
UnitNameKind unit_name_kind(const char *name);

/* Of a valid name. */
UnitType unit_name_type(const char *name);

/* The parts of a valid name: what comes before '@' or the type; between '@' and the type (NULL without '@', "" of a
 * template); and "PREFIX@.TYPE" of an instance (-EINVAL of others). -ENOMEM otherwise. */
int unit_name_prefix(const char *name, char **ret);
int unit_name_instance(const char *name, char **ret);
int unit_name_template(const char *name, char **ret);
/* All but the type: "PREFIX@INSTANCE". */
int unit_name_stem(const char *name, char **ret);

/* "PREFIX@INSTANCE.TYPE" of a template; -EINVAL when that is no valid name. */
int unit_name_instantiate(const char *template, const char *instance, char **ret);

/* What users type: a name, or one whose type is left out and then is a service. -EINVAL when it is no valid name. */
int unit_name_complete(const char *text, char **ret);

/* Any text as part of a name, and back: '/' becomes '-', and what may not stand in a name "\xHH". Unescaping what was not
 * escaped so is -EINVAL, and so is a NUL. */
int unit_name_escape(const char *text, char **ret);
int unit_name_unescape(const char *text, char **ret);

/* The path of a slice's cgroup below the root slice's: "a-b.slice" is in "a.slice", and its path is
 * "a.slice/a-b.slice"; that of "-.slice" is "". -EINVAL when it is no name of a slice. */
int unit_slice_path(const char *name, char **ret);
/* The slice around a slice: "a.slice", "-.slice"; NULL for "-.slice" itself. */
int unit_slice_parent(const char *name, char **ret);
