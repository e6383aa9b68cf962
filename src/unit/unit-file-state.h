/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemctl(1) calls the state of a unit's file: whether something starts the unit by itself, and which files there are. */

#include "unit/unit-load.h"

/* Of the unit that was loaded by that name, in the words of systemctl(1), "is-enabled": "enabled", "enabled-runtime" (by links
 * that are gone with the next boot), "disabled", "static" (it asks for nothing in [Install]), "indirect" (but names others in
 * Also=, or is enabled as an instance that is not the default), "alias" (the name is a link to another unit's),
 * "linked", "linked-runtime" (its file lies elsewhere), "generated", "transient", "masked", "masked-runtime"; "" when there is
 * no file. Links are looked for in all directories. */
const char *unit_file_state(const UnitPaths *paths, const char *name, const Unit *unit);
/* Whether is-enabled says yes. */
bool unit_file_state_is_good(const char *state);

typedef struct UnitFileRow {
        char *name, *path; /* of the highest precedence, if there are several */
        const char *state;
} UnitFileRow;

typedef struct UnitFileList {
        UnitFileRow *items;
        size_t n_items;
} UnitFileList;

/* All units that have a file, and templates, sorted by name; NULL or without patterns: whatever their names are. What cannot be
 * read is left out; -ENOMEM is the only error. */
int unit_file_list(const UnitPaths *paths, const char *const *patterns, UnitFileList *ret);
void unit_file_list_done(UnitFileList *list);
