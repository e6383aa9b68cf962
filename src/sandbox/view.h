/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A view of the host's own tree: the same files, of which some are read-only, hidden, or others. For services, which run
 * where they are installed; what is run in a tree of its own is sandbox.h. The mount namespace is this process's own, mounts
 * of the host that come later are seen (propagation: slave), and nothing goes back to the host. */

#include "base/macro.h"
#include "base/reason.h"

typedef enum ViewEntryType {
        /* What is there, with all that is mounted below, but for what has an entry of its own. */
        VIEW_READ_ONLY,
        VIEW_WRITABLE,
        VIEW_INACCESSIBLE, /* an empty node of the same kind that nobody may open */
        /* Something else in its place. */
        VIEW_BIND, /* of source; a missing target is made where that can be done in the view alone */
        VIEW_BIND_READ_ONLY, /* the same */
        VIEW_TMPFS,          /* a tmpfs of its own, options as for mount(2) */
        VIEW_BOUNDARY, /* an empty read-only tmpfs with mode 0755, in which only the targets of other entries are */
        VIEW_DEVICES, /* /dev with the harmless devices only */
} ViewEntryType;

typedef struct ViewEntry {
        ViewEntryType type;
        const char *path; /* where, absolute, normalised */
        const char *source, *options;
        bool optional;  /* what is missing is passed over */
        bool shallow;   /* binds: without what is mounted below */
        bool no_setuid; /* nosuid */
        uid_t from,
                to; /* VIEW_BIND: what is owned by `from` on disk is shown as owned by `to`, users and groups
                            * alike (id-mapped mounts); from == to: as it is */
} ViewEntry;

/* The entries in the order in which they are carried out: sorted by path, of several at one path the last of each kind,
 * those that change nothing left out. Entries point into what they did before. -EINVAL with a reason for a path that is none. */
int view_plan(ViewEntry *entries, size_t *n_entries, Reason *reason);

/* One line each, for tests and people: "read-only /usr". */
void view_print(const ViewEntry *entry, char **ret);

/* Unshares the mount namespace and makes the view; the entries are planned. All or nothing: after an error the process is
 * in no state to go on. */
int view_enter(const ViewEntry *entries, size_t n_entries, Reason *reason);

/* Whether the file system of the directory can be shown with other owners. */
int view_can_map_owners(int directory_fd);
