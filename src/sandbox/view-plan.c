/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "sandbox/view-plan.h"

/* What is done at a place, in the order of precedence: this far down, the first wins. */
/* Those that take something away and that except from it are ranked as read-only and writable ones, of which they are never
 * in one plan with. */
typedef enum Rank { RANK_HIDE, RANK_REPLACE, RANK_READ_ONLY, RANK_WRITABLE } Rank;

/* clang-format off */
static const struct {
        const char *name;
        Rank rank;
        bool has_source;
} types[] = {
        [VIEW_READ_ONLY]      = { "read-only",      RANK_READ_ONLY },
        [VIEW_WRITABLE]       = { "writable",       RANK_WRITABLE },
        [VIEW_INACCESSIBLE]   = { "inaccessible",   RANK_HIDE },
        [VIEW_BIND]           = { "bind",           RANK_REPLACE, true },
        [VIEW_BIND_READ_ONLY] = { "bind-read-only", RANK_REPLACE, true },
        [VIEW_TMPFS]          = { "tmpfs",          RANK_REPLACE },
        [VIEW_BOUNDARY]       = { "boundary",       RANK_REPLACE },
        [VIEW_DEVICES]        = { "devices",        RANK_REPLACE },
        [VIEW_PROC]           = { "proc",           RANK_REPLACE },
        [VIEW_NO_EXECUTE]     = { "no-execute",     RANK_READ_ONLY },
        [VIEW_EXECUTABLE]     = { "executable",     RANK_WRITABLE },
};
/* clang-format on */
static_assert(ELEMENTSOF(types) == VIEW_ENTRY_TYPE_MAX, "every type has a row");

static Rank rank_of(const ViewEntry *entry) {
        return types[entry->type].rank;
}

bool view_replaces(const ViewEntry *entry) {
        return rank_of(entry) == RANK_HIDE || rank_of(entry) == RANK_REPLACE;
}

bool view_options_have(const char *options, const char *word) {
        const size_t length = strlen(word);

        for (const char *start = options; start && *start;) {
                const size_t n = strcspn(start, ",");

                if (n == length && memcmp(start, word, n) == 0)
                        return true;
                start += n + (start[n] == ',');
        }
        return false;
}

bool view_is_read_only(const ViewEntry *entry) {
        switch (entry->type) {
        case VIEW_READ_ONLY:
        case VIEW_NO_EXECUTE:
        case VIEW_INACCESSIBLE:
        case VIEW_BIND_READ_ONLY:
        case VIEW_BOUNDARY:
                return true;
        case VIEW_TMPFS:
                return view_options_have(entry->options, "ro");
        default:
                return false;
        }
}

size_t view_nearest(const ViewEntry *entries, size_t i) {
        /* Everything below a path stands in one row behind it, so the last that fits is the nearest. */
        for (size_t j = i; j-- > 0;)
                if (path_is_below(entries[i].path, entries[j].path))
                        return j;
        return SIZE_MAX;
}

int view_print(const ViewEntry *entry, char **ret) {
        _cleanup_(freep) char *notes = NULL, *owner = NULL;
        const bool bind = types[entry->type].has_source;

        int r = entry->from == entry->to
                        ? text_copy("", &owner)
                        : text_format(&owner, ", owner %u as %u", (unsigned)entry->from, (unsigned)entry->to);
        if (r < 0)
                return r;
        r = text_format(&notes, "%s%s%s%s%s%s%s%s", text_is_empty(entry->options) ? "" : ", ",
                        entry->options ? entry->options : "", entry->optional ? ", optional" : "",
                        entry->shallow ? ", shallow" : "", entry->no_setuid ? ", nosuid" : "",
                        entry->trusted ? ", trusted " : "", entry->trusted ? entry->trusted : "", owner);
        if (r < 0)
                return r;
        return text_format(ret, "%s %s%s%s%s%s%s", types[entry->type].name, bind ? entry->source : "",
                           bind ? " on " : "", entry->path, notes[0] ? " (" : "", notes[0] ? notes + 2 : "",
                           notes[0] ? ")" : "");
}

int view_failed(const ViewEntry *entry, int r, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        if (view_print(entry, &text) < 0)
                return -ENOMEM;
        return reason_set(reason, r, "%s: %m", text);
}

static bool path_is_normal(const char *path) {
        if (!path || path[0] != '/')
                return false;
        for (const char *part = path + 1; part[0] != '\0' || part > path + 1;) {
                const size_t n = strcspn(part, "/");

                if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
                        return false;
                if (part[n] == '\0')
                        return true;
                part += n + 1;
        }
        return true; /* the root */
}

int view_check(const ViewEntry *entry, Reason *reason) {
        if (!path_is_normal(entry->path))
                return reason_set(reason, -EINVAL,
                                  "%s %s: not an absolute path without \".\", \"..\" and \"//\"",
                                  types[entry->type].name, entry->path ? entry->path : "");
        if (types[entry->type].has_source && (!entry->source || entry->source[0] != '/'))
                return reason_set(reason, -EINVAL, "%s on %s: the source is no absolute path",
                                  types[entry->type].name, entry->path);
        if (entry->trusted && !path_is_below(entry->source, entry->trusted))
                return reason_set(reason, -EINVAL, "%s on %s: the source is not below %s",
                                  types[entry->type].name, entry->path, entry->trusted);
        if (view_replaces(entry) && text_equal(entry->path, "/"))
                return reason_set(reason, -EINVAL, "%s /: the root of the view is that of the host",
                                  types[entry->type].name);
        return 0;
}

/* A slash sorts before everything else, so that what lies below a path stands right behind it. */
static int path_compare(const char *a, const char *b) {
        for (; *a == *b && *a != '\0'; a++, b++)
                ;
        const int left = *a == '/' ? 1 : (unsigned char)*a + (*a != '\0'),
                  right = *b == '/' ? 1 : (unsigned char)*b + (*b != '\0');
        return left - right;
}

static bool comes_after(const ViewEntry *a, const ViewEntry *b) {
        const int r = path_compare(a->path, b->path);

        return r > 0 || (r == 0 && rank_of(a) > rank_of(b));
}

/* Stable, as the last of several counts; there are few. */
static void entries_sort(ViewEntry *entries, size_t n) {
        for (size_t i = 1; i < n; i++) {
                const ViewEntry entry = entries[i];
                size_t j = i;

                for (; j > 0 && comes_after(&entries[j - 1], &entry); j--)
                        entries[j] = entries[j - 1];
                entries[j] = entry;
        }
}

/* Whether the entry changes nothing where the nearest above it has been carried out. */
static bool is_idle(const ViewEntry *entry, const ViewEntry *nearest) {
        if (nearest && nearest->type == VIEW_INACCESSIBLE)
                return true;
        if (rank_of(entry) == RANK_READ_ONLY)
                return nearest && view_is_read_only(nearest);
        if (rank_of(entry) != RANK_WRITABLE)
                return false;
        return !nearest || !view_is_read_only(nearest) || text_equal(entry->path, nearest->path);
}

int view_plan(ViewEntry *entries, size_t *n_entries, Reason *reason) {
        const ViewEntry *previous = NULL; /* at its path, whether it is kept or not */
        ViewEntry last;
        size_t n = 0;

        for (size_t i = 0; i < *n_entries; i++) {
                const int r = view_check(&entries[i], reason);
                if (r < 0)
                        return r;
        }
        entries_sort(entries, *n_entries);

        for (size_t i = 0; i < *n_entries; i++) {
                ViewEntry entry = entries[i];
                const bool same_path = previous && text_equal(previous->path, entry.path);

                if (same_path && rank_of(previous) == RANK_READ_ONLY && rank_of(&entry) == RANK_WRITABLE)
                        continue;
                if (same_path && rank_of(previous) == rank_of(&entry)) {
                        entry.optional &= previous->optional;
                        n -= n > 0 && text_equal(entries[n - 1].path, entry.path) &&
                             rank_of(&entries[n - 1]) == rank_of(&entry);
                }
                last = entry;
                previous = &last;
                entries[n] = entry;
                const size_t nearest = view_nearest(entries, n);
                if (!is_idle(&entry, nearest == SIZE_MAX ? NULL : &entries[nearest]))
                        n++;
        }
        *n_entries = n;
        return 0;
}
