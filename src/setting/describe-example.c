/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "setting/describe-text.h"

/* A word that may be given, so that the line is right once its comment sign is gone; else what kind of value it is. */
static const char *example_value(const Setting *row) {
        return describe_word(row, 0) ?: row->metavar ?: row->type->metavar ?: "1";
}

static void print_comment(const char *text, FILE *file) {
        (void)fputs("# ", file);
        describe_wrapped(file, text, 2, "# ");
        (void)putc('\n', file);
}

static void print_words(const Setting *row, FILE *file) {
        size_t column = strlen("# One of:");

        (void)fputs("# One of:", file);
        for (size_t i = 0; describe_word(row, i); i++) {
                const char *word = describe_word(row, i);

                column += describe_width(word) + 2;
                if (column > 79) {
                        (void)fputs("\n#", file);
                        column = describe_width(word) + 3;
                }
                (void)fprintf(file, " %s%s", word, describe_word(row, i + 1) ? "," : "");
        }
        (void)putc('\n', file);
}

static void print_setting(const Setting *row, FILE *file) {
        (void)putc('\n', file);
        print_comment(row->help ?: row->name, file);
        if (row->words)
                print_words(row, file);
        if (row->default_about) {
                (void)fputs("# Default: ", file);
                describe_wrapped(file, row->default_about, strlen("# Default: "), "# ");
                (void)putc('\n', file);
        }
        if (row->planned) {
                (void)fputs("# Not in this version: ", file);
                describe_wrapped(file, row->planned, strlen("# Not in this version: "), "# ");
                (void)putc('\n', file);
        }
        (void)fprintf(file, "#%s=%s\n", row->name, example_value(row));
}

void describe_example(const SettingProgram *program, FILE *file) {
        const SettingTable *table = program->table;

        (void)fprintf(file, "# Settings of %s %s\n", program->name, program->version);
        (void)fputs("#\n"
                    "# A line that is indented deeper than the setting above it continues its\n"
                    "# value. Lists are separated by blanks, line breaks or commas. Comments have\n"
                    "# lines of their own.\n",
                    file);

        for (size_t i = 0; i < table->n_sections; i++) {
                (void)fprintf(file, "\n[%s]\n", table->sections[i].name);
                if (table->sections[i].about)
                        print_comment(table->sections[i].about, file);

                for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                        if (row->name && !(row->flags & SETTING_HIDDEN) &&
                            describe_is_in(row, &table->sections[i]))
                                print_setting(row, file);
        }
}
