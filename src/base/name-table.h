/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds objects by a name in constant time. The table owns neither: an entry is part of the object, and its name has to
 * live as long as it is in the table. */

#include "base/macro.h"

typedef struct NameEntry NameEntry;
struct NameEntry {
        const char *name;
        void *object;
        NameEntry *next;
};

typedef struct NameTable {
        NameEntry **buckets;
        size_t n_buckets, n_entries;
} NameTable;

/* Frees what the table itself has; entries stay as they are. */
void name_table_done(NameTable *table);

/* NULL: nothing has that name. */
void *name_table_find(const NameTable *table, const char *name);

/* Of a name that is not in the table. -ENOMEM is the only error. */
int name_table_add(NameTable *table, NameEntry *entry, const char *name, void *object);
/* Nothing happens when it is in no table. */
void name_table_remove(NameTable *table, NameEntry *entry);

/* All objects, by name; the array is the caller's. -ENOMEM is the only error. */
int name_table_list(const NameTable *table, void ***ret, size_t *ret_n);
