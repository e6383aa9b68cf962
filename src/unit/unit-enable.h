/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the section [Install] of a unit asks for: links in the directories of configuration, systemd.unit(5). */

#include "unit/unit-load.h"

typedef struct UnitLink {
        char *path;   /* of the link */
        char *target; /* the unit's file */
} UnitLink;

typedef struct UnitLinks {
        UnitLink *items;
        size_t n_items;
} UnitLinks;

void unit_links_done(UnitLinks *links);

/* The links of a unit in the directory ("/etc/systemd/system"): of WantedBy=, RequiredBy= and Alias=. A template is enabled as its
 * DefaultInstance=; -EINVAL with a reason when it has none. */
int unit_links_plan(const Unit *unit, const char *directory, UnitLinks *ret, Reason *reason);

/* Makes the link with the directory that it is in; one that is right is left. -EEXIST when another thing is there, unless force
 * says that links may be replaced. 1 when it was made, 0 when it was there. */
int unit_link_make(const UnitLink *link, bool force, Reason *reason);
/* Removes the link, and its directory if that is empty then; what is no link stays: -EEXIST. 1 when it was removed. */
int unit_link_remove(const UnitLink *link, Reason *reason);
/* Whether it is there and leads to the unit. */
int unit_link_exists(const UnitLink *link);
