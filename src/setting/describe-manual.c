/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "setting/describe-text.h"

/* The manual in the language of man(7). Nothing of the table reaches roff unescaped, and no table text is ever the
 * argument of a macro, where other rules would hold. */

/* Prints text that does not begin an input line. */
static void print_escaped_part(const char *text, size_t length, FILE *file) {
        for (size_t i = 0; i < length; i++)
                switch (text[i]) {
                case '\\':
                        (void)fputs("\\e", file);
                        break;
                case '-':
                        (void)fputs("\\-", file);
                        break;
                case '~':
                        (void)fputs("\\(ti", file);
                        break;
                case '^':
                        (void)fputs("\\(ha", file);
                        break;
                case '`':
                        (void)fputs("\\(ga", file);
                        break;
                case '\n':
                case '\t':
                        (void)putc(' ', file);
                        break;
                default:
                        (void)putc(text[i], file);
                }
}

static void print_escaped(const char *text, FILE *file) {
        print_escaped_part(text, strlen(text), file);
}

/* Prints text as input lines of its own. What looks like a request at their start must not be one. */
static void print_paragraph_part(const char *text, size_t length, FILE *file) {
        while (length > 0 && isspace((unsigned char)*text)) {
                text++;
                length--;
        }
        if (length == 0)
                return;
        if (*text == '.' || *text == '\'')
                (void)fputs("\\&", file);
        print_escaped_part(text, length, file);
        (void)putc('\n', file);
}

static void print_paragraph(const char *text, FILE *file) {
        print_paragraph_part(text ?: "", strlen(text ?: ""), file);
}

/* Paragraphs are separated by empty lines. */
static void print_paragraphs(const char *text, FILE *file) {
        for (bool first = true; text; first = false) {
                const char *end = strstr(text, "\n\n");

                if (!first)
                        (void)fputs(".PP\n", file);
                print_paragraph_part(text, end ? (size_t)(end - text) : strlen(text), file);
                text = end ? end + strspn(end, "\n") : NULL;
                if (text && *text == '\0')
                        break;
        }
}

static void print_italic(const char *text, FILE *file) {
        (void)fputs("\\fI", file);
        print_escaped(text, file);
        (void)fputs("\\fR", file);
}

static void print_bold(const char *before, const char *text, const char *after, FILE *file) {
        (void)fprintf(file, "\\fB%s", before);
        print_escaped(text, file);
        (void)fprintf(file, "%s\\fR", after);
}

/* "Format=, --format=WORD, -t WORD" */
static void print_heading(const Setting *row, FILE *file) {
        const bool optional = describe_is_value_optional(row);
        /* Nobody says no to an option that is no setting. */
        const char *metavar = optional && !row->name ? NULL : row->metavar ?: row->type->metavar;
        const char letter[] = { row->letter, '\0' };

        (void)fputs(".TP\n", file);
        if (row->name)
                print_bold("", row->name, "=", file);
        if (row->option) {
                (void)fputs(row->name ? ", " : "", file);
                print_bold("\\-\\-", row->option, metavar && !optional ? "=" : "", file);
                if (metavar) {
                        (void)fputs(optional ? "[\\fB=\\fR" : "", file);
                        print_italic(metavar, file);
                        (void)fputs(optional ? "]" : "", file);
                }
        }
        if (row->letter) {
                (void)fputs(row->name || row->option ? ", " : "", file);
                print_bold("\\-", letter, "", file);
                if (metavar && !optional) {
                        (void)putc(' ', file);
                        print_italic(metavar, file);
                }
        }
        (void)putc('\n', file);
}

/* Begins a line of its own among the facts below the paragraph of a setting. */
static void print_fact(const char *label, const char *text, bool *first, FILE *file) {
        (void)fprintf(file, "%s\n%s", *first ? ".IP" : ".br", label);
        print_escaped(text, file);
        (void)putc('\n', file);
        *first = false;
}

static void print_words(const Setting *row, bool *first, FILE *file) {
        if (!row->words || !row->words[0])
                return;

        print_fact("One of", "", first, file);
        for (size_t i = 0; describe_word(row, i); i++) {
                print_bold("", describe_word(row, i), "", file);
                (void)fputs(describe_word(row, i + 1) ? ",\n" : "\n", file);
        }
        if (!row->aliases || !row->aliases->name)
                return;

        print_fact("Also understood:", "", first, file);
        for (const SettingAlias *alias = row->aliases; alias->name; alias++) {
                print_bold("", alias->name, "", file);
                (void)fputs(" for ", file);
                print_bold("", alias->word, "", file);
                (void)fputs(alias[1].name ? ",\n" : "\n", file);
        }
}

static void print_setting(const Setting *row, FILE *file) {
        bool first = true;

        print_heading(row, file);
        print_paragraph(row->about ?: row->help, file);

        print_words(row, &first, file);
        if (row->type->about)
                print_fact("", row->type->about, &first, file);
        if (row->default_about)
                print_fact("Default: ", row->default_about, &first, file);
        for (const char *const *name = row->old_names; name && *name; name++)
                print_fact("Former name: ", *name, &first, file);
        for (const char *const *option = row->old_options; option && *option; option++)
                print_fact("Former name: \\-\\-", *option, &first, file);
        if (row->planned)
                print_fact("Not in this version: ", row->planned, &first, file);
}

static bool has_rows(const SettingTable *table, const SettingSection *section) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (!(row->flags & SETTING_HIDDEN) && describe_is_in(row, section))
                        return true;
        return false;
}

static void print_settings(const SettingTable *table, const SettingSection *section, FILE *file) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (!(row->flags & SETTING_HIDDEN) && describe_is_in(row, section))
                        print_setting(row, file);
}

/* How files are written, setting.h. */
/* clang-format off */
static const char *const dialect_about[] = {
        [SETTING_DIALECT_PROJECT] =
                "A line that is indented deeper than the one with the name continues the value.\n"
                "Lines that begin with # or ; are comments, also between the lines of a value.\n"
                "An option on the command line counts more than files do; to a list it adds, in front.\n",
        [SETTING_DIALECT_UNIT] =
                "A backslash at the end of a line continues the value on the next one.\n"
                "Lines that begin with # or ; are comments, also between the lines of a value.\n"
                "Each line of a list adds to those before; an empty value takes back what was said.\n"
                "What is unknown is passed over with a warning that names file and line, and so is a wrong value; "
                "but where less would be confined than was asked for, the file is refused.\n"
                "Names that begin with X\\- are for others.\n",
};
/* clang-format on */

static void print_sections(const SettingTable *table, FILE *file) {
        if (has_rows(table, NULL)) {
                (void)fputs(".SH OPTIONS\nThese options are for the command line only.\n", file);
                print_settings(table, NULL, file);
        }
        if (table->n_sections == 0)
                return;

        (void)fputs(
                ".SH SETTINGS\n"
                "In files, settings are written as \\fIName\\fB=\\fIvalue\\fR below the \\fB[\\fISection\\fB]\\fR "
                "that they belong to.\n",
                file);
        (void)fputs(dialect_about[table->dialect], file);
        (void)fputs(".PP\n\\fIBOOL\\fR stands for a truth value: yes, true, on or 1; no, false, off or 0.\n",
                    file);
        for (size_t i = 0; i < table->n_sections; i++) {
                if (!has_rows(table, &table->sections[i]))
                        continue;
                (void)fputs(".SS [", file);
                print_escaped(table->sections[i].name, file);
                (void)fputs("]\n", file);
                print_paragraph(table->sections[i].about, file);
                print_settings(table, &table->sections[i], file);
        }
}

static void print_verbs(const SettingProgram *program, FILE *file) {
        if (program->n_verbs > 0)
                (void)fputs(".SH VERBS\n", file);
        for (size_t i = 0; i < program->n_verbs; i++) {
                const SettingVerb *const verb = &program->verbs[i];

                (void)fputs(".TP\n", file);
                print_bold("", verb->name, "", file);
                if (verb->metavar) {
                        (void)putc(' ', file);
                        print_italic(verb->metavar, file);
                }
                (void)putc('\n', file);
                print_paragraph(verb->about ?: verb->help, file);
        }
}

/* "name\ttext\n" lines. */
static void print_files(const char *text, FILE *file) {
        if (text_is_empty(text))
                return;

        (void)fputs(".SH FILES\n", file);
        while (*text) {
                const size_t line = strcspn(text, "\n"), name = MIN(strcspn(text, "\t"), line);

                if (name > 0) {
                        (void)fputs(".TP\n\\fI", file);
                        print_escaped_part(text, name, file);
                        (void)fputs("\\fR\n", file);
                        print_paragraph_part(text + name, line - name, file);
                }
                text += line + (text[line] == '\n');
        }
}

/* "name(1), other(5)" */
static void print_see_also(const char *text, FILE *file) {
        if (text_is_empty(text))
                return;

        (void)fputs(".SH SEE ALSO\n", file);
        while (*(text += strspn(text, " ,\n"))) {
                const size_t length = strcspn(text, " ,\n"), name = MIN(strcspn(text, "("), length);

                (void)fputs("\\fB", file);
                print_escaped_part(text, name, file);
                (void)fputs("\\fR", file);
                print_escaped_part(text + name, length - name, file);
                text += length;
                (void)fputs(text[strspn(text, " ,\n")] ? ",\n" : "\n", file);
        }
}

static void print_invocation(const SettingProgram *program, FILE *file) {
        print_bold("", program->name, "", file);
        (void)fputs("\n[\\fIOPTION\\fR ...]\\&\n", file);
        if (program->n_verbs > 0)
                (void)fputs("[\\fIVERB\\fR [\\fIWORD\\fR ...]]\\&\n", file);
}

static void print_head(const SettingProgram *program, FILE *file) {
        (void)fputs(".TH ", file);
        for (const char *c = program->name; *c; c++)
                (void)putc(toupper((unsigned char)*c), file);
        (void)fprintf(file, " %s \"%s\" \"%s %s\"\n.SH NAME\n", program->synopsis ? "5" : "1",
                      program->date ?: "", program->name, program->version);
        print_escaped(program->name, file);
        (void)fputs(" \\- ", file);
        print_escaped(program->purpose, file);

        (void)fputs("\n.SH SYNOPSIS\n", file);
        if (program->synopsis)
                print_paragraph(program->synopsis, file);
        else
                print_invocation(program, file);

        if (!text_is_empty(program->about)) {
                (void)fputs(".SH DESCRIPTION\n", file);
                print_paragraphs(program->about, file);
        }
}

void describe_manual(const SettingProgram *program, FILE *file) {
        print_head(program, file);
        print_verbs(program, file);
        print_sections(program->table, file);
        print_files(program->files_about, file);
        if (!program->synopsis)
                (void)fputs(
                        ".SH EXIT STATUS\n"
                        "0 when all was done, 1 when something failed, 2 when the command line is wrong.\n",
                        file);
        print_see_also(program->see_also, file);
}
