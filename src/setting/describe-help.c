/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "setting/describe-text.h"

#define HELP_COLUMN 30
#define HELP_INDENT "                              "

static_assert(sizeof(HELP_INDENT) == HELP_COLUMN + 1, "the indentation leads to the column");

/* Prints the end of a line whose first `width` columns are there. */
static void print_help(const char *help, size_t width, FILE *file) {
        const size_t gap = width < HELP_COLUMN ? HELP_COLUMN - width : 0;

        if (gap > 0)
                (void)fprintf(file, "%*s", (int)gap, "");
        else
                (void)fputs("\n" HELP_INDENT, file);
        describe_wrapped(file, help ?: "", HELP_COLUMN, HELP_INDENT);
        (void)putc('\n', file);
}

static void print_verb(const SettingVerb *verb, FILE *file) {
        const int width =
                fprintf(file, "  %s%s%s", verb->name, verb->metavar ? " " : "", verb->metavar ?: "");

        print_help(verb->help, width > 0 ? (size_t)width : 0, file);
}

static void print_option(const Setting *row, FILE *file) {
        const char *metavar = describe_metavar(row);
        const bool optional = describe_is_value_optional(row);
        const char letter[] = { row->letter ? '-' : ' ', row->letter ?: ' ', '\0' };
        const int width =
                fprintf(file, "  %s --%s%s%s%s%s", letter, row->option, metavar && optional ? "[" : "",
                        metavar ? "=" : "", metavar ?: "", metavar && optional ? "]" : "");

        print_help(row->help, width > 0 ? (size_t)width : 0, file);
}

static void print_options(const SettingTable *table, const SettingSection *section, FILE *file) {
        bool first = true;

        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++) {
                if (!row->option || !describe_is_offered(row) || !describe_is_in(row, section))
                        continue;
                if (first)
                        (void)fprintf(file, "\n%s:\n", section ? section->name : "Options");
                first = false;
                print_option(row, file);
        }
}

void describe_help(const SettingProgram *program, FILE *file) {
        const SettingTable *table = program->table;

        (void)fprintf(file, "%s [OPTION ...]%s\n\n%s\n", program->name,
                      program->n_verbs > 0 ? " [VERB [WORD ...]]" : "", program->purpose);

        if (program->n_verbs > 0)
                (void)fputs("\nVerbs:\n", file);
        for (size_t i = 0; i < program->n_verbs; i++)
                print_verb(&program->verbs[i], file);

        print_options(table, NULL, file);
        for (size_t i = 0; i < table->n_sections; i++)
                print_options(table, &table->sections[i], file);
}
