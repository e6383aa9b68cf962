/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A view of the host's own tree: the same files, of which some are read-only, hidden, or others. For services, which
 * run where they are installed; what is run in a tree of its own is sandbox.h. The mount namespace is this process's
 * own, mounts of the host that come later are seen (propagation: slave), and nothing goes back to the host. Those
 * later mounts are as the host made them, also where they come below something that is read-only.
 *
 * Needs Linux 5.12 (mount_setattr(2)), and /proc for other owners; there is no other way for older kernels. */

#include "base/macro.h"
#include "base/reason.h"

typedef enum ViewEntryType {
        /* What is there, with all that is mounted below, but for what has an entry of its own. */
        VIEW_READ_ONLY,
        VIEW_WRITABLE,     /* as writable as it is without the view */
        VIEW_INACCESSIBLE, /* an empty node of the same kind that nobody may open */
        /* Something else in its place. */
        VIEW_BIND, /* of source; a missing target is made where that can be done in the view alone, or `make` says so */
        VIEW_BIND_READ_ONLY, /* the same */
        VIEW_TMPFS,          /* a tmpfs of its own, options as for mount(8): of the mount, and of tmpfs(5) */
        VIEW_BOUNDARY, /* an empty read-only tmpfs with mode 0755, in which only the targets of other entries are */
        VIEW_DEVICES, /* /dev with the harmless devices only */
        VIEW_PROC,    /* a /proc of its own, options as for mount(8): of the mount, and of proc(5) */
        /* What can be executed: these are carried out at last, in the tree that all others make. */
        VIEW_NO_EXECUTE, /* what is there, with all that is mounted below, but for what has an entry of its own */
        VIEW_EXECUTABLE, /* as far as it is without VIEW_NO_EXECUTE */
        VIEW_ENTRY_TYPE_MAX
} ViewEntryType;

typedef struct ViewEntry {
        ViewEntryType type;
        /* Where: absolute, normalised. Links in it are followed, but for those in what another entry has put there. */
        const char *path;
        bool optional; /* what is missing is passed over: of binds the source, and the target unless it is made */
        const char *options; /* VIEW_TMPFS, VIEW_PROC */
        /* Of binds and VIEW_TMPFS: a target that is missing in the host's own tree is made there, for all to see, with
         * mode 0755: the view must not be another tree than that in which the service works. Not where a link leads to
         * it that somebody else than root can have planted (EPERM). */
        bool make;
        /* The rest is of binds. What: absolute, as the host sees it. Links are followed as far as trusted goes, and
         * are an error (ELOOP) below; NULL: followed everywhere. */
        const char *source, *trusted;
        bool shallow;   /* without what is mounted below */
        bool no_setuid; /* nosuid */
        /* What is owned by `from` on disk is shown as owned by `to`, users and groups alike (id-mapped mounts);
         * when they are the same: as it is. */
        uid_t from, to;
} ViewEntry;

/* The entries in the order in which they are carried out: what lies below behind what it lies below. At one path
 * and below it, VIEW_INACCESSIBLE beats everything; of what is put in a place the last counts; VIEW_READ_ONLY beats
 * VIEW_WRITABLE; what is optional is so if all at that path are. Those that change nothing are left out, which is
 * right for paths without symbolic links only: view_enter() does it itself when it knows where they lead. Entries
 * point into what they did before. -EINVAL with a reason for a path that is none. */
int view_plan(ViewEntry *entries, size_t *n_entries, Reason *reason);

/* One line, for tests and people: "read-only /usr", "bind /srv/x on /opt/x (nosuid)". */
int view_print(const ViewEntry *entry, char **ret);

/* Whether mounts that the host makes later are seen in the view. */
typedef enum ViewPropagation { VIEW_SLAVE, VIEW_PRIVATE } ViewPropagation;

/* Unshares the mount namespace and makes the view; the entries are in any order. The process is in "/" then. All or
 * nothing: after an error the process is in no state to go on. Reasons name the entry. */
int view_enter(const ViewEntry *entries, size_t n_entries, ViewPropagation propagation, Reason *reason);

/* Whether the file system of the directory can be shown with other owners: 1, 0, or an error. */
int view_can_map_owners(int directory_fd);
