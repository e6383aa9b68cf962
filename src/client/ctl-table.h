/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rows of texts: what the verbs that list something print. */

#include <stdio.h>

#include "base/macro.h"

#define CTL_TABLE_COLUMNS_MAX 8

typedef struct CtlColumn {
        const char *title, *key; /* "UNIT" above it; "unit" in JSON */
        bool is_number;
} CtlColumn;

typedef struct CtlTable {
        const CtlColumn *columns;
        size_t n_columns;
        char **cells; /* of one row after the other */
        size_t n_cells;
} CtlTable;

void ctl_table_done(CtlTable *table);
/* A row of as many texts as there are columns. */
int ctl_table_add(CtlTable *table, const char *const *texts);
/* With a line of titles unless plain, each column as wide as what is in it. What terminals would obey in the texts is '?', also
 * from then on. */
void ctl_table_print(CtlTable *table, bool plain, FILE *file);
/* An array of objects. */
void ctl_table_print_json(const CtlTable *table, FILE *file);
static inline size_t ctl_table_length(const CtlTable *table) {
        return table->n_cells / table->n_columns;
}
