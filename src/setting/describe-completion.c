/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/text.h"
#include "setting/describe-text.h"

/* In every shell's script the table's text stands between single quotes; `special` lists further characters that a
 * backslash takes the meaning from. */
static void print_quoted_part(const char *text, const char *special, const char *apostrophe, FILE *file) {
        for (; *text; text++) {
                if (*text == '\'')
                        (void)fputs(apostrophe, file);
                else if (*text == '\n')
                        (void)putc(' ', file);
                else
                        (void)fprintf(file, "%s%c", strchr(special, *text) ? "\\" : "", *text);
        }
}

static void print_row_words(const Setting *row, FILE *file) {
        for (size_t i = 0; describe_word(row, i); i++)
                (void)fprintf(file, "%s%s", i > 0 ? " " : "", describe_word(row, i));
}

/* bash */

static void print_bash_quoted(const char *text, FILE *file) {
        print_quoted_part(text, "", "'\\''", file);
}

/* How a shell completes a value. */
typedef enum ValueKind { VALUE_NONE, VALUE_WORD, VALUE_COMMAND, VALUE_PATH, VALUE_OTHER } ValueKind;

static ValueKind value_kind(const Setting *row) {
        if (describe_word(row, 0))
                return VALUE_WORD;
        if (describe_is_value_optional(row))
                return VALUE_NONE;
        if (row->list_command)
                return VALUE_COMMAND;
        return row->type->is_path ? VALUE_PATH : VALUE_OTHER;
}

/* "--format=|--format|-t": with '=' behind it only, for an optional value. */
static void print_bash_pattern(const Setting *row, FILE *file) {
        const bool optional = describe_is_value_optional(row);

        if (row->option)
                (void)fprintf(file, "--%s=", row->option);
        if (row->option && !optional)
                (void)fprintf(file, "|--%s", row->option);
        if (row->letter && !optional)
                (void)fprintf(file, "%s-%c", row->option ? "|" : "", row->letter);
}

static void print_bash_words(const SettingTable *table, FILE *file) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++) {
                const bool command = value_kind(row) == VALUE_COMMAND;

                if (!describe_is_offered(row) || (value_kind(row) != VALUE_WORD && !command))
                        continue;
                if (describe_is_value_optional(row) && !row->option)
                        continue;

                (void)fputs("        ", file);
                print_bash_pattern(row, file);
                if (command) {
                        (void)fprintf(file, ")\n                words=$(%s 2>/dev/null) ;;\n",
                                      row->list_command);
                        continue;
                }
                (void)fputs(")\n                words='", file);
                print_row_words(row, file);
                (void)fputs("' ;;\n", file);
        }
}

/* One branch for all options with this kind of value. */
static void print_bash_branch(const SettingTable *table, ValueKind kind, const char *commands, FILE *file) {
        bool first = true;

        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++) {
                if (!describe_is_offered(row) || value_kind(row) != kind)
                        continue;
                (void)fputs(first ? "        " : "|\\\n        ", file);
                print_bash_pattern(row, file);
                first = false;
        }
        if (!first)
                (void)fprintf(file, ")\n%s                return ;;\n", commands);
}

static void print_bash_options(const SettingTable *table, FILE *file) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++) {
                if (!describe_is_offered(row))
                        continue;
                if (row->option)
                        (void)fprintf(file, " --%s", row->option);
                if (row->letter)
                        (void)fprintf(file, " -%c", row->letter);
        }
}

static void print_bash_verb_words(const SettingProgram *program, FILE *file) {
        bool any = false;

        for (size_t i = 0; i < program->n_verbs; i++) {
                const SettingVerb *const verb = &program->verbs[i];

                if (!verb->list_command)
                        continue;
                if (!any)
                        (void)fputs("                case $other in\n", file);
                any = true;
                (void)fprintf(file,
                              "                %s)\n"
                              "                        words=$(%s 2>/dev/null) ;;\n",
                              verb->name, verb->list_command);
        }
        if (any)
                (void)fputs(
                        "                esac\n"
                        "                if [[ -n $words ]]; then\n"
                        "                        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                        "                        return\n"
                        "                fi\n",
                        file);
}

static void complete_bash(const SettingProgram *program, FILE *file) {
        (void)fprintf(file, "# bash completion for %s\n\n_%s() {\n", program->name, program->name);
        (void)fputs("        local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} verbs='",
                    file);
        for (size_t i = 0; i < program->n_verbs; i++) {
                (void)fputs(i > 0 ? " " : "", file);
                print_bash_quoted(program->verbs[i].name, file);
        }
        (void)fputs("' words='' other\n"
                    "        COMPREPLY=()\n"
                    "\n"
                    "        # The '=' of --option=value is a word of its own.\n"
                    "        if [[ $word == '=' ]]; then\n"
                    "                option+='=' word=''\n"
                    "        elif [[ $option == '=' ]]; then\n"
                    "                option=${COMP_WORDS[COMP_CWORD-2]}=\n"
                    "        fi\n"
                    "\n"
                    "        case $option in\n",
                    file);
        print_bash_words(program->table, file);
        print_bash_branch(program->table, VALUE_PATH,
                          "                compopt -o filenames 2>/dev/null\n"
                          "                mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n",
                          file);
        print_bash_branch(program->table, VALUE_OTHER, "", file);
        (void)fputs("        esac\n"
                    "        if [[ -n $words ]]; then\n"
                    "                mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                    "                return\n"
                    "        fi\n"
                    "\n"
                    "        if [[ $word == -* ]]; then\n"
                    "                mapfile -t COMPREPLY < <(compgen -W '",
                    file);
        print_bash_options(program->table, file);
        (void)fputs("' -- \"$word\")\n"
                    "                return\n"
                    "        fi\n"
                    "\n"
                    "        # Behind a verb come its own words.\n"
                    "        for other in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n",
                    file);
        print_bash_verb_words(program, file);
        (void)fputs("                [[ \" $verbs \" == *\" $other \"* ]] && return\n"
                    "        done\n"
                    "        mapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$word\")\n"
                    "}\n"
                    "\n",
                    file);
        (void)fprintf(file, "complete -F _%s -o default %s\n", program->name, program->name);
}

/* zsh */

static void print_zsh_quoted(const char *text, FILE *file) {
        print_quoted_part(text ?: "", "[]:\\", "'\\''", file);
}

/* What follows the option in its specification: help, and which values there are. */
static void print_zsh_value(const Setting *row, FILE *file) {
        const char *metavar = row->metavar ?: row->type->metavar;
        const bool optional = describe_is_value_optional(row);

        (void)putc('[', file);
        print_zsh_quoted(row->help, file);
        (void)putc(']', file);
        if (metavar) {
                (void)fputs(optional ? "::" : ":", file);
                print_zsh_quoted(metavar, file);
                (void)putc(':', file);
                if (describe_word(row, 0)) {
                        (void)putc('(', file);
                        print_row_words(row, file);
                        (void)putc(')', file);
                } else if (row->list_command)
                        (void)fprintf(file, "{compadd -- $(%s 2>/dev/null)}", row->list_command);
                else if (row->type->is_path)
                        (void)fputs("_files", file);
        }
        (void)fputs("' \\\n", file);
}

/* What may be repeated; and that an option and its letter exclude each other otherwise. */
static void print_zsh_prefix(const Setting *row, FILE *file) {
        (void)fputs("                '", file);
        if (row->type->is_list || row->type == &setting_type_count)
                (void)putc('*', file);
        else if (row->option && row->letter)
                (void)fprintf(file, "(--%s -%c)", row->option, row->letter);
}

static void print_zsh_row(const Setting *row, FILE *file) {
        const bool optional = describe_is_value_optional(row), has_value = row->type->metavar;

        if (row->option) {
                print_zsh_prefix(row, file);
                (void)fprintf(file, "--%s%s", row->option, !has_value ? "" : optional ? "=-" : "=");
                print_zsh_value(row, file);
        }
        if (row->letter) {
                print_zsh_prefix(row, file);
                (void)fprintf(file, "-%c%s", row->letter, optional ? "[" : "+");
                if (optional) {
                        print_zsh_quoted(row->help, file);
                        (void)fputs("]' \\\n", file);
                } else
                        print_zsh_value(row, file);
        }
}

/* Where the first of the words is the verb. */
static void print_zsh_verb_words(const SettingProgram *program, FILE *file) {
        bool any = false;

        for (size_t i = 0; i < program->n_verbs; i++) {
                const SettingVerb *const verb = &program->verbs[i];

                if (!verb->list_command)
                        continue;
                if (!any)
                        (void)fputs("{ case $words[1] in\n", file);
                any = true;
                (void)fprintf(file, "                %s) compadd -- $(%s 2>/dev/null) ;;\n", verb->name,
                              verb->list_command);
        }
        (void)fputs(any ? "                *) _default ;; esac }" : "_default", file);
}

static void complete_zsh(const SettingProgram *program, FILE *file) {
        const SettingTable *table = program->table;

        (void)fprintf(file, "#compdef %s\n\n_%s() {\n", program->name, program->name);
        (void)fputs("        local -a verbs=(\n", file);
        for (size_t i = 0; i < program->n_verbs; i++) {
                (void)fputs("                '", file);
                print_zsh_quoted(program->verbs[i].name, file);
                (void)putc(':', file);
                print_zsh_quoted(program->verbs[i].help, file);
                (void)fputs("'\n", file);
        }
        (void)fputs("        )\n\n        _arguments -s \\\n", file);
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (describe_is_offered(row))
                        print_zsh_row(row, file);
        (void)fputs("                '1:verb:{ _describe verb verbs }' \\\n"
                    "                '*::word:",
                    file);
        print_zsh_verb_words(program, file);
        (void)fputs("'\n"
                    "}\n"
                    "\n",
                    file);
        (void)fprintf(file,
                      "if [[ $funcstack[1] == _%s ]]; then\n"
                      "        _%s \"$@\"\n"
                      "else\n"
                      "        compdef _%s %s\n"
                      "fi\n",
                      program->name, program->name, program->name, program->name);
}

/* fish */

static void print_fish_quoted(const char *text, FILE *file) {
        (void)putc('\'', file);
        print_quoted_part(text ?: "", "\\", "\\'", file);
        (void)putc('\'', file);
}

static void print_fish_row(const SettingProgram *program, const Setting *row, FILE *file) {
        (void)fprintf(file, "complete -c %s", program->name);
        if (row->option)
                (void)fprintf(file, " -l %s", row->option);
        if (row->letter)
                (void)fprintf(file, " -s %c", row->letter);
        if (describe_is_value_optional(row)) {
                if (describe_word(row, 0)) {
                        (void)fputs(" -f -a '", file);
                        print_row_words(row, file);
                        (void)putc('\'', file);
                }
        } else if (describe_word(row, 0)) {
                (void)fputs(" -x -a '", file);
                print_row_words(row, file);
                (void)putc('\'', file);
        } else if (row->list_command)
                (void)fprintf(file, " -x -a '(%s 2>/dev/null)'", row->list_command);
        else
                (void)fputs(row->type->is_path ? " -r -F" : " -x", file);
        (void)fputs(" -d ", file);
        print_fish_quoted(row->help, file);
        (void)putc('\n', file);
}

static void complete_fish(const SettingProgram *program, FILE *file) {
        const SettingTable *table = program->table;

        (void)fprintf(file, "# fish completion for %s\n\ncomplete -c %s -f\n", program->name, program->name);
        for (size_t i = 0; i < program->n_verbs; i++) {
                (void)fprintf(file, "complete -c %s -n __fish_use_subcommand -a ", program->name);
                print_fish_quoted(program->verbs[i].name, file);
                (void)fputs(" -d ", file);
                print_fish_quoted(program->verbs[i].help, file);
                (void)putc('\n', file);
        }
        for (size_t i = 0; i < program->n_verbs; i++)
                if (program->verbs[i].list_command)
                        (void)fprintf(
                                file,
                                "complete -c %s -n '__fish_seen_subcommand_from %s' -a '(%s 2>/dev/null)'\n",
                                program->name, program->verbs[i].name, program->verbs[i].list_command);
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (describe_is_offered(row))
                        print_fish_row(program, row, file);
}

int describe_completion(const SettingProgram *program, const char *shell, FILE *file) {
        static const struct {
                const char *shell;
                void (*complete)(const SettingProgram *program, FILE *file);
        } scripts[] = {
                { "bash", complete_bash },
                { "zsh", complete_zsh },
                { "fish", complete_fish },
        };

        for (size_t i = 0; i < ELEMENTSOF(scripts); i++)
                if (text_equal(scripts[i].shell, shell)) {
                        scripts[i].complete(program, file);
                        return 0;
                }
        return -EINVAL;
}
