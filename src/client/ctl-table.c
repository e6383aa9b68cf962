/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "client/ctl-table.h"

void ctl_table_done(CtlTable *table) {
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (CtlTable){ .columns = table->columns, .n_columns = table->n_columns };
}

int ctl_table_add(CtlTable *table, const char *const *texts) {
        char *copies[CTL_TABLE_COLUMNS_MAX] = {};
        char **const cells = reallocarray(table->cells, table->n_cells + table->n_columns, sizeof(char *));
        int r = cells ? 0 : -ENOMEM;

        assert(table->n_columns <= CTL_TABLE_COLUMNS_MAX);
        if (cells)
                table->cells = cells;
        for (size_t i = 0; r >= 0 && i < table->n_columns; i++)
                r = text_copy(texts[i] ?: "", &copies[i]);
        for (size_t i = 0; i < table->n_columns; i++)
                if (r >= 0)
                        table->cells[table->n_cells++] = copies[i];
                else
                        free(copies[i]);
        return r;
}

/* Characters, of which one may be several bytes. */
static size_t width_of(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += ((unsigned char)*text & 0xc0) != 0x80;
        return n;
}

static void print_row(const CtlTable *table, const char *const *texts, const size_t *widths, FILE *file) {
        for (size_t i = 0; i < table->n_columns; i++) {
                const char *const text = texts ? texts[i] : table->columns[i].title;
                const int padding = (int)(widths[i] - width_of(text));

                if (table->columns[i].is_number)
                        (void)fprintf(file, "%*s", padding, "");
                (void)fputs(text, file);
                if (i + 1 == table->n_columns)
                        (void)fputc('\n', file);
                else
                        (void)fprintf(file, "%*s ", table->columns[i].is_number ? 0 : padding, "");
        }
}

void ctl_table_print(CtlTable *table, bool plain, FILE *file) {
        size_t widths[CTL_TABLE_COLUMNS_MAX] = {};

        for (size_t i = 0; i < table->n_columns; i++)
                widths[i] = plain ? 0 : width_of(table->columns[i].title);
        for (size_t i = 0; i < table->n_cells; i++)
                text_tame(table->cells[i]);
        for (size_t i = 0; i < table->n_cells; i++)
                widths[i % table->n_columns] = MAX(widths[i % table->n_columns], width_of(table->cells[i]));
        if (!plain)
                print_row(table, NULL, widths, file);
        for (size_t i = 0; i < table->n_cells; i += table->n_columns)
                print_row(table, (const char *const *)table->cells + i, widths, file);
}

void ctl_table_print_json(const CtlTable *table, FILE *file) {
        JsonWriter writer = { .file = file };

        json_begin_array(&writer, NULL);
        for (size_t i = 0; i < table->n_cells; i++) {
                const CtlColumn *const column = &table->columns[i % table->n_columns];
                uint64_t number = 0;

                if (i % table->n_columns == 0)
                        json_begin_object(&writer, NULL);
                if (column->is_number && parse_uint64(table->cells[i], &number) >= 0)
                        json_number(&writer, column->key, number);
                else
                        json_text(&writer, column->key, table->cells[i]);
                if (i % table->n_columns == table->n_columns - 1)
                        json_end_object(&writer);
        }
        json_end_array(&writer);
}
