/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "unit/exec-command.h"
#include "unit/specifier.h"

#define BLANKS    " \t\n\r"
#define WORDS_MAX 4096

/* Letters behind a backslash, systemd.syntax(7). */
typedef struct Escape {
        char letter, byte;
} Escape;

static const Escape escapes[] = {
        { 'a', '\a' }, { 'b', '\b' },  { 'f', '\f' }, { 'n', '\n' },  { 'r', '\r' }, { 't', '\t' },
        { 'v', '\v' }, { '\\', '\\' }, { '"', '"' },  { '\'', '\'' }, { 's', ' ' },  { ';', ';' },
};

/* Numbers: by so many digits, a byte or a character is meant. */
typedef struct NumberEscape {
        char letter; /* '\0': the first digit follows at once */
        size_t n_digits;
        unsigned base;
        uint32_t last;
        bool is_character;
} NumberEscape;

static const NumberEscape number_escapes[] = {
        { 'x', 2, 16, UINT8_MAX, false },
        { 'u', 4, 16, 0xffff, true },
        { 'U', 8, 16, 0x10ffff, true },
        { '\0', 3, 8, UINT8_MAX, false },
};

static unsigned digit_value(char digit, unsigned base) {
        const unsigned value = digit >= '0' && digit <= '9'   ? (unsigned)(digit - '0')
                               : digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10
                               : digit >= 'A' && digit <= 'F' ? (unsigned)(digit - 'A') + 10
                                                              : base;
        return MIN(value, base);
}

/* In UTF-8, which takes no more bytes than the escape has. Returns behind them. */
static char *character_put(uint32_t character, char *to) {
        if (character < 0x80)
                *to++ = (char)character;
        else {
                const unsigned n_more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;

                *to++ = (char)(0xff << (7 - n_more) | character >> (6 * n_more));
                for (unsigned i = n_more; i > 0; i--)
                        *to++ = (char)(0x80 | (character >> (6 * (i - 1)) & 0x3f));
        }
        return to;
}

/* 0 when it is none of these. */
static int number_read(const NumberEscape *escape, const char **text, char **to) {
        const char *const digits = *text + (escape->letter != '\0');
        uint32_t value = 0;

        if (escape->letter != '\0' && escape->letter != **text)
                return 0;
        for (size_t i = 0; i < escape->n_digits; i++) {
                const unsigned digit = digit_value(digits[i], escape->base);

                if (digit == escape->base)
                        return 0;
                value = value * escape->base + digit;
        }
        if (value == 0 || value > escape->last || (escape->is_character && value >= 0xd800 && value < 0xe000))
                return 0;
        *text = digits + escape->n_digits;
        if (escape->is_character)
                *to = character_put(value, *to);
        else
                *(*to)++ = (char)value;
        return 1;
}

/* `text` is behind the backslash. What has no meaning stays as it is, as regular expressions have it. */
static void escape_read(const char **text, char **to) {
        for (size_t i = 0; i < ELEMENTSOF(number_escapes); i++)
                if (number_read(&number_escapes[i], text, to) > 0)
                        return;
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (escapes[i].letter == **text) {
                        (*text)++;
                        *(*to)++ = escapes[i].byte;
                        return;
                }
        *(*to)++ = '\\';
}

/* The next word, with quotes and backslashes taken out; 0 at the end. `quoted` says that it is more than it seems. */
static int word_read(const char **text, char **ret, bool *quoted, Reason *reason) {
        _cleanup_(freep) char *word = NULL;
        char quote = '\0';

        *text += strspn(*text, BLANKS);
        if (**text == '\0')
                return 0;
        word = malloc(strlen(*text) + 1);
        if (!word)
                return -ENOMEM;

        char *to = word;
        *quoted = false;
        for (; **text && (quote || !strchr(BLANKS, **text));) {
                const char byte = *(*text)++;

                if (byte == '\\') {
                        *quoted = true;
                        escape_read(text, &to);
                } else if (quote ? byte == quote : (byte == '"' || byte == '\'')) {
                        *quoted = true;
                        quote = quote ? '\0' : byte;
                } else
                        *to++ = byte;
        }
        if (quote)
                return reason_set(reason, -EINVAL, "a quote (%c) has no end", quote);
        *to = '\0';
        *ret = TAKE_PTR(word);
        return 1;
}

int exec_words_read(const char *text, char ***ret, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;

        for (;;) {
                char *word;
                bool quoted;

                int r = word_read(&text, &word, &quoted, reason);
                if (r == 0)
                        break;
                if (r > 0)
                        r = strv_take(&words, word);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

void exec_command_done(ExecCommand *command) {
        free(command->path);
        strv_free(command->argv);
        *command = (ExecCommand){};
}

static void list_shorten(ExecCommandList *list, size_t n) {
        while (list->n_items > n)
                exec_command_done(&list->items[--list->n_items]);
}

void exec_command_list_done(ExecCommandList *list) {
        list_shorten(list, 0);
        free(list->items);
        *list = (ExecCommandList){};
}

static int list_append(ExecCommandList *list, ExecCommand *command) {
        ExecCommand *const grown = reallocarray(list->items, list->n_items + 1, sizeof(ExecCommand));

        if (!grown)
                return -ENOMEM;
        list->items = grown;
        grown[list->n_items++] = *command;
        *command = (ExecCommand){};
        return 0;
}

/* Takes the marks off the program. "!!" asks for what "!" does where the kernel has no ambient capabilities, which ours
 * all have: it asks for nothing. */
static int marks_read(const char **word, ExecCommand *command, bool *own_name, Reason *reason) {
        for (;; (*word)++)
                switch (**word) {
                case '-':
                        command->flags |= EXEC_COMMAND_IGNORE_FAILURE;
                        break;
                case '@':
                        *own_name = true;
                        break;
                case ':':
                        command->flags |= EXEC_COMMAND_LITERAL;
                        break;
                case '+':
                        command->flags |= EXEC_COMMAND_UNCONFINED;
                        break;
                case '!':
                        if ((*word)[1] == '!')
                                (*word)++;
                        else
                                command->flags |= EXEC_COMMAND_NO_USER;
                        break;
                default:
                        if ((command->flags & EXEC_COMMAND_UNCONFINED) &&
                            (command->flags & EXEC_COMMAND_NO_USER))
                                return reason_set(reason, -EINVAL, "\"+\" and \"!\" exclude each other");
                        return 0;
                }
}

static int program_set(const char *word, const char *unit, ExecCommand *command, bool *own_name,
                       Reason *reason) {
        int r = marks_read(&word, command, own_name, reason);
        if (r < 0)
                return r;
        r = specifier_expand(word, unit, &command->path, reason);
        if (r < 0)
                return r;
        if (command->path[0] == '\0')
                return reason_set(reason, -EINVAL, "no program is named");
        if (command->path[0] != '/' && strchr(command->path, '/'))
                return reason_set(reason, -EINVAL, "\"%s\" is neither an absolute path nor a name alone",
                                  command->path);
        return *own_name ? 0 : strv_append(&command->argv, command->path);
}

static int word_add(const char *word, const char *unit, ExecCommand *command, Reason *reason) {
        _cleanup_(freep) char *expanded = NULL;

        if (strv_length(STRV(command->argv)) >= WORDS_MAX)
                return reason_set(reason, -E2BIG, "more than %d words", WORDS_MAX);
        const int r = specifier_expand(word, unit, &expanded, reason);
        return r < 0 ? r : strv_take(&command->argv, TAKE_PTR(expanded));
}

/* One command, up to its end or to a ";" of its own. Answers 0 when there is none any more. */
static int command_read(const char **text, const char *unit, ExecCommand *ret, Reason *reason) {
        bool own_name = false;

        for (;;) {
                _cleanup_(freep) char *word = NULL;
                bool quoted;

                int r = word_read(text, &word, &quoted, reason);
                if (r < 0)
                        return r;
                if (r == 0 || (!quoted && text_equal(word, ";")))
                        break;
                r = ret->path ? word_add(word, unit, ret, reason)
                              : program_set(word, unit, ret, &own_name, reason);
                if (r < 0)
                        return r;
        }
        if (!ret->path)
                return 0;
        if (!ret->argv)
                return reason_set(reason, -EINVAL, "the name that \"@\" announces is missing");
        return 1;
}

int exec_command_parse(const char *line, const char *unit, ExecCommandList *list, Reason *reason) {
        const size_t n_before = list->n_items;
        int r = 0;

        for (const char *text = line; r >= 0 && text[strspn(text, BLANKS)];) {
                _cleanup_(exec_command_done) ExecCommand command = {};

                r = command_read(&text, unit, &command, reason);
                if (r > 0)
                        r = list_append(list, &command);
        }
        if (r >= 0 && list->n_items == n_before)
                r = reason_set(reason, -EINVAL, "no program is named");
        if (r < 0)
                list_shorten(list, n_before);
        return r < 0 ? r : 0;
}

static size_t name_length(const char *text) {
        size_t n = 0;

        while (text[n] == '_' || isalpha((unsigned char)text[n]) ||
               (n > 0 && isdigit((unsigned char)text[n])))
                n++;
        return n;
}

/* NULL when it is not set; the last one counts. */
static const char *value_find(const char *const *environment, const char *name, size_t length) {
        const char *value = NULL;

        for (; environment && *environment; environment++)
                if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
                        value = *environment + length + 1;
        return value;
}

static int missing_note(char ***missing, const char *name, size_t length) {
        _cleanup_(freep) char *copy = strndup(name, length);

        if (!copy)
                return -ENOMEM;
        if (!missing || strv_contains(STRV(*missing), copy))
                return 0;
        return strv_take(missing, TAKE_PTR(copy));
}

/* A variable within a word. */
static int braces_expand(const char **text, const char *const *environment, FILE *file, char ***missing) {
        const char *const name = *text + 2;
        const size_t length = name_length(name);

        if (length == 0 || name[length] != '}') {
                (void)fputc('$', file);
                (*text)++;
                return 0;
        }
        *text = name + length + 1;
        const char *const value = value_find(environment, name, length);
        (void)fputs(value ? value : "", file);
        return value ? 0 : missing_note(missing, name, length);
}

static int word_expand(const char *word, const char *const *environment, char ***list, char ***missing) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r = 0;
        FILE *const file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        while (*word && r >= 0) {
                if (word[0] == '$' && word[1] == '{')
                        r = braces_expand(&word, environment, file, missing);
                else {
                        (void)fputc(*word, file);
                        word += word[0] == '$' && word[1] == '$' ? 2 : 1;
                }
        }
        if (fclose(file) != 0)
                return -ENOMEM;
        return r < 0 ? r : strv_take(list, TAKE_PTR(text));
}

int exec_command_expand(const char *const *argv, const char *const *environment, char ***ret,
                        char ***missing) {
        _cleanup_(strv_freep) char **list = NULL;

        for (; argv && *argv; argv++) {
                const char *const name = *argv + 1;
                int r;

                if ((*argv)[0] != '$' || name[0] == '\0' || name[name_length(name)] != '\0' ||
                    name_length(name) == 0)
                        r = word_expand(*argv, environment, &list, missing);
                else {
                        const char *const value = value_find(environment, name, strlen(name));
                        _cleanup_(strv_freep) char **words = NULL;

                        r = value ? strv_split_quoted(value, &words)
                                  : missing_note(missing, name, strlen(name));
                        if (r == -EINVAL) /* quotes that do not match mean themselves */
                                r = strv_split(value, BLANKS, &words);
                        if (r >= 0)
                                r = strv_extend(&list, STRV(words));
                }
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(list);
        return 0;
}
