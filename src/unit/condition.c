/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/text.h"
#include "unit/condition-host.h"
#include "unit/condition-path.h"
#include "unit/condition.h"
#include "unit/specifier.h"

typedef struct ConditionKind {
        const char *name;
        int (*test)(const char *argument);
} ConditionKind;

#define CONDITION_KIND(key, function, about) [CONDITION_##key] = { #key, function },
static const ConditionKind kinds[CONDITION_KINDS] = { CONDITIONS(CONDITION_KIND) };

static void condition_done(Condition *condition) {
        free(condition->name);
        free(condition->argument);
        *condition = (Condition){};
}

void condition_list_done(ConditionList *list) {
        for (size_t i = 0; i < list->n_items; i++)
                condition_done(&list->items[i]);
        free(list->items);
        *list = (ConditionList){};
}

/* "[|][!]ARGUMENT" */
static int condition_read(const char *text, unsigned kind, bool assertion, const char *unit, Condition *ret,
                          Reason *reason) {
        Condition condition = { .kind = kind };

        condition.triggers = text[0] == '|';
        text += condition.triggers;
        text += strspn(text, " \t");
        condition.negated = text[0] == '!';
        text += condition.negated;
        text += strspn(text, " \t");
        int r = text_format(&condition.name, "%s%s", assertion ? "Assert" : "Condition", kinds[kind].name);
        if (r >= 0)
                r = specifier_expand(text, unit, &condition.argument, reason);
        if (r < 0) {
                condition_done(&condition);
                return r;
        }
        *ret = condition;
        return 0;
}

static int add(ConditionList *list, const Condition *condition) {
        Condition *const items = reallocarray(list->items, list->n_items + 1, sizeof(Condition));

        if (!items)
                return -ENOMEM;
        list->items = items;
        items[list->n_items++] = *condition;
        return 0;
}

int condition_list_read(const UnitSettings *settings, bool assertions, const char *unit, ConditionList *ret,
                        Reason *reason) {
        _cleanup_(condition_list_done) ConditionList list = {};

        for (unsigned kind = 0; kind < CONDITION_KINDS; kind++) {
                char *const *text = assertions ? settings->assertions[kind] : settings->conditions[kind];

                for (; text && *text; text++) {
                        Condition condition;

                        int r = condition_read(*text, kind, assertions, unit, &condition, reason);
                        if (r < 0)
                                return r;
                        r = add(&list, &condition);
                        if (r < 0) {
                                condition_done(&condition);
                                return r;
                        }
                }
        }
        *ret = list;
        list = (ConditionList){};
        return 0;
}

/* What cannot be told is as bad as what is not so, whichever of both was asked for. */
static bool condition_test(Condition *condition, Reason *reason) {
        const int r = kinds[condition->kind].test(condition->argument);

        if (r < 0 && reason && !reason->text)
                (void)reason_set(reason, r, "%s=%s cannot be told: %s", condition->name, condition->argument,
                                 strerror(-r));
        condition->result = r >= 0 && (r > 0) != condition->negated ? 1 : -1;
        return condition->result > 0;
}

bool condition_list_test(ConditionList *list, Reason *reason) {
        bool has_triggers = false, triggered = false;

        list->met = false;
        for (size_t i = 0; i < list->n_items; i++) {
                Condition *const item = &list->items[i];

                item->result = 0;
                has_triggers = has_triggers || item->triggers;
                if (item->triggers && triggered)
                        continue;
                const bool is_so = condition_test(item, reason);
                if (!item->triggers && !is_so)
                        return false;
                triggered = triggered || (item->triggers && is_so);
        }
        list->met = !has_triggers || triggered;
        return list->met;
}

const Condition *condition_list_unmet(const ConditionList *list) {
        for (size_t i = 0; i < list->n_items && !list->met; i++)
                if (!list->items[i].triggers && list->items[i].result < 0)
                        return &list->items[i];
        return NULL;
}

int condition_format(const Condition *condition, char **ret) {
        return text_format(ret, "%s=%s%s%s", condition->name, condition->triggers ? "|" : "",
                           condition->negated ? "!" : "", condition->argument);
}
