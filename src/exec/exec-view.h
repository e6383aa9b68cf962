/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a service's settings mean for its view of the host's tree and for its filters: settings in, entries out.
 * Nothing here changes anything. */

#include "exec/exec-context.h"
#include "exec/exec-directories.h"
#include "sandbox/restrict.h"
#include "sandbox/view.h"

typedef struct ExecView {
        ViewEntry *entries;
        size_t n_entries;
        char **strings; /* that the entries point to */
        bool own;       /* a namespace is asked for, whatever is in it */
        ViewPropagation propagation;
} ExecView;

void exec_view_done(ExecView *view);

/* No entries, and not own: the service sees what the host sees, and needs no namespace. The confinement that a dynamic user implies
 * is in. uid: of the service, for directories that are shown with its owner. -EINVAL with a reason that names the
 * setting, for what cannot be understood and for a private /tmp that the manager has not made. */
int exec_view_make(const ExecContext *context, const UnitSettings *settings,
                   const ExecDirectories *directories, uid_t uid, ExecView *ret, Reason *reason);

/* The filters. */
typedef struct ExecFilter {
        RestrictFilter filter;
        int *families;
        RestrictCall *calls;
        char **logged;
        char **strings; /* that the calls point to, where they are not of the table */
        bool any;
} ExecFilter;

void exec_filter_done(ExecFilter *filter);

/* What settings imply is in: of a dynamic user, of PrivateDevices= and of ProtectKernelTunables= and the like. The
 * personality that is locked is left to the caller. What is no system call is passed over, which unit-check.h warns
 * of. -EINVAL with a reason that names the setting and the word. The filter points into the settings. */
int exec_filter_make(const UnitSettings *settings, ExecFilter *ret, Reason *reason);
/* The same of RestrictAddressFamilies=, which is a filter of its own: when it cannot be had, the exit status is another one. */
int exec_families_make(const UnitSettings *settings, ExecFilter *ret, Reason *reason);
