/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What entries of a view are to each other, and to their paths. Pure text. */

#include "sandbox/view.h"

/* Whether the entry puts something else in its place, so that what was there does not count any more. */
bool view_replaces(const ViewEntry *entry);

/* Whether it leaves something that cannot be written to, or executed. */
bool view_is_read_only(const ViewEntry *entry);

/* Whether comma-separated options have the word. */
bool view_options_have(const char *options, const char *word);

/* The index of the nearest entry that entries[i] lies below, or that comes before it at the same path; SIZE_MAX:
 * none. The entries are planned. */
size_t view_nearest(const ViewEntry *entries, size_t i);

/* -EINVAL with a reason for an entry that means nothing. */
int view_check(const ViewEntry *entry, Reason *reason);

/* Notes "ENTRY: text of r" and returns r. */
int view_failed(const ViewEntry *entry, int r, Reason *reason);
