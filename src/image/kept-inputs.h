/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a tree that is kept for later builds was made of, as a list of names and values: a later build may use it only if its
 * own list is the same. Written as a text file, a line "NAME<tab>VALUE" each; control characters become '?', and the
 * digest of what has them follows. */

#include "base/macro.h"
#include "base/tree.h"

typedef struct KeptInput {
        char *name;  /* for people: "package vim", "skeleton etc/hosts" */
        char *value; /* "" where the name says it all */
} KeptInput;

typedef struct KeptInputs {
        KeptInput *items;
        size_t n_items, n_allocated;
} KeptInputs;

void kept_inputs_done(KeptInputs *inputs);

/* Value NULL is "". */
int kept_inputs_add(KeptInputs *inputs, const char *name, const char *value);
int kept_inputs_add_format(KeptInputs *inputs, const char *value, const char *format, ...) _printf_(3, 4);

/* A file of the host, under the title as its name; or a directory with all that lies in it and the filter wants (NULL: all),
 * with a name "TITLE PATH" for each. The value is the mode and what it holds. A path that is not there is an input as
 * well. */
int kept_inputs_add_tree(KeptInputs *inputs, const char *title, const char *path, const TreeFilter *filter);

/* The same of what copy_tree() copies into an image: what it takes over besides are times, attributes user.*, hard links and
 * the numbers of devices. Times are those that the image has, none of them later than time_bound (INT64_MAX: they stay as they
 * are). What the directory itself looks like counts only if it is made by the copy: with_root; and never its time, since
 * outputs come and go in it. */
typedef struct KeptCopy {
        const TreeFilter *filter;
        int64_t time_bound; /* seconds */
        bool with_root;
} KeptCopy;
int kept_inputs_add_copied(KeptInputs *inputs, const char *title, const char *path, const KeptCopy *copy);

/* The digest of what a regular file holds, from where the descriptor is. */
int kept_inputs_digest(int fd, char **ret);

/* Of a list of two or more items, the order: "order of TITLE". */
int kept_inputs_add_order(KeptInputs *inputs, const char *title, char *const *list);

/* A text that is another one when anything was changed in the directory since, a file's content, mode, owner or attributes: it
 * is made of their times of change (ctime). The directory itself can be renamed. */
int kept_inputs_fingerprint(const char *path, char **ret);

/* Of a list whose order matters, that the item at this place is called so. */
int kept_inputs_add_item(KeptInputs *inputs, char *const *list, char *const *item, const char *name);

int kept_inputs_copy(const KeptInputs *inputs, KeptInputs *ret);

/* Sorts; to be done before the next three. */
void kept_inputs_sort(KeptInputs *inputs);
int kept_inputs_format(const KeptInputs *inputs, char **ret);
/* -EBADMSG when the text is none of ours. */
int kept_inputs_parse(const char *text, KeptInputs *ret);
/* Appends a sentence for every difference, to a list that is empty: "package vim is new", "Release= changed from bookworm to trixie". */
int kept_inputs_compare(const KeptInputs *before, const KeptInputs *now, char ***differences);
