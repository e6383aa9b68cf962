/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What directories beside a unit's file add to it, systemd.unit(5): "NAME.d/X.conf" and the like, merged by file name
 * over all places where they may lie. Where it is looked, most special first: NAME, its template, both cut behind each
 * of their dashes; then the same of names that are links to NAME. -ENOMEM is the only error; what cannot be read is a mistake. */

#include "unit/unit-files.h"

/* Paths of drop-ins, sorted by file name; those that are for all units of a type ("service.d") yield to all others. */
int unit_drop_ins_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, char ***ret);

/* The same beside a file that is no unit's ("system.conf"), by its name alone. */
int conf_drop_ins_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, char ***ret);

/* Names of units that stand in NAME plus suffix (".wants"), sorted; no templates. */
int unit_names_find(const UnitPaths *paths, const char *name, const char *suffix, SettingMistakes *mistakes,
                    char ***ret);

/* The name, and then all others that lead to it, by way of each other too. */
int unit_aliases_list(const UnitPaths *paths, const char *name, char ***ret);
