/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "manager/managed-unit.h"
#include "manager/service-cgroup.h"
#include "unit/specifier.h"

/* Where a setting goes: backward ones say the same of the other unit. */
typedef struct EdgeRow {
        size_t offset;
        EdgeKind kind;
        bool backward;
} EdgeRow;

/* clang-format off */
static const EdgeRow rows[] = {
        { offsetof(UnitSettings, after),              EDGE_AFTER,     false },
        { offsetof(UnitSettings, before),             EDGE_AFTER,     true },
        { offsetof(UnitSettings, requires),           EDGE_REQUIRES,  false },
        { offsetof(UnitSettings, wants),              EDGE_WANTS,     false },
        { offsetof(UnitSettings, binds_to),           EDGE_BINDS_TO,  false },
        { offsetof(UnitSettings, part_of),            EDGE_PART_OF,   false },
        { offsetof(UnitSettings, conflicts),          EDGE_CONFLICTS, false },
        { offsetof(UnitSettings, joins_namespace_of), EDGE_JOINS,     false },
};
/* clang-format on */

static int edge_add(ManagedUnit *owner, EdgeKind kind, ManagedUnit *from, ManagedUnit *to) {
        Edge *const edge = calloc(1, sizeof(Edge));

        if (!edge)
                return -ENOMEM;
        edge->from = from;
        edge->to = to;
        LIST_INSERT_HEAD(&from->out[kind], edge, out);
        LIST_INSERT_HEAD(&to->in[kind], edge, in);
        LIST_INSERT_HEAD(&owner->owned, edge, owned);
        return 0;
}

/* A name that is none was written by somebody: it is said, and passed over. */
static int add_by_name(ManagedUnit *unit, EdgeKind kind, bool backward, const char *name) {
        _cleanup_(freep) char *expanded = NULL;
        ManagedUnit *other;

        int r = specifier_expand(name, unit->name, &expanded, NULL);
        if (r >= 0)
                r = managed_unit_get(unit->manager, expanded, &other);
        if (r == -EINVAL) {
                log_warning("%s: \"%s\" is no name of a unit, and left out", unit->name, name);
                return 0;
        }
        if (r < 0 || other == unit)
                return r;
        return backward ? edge_add(unit, kind, other, unit) : edge_add(unit, kind, unit, other);
}

/* A unit is in its slice, and so needs it. */
static int add_slice(ManagedUnit *unit) {
        _cleanup_(freep) char *slice = NULL;

        int r = service_cgroup_slice(unit->name, managed_unit_settings(unit)->slice, &slice);
        if (r < 0 || !slice)
                return r;
        r = add_by_name(unit, EDGE_REQUIRES, false, slice);
        return r < 0 ? r : add_by_name(unit, EDGE_AFTER, false, slice);
}

/* Ordered between the basic system and its end. Nothing is required: what the host does about its basic system is not
 * this manager's to start. */
static int add_default(ManagedUnit *unit) {
        int r = add_by_name(unit, EDGE_CONFLICTS, false, "shutdown.target");

        if (r >= 0)
                r = add_by_name(unit, EDGE_AFTER, true, "shutdown.target");
        if (r >= 0 && unit->service)
                r = add_by_name(unit, EDGE_AFTER, false, "basic.target");
        return r;
}

int unit_edges_add(ManagedUnit *unit) {
        const UnitSettings *const settings = managed_unit_settings(unit);
        const UnitType type = unit_name_type(unit->name);
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++) {
                char *const *const list = *(char **const *)((const char *)settings + rows[i].offset);

                for (char *const *name = list; r >= 0 && name && *name; name++)
                        r = add_by_name(unit, rows[i].kind, rows[i].backward, *name);
        }
        if (r >= 0 && type != UNIT_TARGET)
                r = add_slice(unit);
        if (r >= 0 && type != UNIT_SLICE && settings->default_dependencies != TRUTH_NO)
                r = add_default(unit);
        return r;
}

void unit_edges_remove(ManagedUnit *unit) {
        Edge *edge;

        while ((edge = LIST_FIRST(&unit->owned))) {
                ManagedUnit *const other = edge->to == unit ? edge->from : edge->to;

                LIST_REMOVE(edge, out);
                LIST_REMOVE(edge, in);
                LIST_REMOVE(edge, owned);
                free(edge);
                managed_unit_unused(other);
        }
}

void unit_edges_move(ManagedUnit *from, ManagedUnit *to) {
        for (EdgeKind kind = 0; kind < EDGE_KINDS; kind++) {
                Edge *edge;

                while ((edge = LIST_FIRST(&from->in[kind]))) {
                        LIST_REMOVE(edge, in);
                        edge->to = to;
                        LIST_INSERT_HEAD(&to->in[kind], edge, in);
                }
                while ((edge = LIST_FIRST(&from->out[kind]))) {
                        LIST_REMOVE(edge, out);
                        edge->from = to;
                        LIST_INSERT_HEAD(&to->out[kind], edge, out);
                }
        }
}

int edge_list_units(const EdgeList *list, bool incoming, ManagedUnit ***ret, size_t *ret_n) {
        ManagedUnit **units;
        Edge *edge;
        size_t n = 0;

        for (edge = LIST_FIRST(list); edge; edge = incoming ? LIST_NEXT(edge, in) : LIST_NEXT(edge, out))
                n++;
        units = calloc(n + 1, sizeof(ManagedUnit *));
        if (!units)
                return -ENOMEM;
        n = 0;
        for (edge = LIST_FIRST(list); edge; edge = incoming ? LIST_NEXT(edge, in) : LIST_NEXT(edge, out))
                units[n++] = incoming ? edge->from : edge->to;
        *ret = units;
        *ret_n = n;
        return 0;
}

bool unit_edges_named(const ManagedUnit *unit) {
        for (EdgeKind kind = 0; kind < EDGE_KINDS; kind++)
                if (!LIST_EMPTY(&unit->in[kind]) || !LIST_EMPTY(&unit->out[kind]))
                        return true;
        return false;
}

typedef struct Relation {
        const char *property;
        EdgeKind kind;
        bool incoming;
} Relation;

/* clang-format off */
static const Relation relations[] = {
        { "After",            EDGE_AFTER,     false }, { "Before",       EDGE_AFTER,     true },
        { "Requires",         EDGE_REQUIRES,  false }, { "RequiredBy",   EDGE_REQUIRES,  true },
        { "Wants",            EDGE_WANTS,     false }, { "WantedBy",     EDGE_WANTS,     true },
        { "BindsTo",          EDGE_BINDS_TO,  false }, { "BoundBy",      EDGE_BINDS_TO,  true },
        { "PartOf",           EDGE_PART_OF,   false }, { "ConsistsOf",   EDGE_PART_OF,   true },
        { "Conflicts",        EDGE_CONFLICTS, false }, { "ConflictedBy", EDGE_CONFLICTS, true },
        { "JoinsNamespaceOf", EDGE_JOINS,     false },
};
/* clang-format on */

static int add_once(char ***names, const ManagedUnit *unit) {
        const char *const name = unit->alias_of ? unit->alias_of->name : unit->name;

        return strv_contains(STRV(*names), name) ? 0 : strv_append(names, name);
}

int managed_unit_related(const ManagedUnit *unit, const char *property, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        const Edge *edge;
        int r = 0;

        for (const Relation *row = relations; r >= 0 && row < relations + ELEMENTSOF(relations); row++) {
                if (!text_equal(row->property, property))
                        continue;
                for (edge = LIST_FIRST(row->incoming ? &unit->in[row->kind] : &unit->out[row->kind]);
                     r >= 0 && edge; edge = row->incoming ? LIST_NEXT(edge, in) : LIST_NEXT(edge, out))
                        r = add_once(&names, row->incoming ? edge->from : edge->to);
        }
        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}
