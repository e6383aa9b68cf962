/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the entries of a view really are: symbolic links in their paths are followed, as the host's tree is before
 * anything is changed, with the root as the end of all. What lies below an entry that puts something else in its
 * place is not looked for, since it is not there yet. */

#include "sandbox/view.h"

/* Replaces the paths by what they lead to, which *strings is to keep, and leaves out what is missing and optional.
 * What is missing otherwise is -ENOENT with a reason; what is to be made stays, or is -EPERM where somebody else than
 * root can have planted a link that leads to it. They keep their order. */
int view_resolve(int root_fd, ViewEntry *entries, size_t *n_entries, char ***strings, Reason *reason);

/* -ENOENT with a reason that says what helps. */
int view_missing(const ViewEntry *entry, Reason *reason);

/* Opens a path that has no symbolic links below the root, for mounting (O_PATH). -ELOOP when it has one after all. */
int view_open(int root_fd, const char *path);
