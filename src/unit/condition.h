/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has to be so for a unit to be started: Condition…= and Assert…= of systemd.unit(5). */

#include "base/reason.h"
#include "unit/unit-settings.h"

typedef struct Condition {
        char *name;     /* of the setting: "ConditionPathExists" */
        char *argument; /* specifiers replaced */
        unsigned kind;  /* CONDITION_PathExists … */
        bool triggers;  /* "|": one of all that have it is enough */
        bool negated;   /* "!" */
        int result;     /* 1: it is so, -1: it is not, 0: nobody has looked */
} Condition;

/* All conditions of a unit, or all assertions, and how it was when they were looked at. */
typedef struct ConditionList ConditionList;
struct ConditionList {
        Condition *items;
        size_t n_items;
        bool met;
        uint64_t tested, tested_monotonic; /* 0: never */
};

/* Those that the settings of the unit have. -EINVAL with a reason for a specifier that has no value, else -ENOMEM. */
int condition_list_read(const UnitSettings *settings, bool assertions, const char *unit, ConditionList *ret,
                        Reason *reason);
void condition_list_done(ConditionList *list);
/* Looks until it is known whether the unit may be started: 1, or 0. What cannot be told is not so, and the reason says why; it
 * may be NULL. Times are left alone. */
bool condition_list_test(ConditionList *list, Reason *reason);

/* The one because of which it was not: the first that is no trigger; NULL: no trigger is so, or all is well. */
const Condition *condition_list_unmet(const ConditionList *list);
/* "ConditionPathExists=|!/foo" */
int condition_format(const Condition *condition, char **ret);
