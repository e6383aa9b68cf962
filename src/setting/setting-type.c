/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "setting/setting.h"

#define BLANKS     " \t\r\n\v\f"
#define SIZE_GRAIN 512

/* bool */

static int bool_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        const int r = parse_bool(text, member);

        return r < 0 ? reason_set(reason, -EINVAL, "say \"yes\" or \"no\"") : 0;
}

static int bool_parse_argument(const Setting *setting, const char *text, void *member, Reason *reason) {
        bool value = true;

        if (text) {
                const int r = bool_parse(setting, text, &value, reason);
                if (r < 0)
                        return r;
        }

        *(bool *)member = value != setting->inverted;
        return 0;
}

static bool bool_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        if (index > 0)
                return false;
        (void)fputs(*(const bool *)member ? "yes" : "no", file);
        return true;
}

static void bool_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        json_bool(writer, "value", *(const bool *)member);
}

static void bool_clear(void *member) {
        *(bool *)member = false;
}

const SettingType setting_type_bool = {
        .metavar = "BOOL",
        .optional_value = true,
        .parse = bool_parse,
        .parse_argument = bool_parse_argument,
        .print = bool_print,
        .print_json = bool_print_json,
        .clear = bool_clear,
};

/* count */

static int count_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        uint64_t value;

        const int r = parse_uint64(text, &value);
        if (r < 0 || value > UINT_MAX)
                return reason_set(reason, -EINVAL, "not a number");

        *(unsigned *)member = (unsigned)value;
        return 0;
}

static int count_parse_argument(const Setting *setting, const char *text, void *member, Reason *reason) {
        unsigned *value = member;

        if (text)
                return count_parse(setting, text, member, reason);
        if (*value < UINT_MAX)
                (*value)++;
        return 0;
}

static bool unsigned_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        if (index > 0)
                return false;
        (void)fprintf(file, "%u", *(const unsigned *)member);
        return true;
}

static void unsigned_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        json_number(writer, "value", *(const unsigned *)member);
}

static void unsigned_clear(void *member) {
        *(unsigned *)member = 0;
}

const SettingType setting_type_count = {
        .about = "A number; on the command line each repetition of the option adds one.",
        .optional_value = true,
        .parse = count_parse,
        .parse_argument = count_parse_argument,
        .print = unsigned_print,
        .print_json = unsigned_print_json,
        .clear = unsigned_clear,
};

/* number */

static int number_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        uint64_t value;

        const int r = parse_uint64(text, &value);
        if (r < 0 || value == 0 || value > INT_MAX)
                return reason_set(reason, -EINVAL, "not a number from 1 on");

        *(unsigned *)member = (unsigned)value;
        return 0;
}

static bool number_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        return *(const unsigned *)member > 0 && unsigned_print(setting, member, index, file);
}

static void number_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        if (*(const unsigned *)member > 0)
                unsigned_print_json(setting, member, writer);
        else
                json_null(writer, "value");
}

const SettingType setting_type_number = {
        .metavar = "NUMBER",
        .parse = number_parse,
        .print = number_print,
        .print_json = number_print_json,
        .clear = unsigned_clear,
};

/* enum */

static bool find_word(const Setting *setting, const char *text, unsigned *ret) {
        for (const SettingAlias *alias = setting->aliases; alias && alias->name; alias++)
                if (text_equal(alias->name, text)) {
                        text = alias->word;
                        break;
                }

        for (unsigned i = 0; setting->words[i]; i++)
                if (text_equal(setting->words[i], text)) {
                        *ret = i;
                        return text[0] != '\0';
                }
        return false;
}

/* What the setting's value is called in a sentence: "source file transfer" for SourceFileTransfer=. */
static int setting_noun(const Setting *setting, char **ret) {
        const char *name = setting->metavar ?: setting->name ?: setting->option;
        char *noun = malloc(2 * strlen(name) + 1), *end = noun;

        if (!noun)
                return -ENOMEM;
        for (const char *c = name; *c; c++) {
                if (c > name && isupper((unsigned char)*c) && islower((unsigned char)c[-1]))
                        *end++ = ' ';
                *end++ = (char)tolower((unsigned char)*c);
        }
        *end = '\0';

        *ret = noun;
        return 0;
}

/* The words and, behind them, the aliases, as far as a user may say them. */
static int list_words(const Setting *setting, bool with_aliases, char ***ret) {
        _cleanup_(strv_freep) char **words = NULL;
        int r = 0;

        for (const char *const *word = setting->words; *word && r >= 0; word++)
                if (**word)
                        r = strv_append(&words, *word);
        if (with_aliases)
                for (const SettingAlias *alias = setting->aliases; alias && alias->name && r >= 0; alias++)
                        r = strv_append(&words, alias->name);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(words);
        return 0;
}

static int explain_unknown_word(const Setting *setting, const char *text, Reason *reason) {
        _cleanup_(strv_freep) char **known = NULL, **possible = NULL;
        _cleanup_(freep) char *noun = NULL, *joined = NULL;

        int r = setting_noun(setting, &noun);
        if (r >= 0)
                r = list_words(setting, true, &known);
        if (r >= 0)
                r = list_words(setting, false, &possible);
        if (r >= 0)
                r = strv_join(STRV(possible), ", ", &joined);
        if (r < 0)
                return r;

        const char *near = known ? text_nearest(text, STRV(known)) : NULL;
        return reason_set(reason, -EINVAL, "unknown %s \"%s\"%s%s%s (possible: %s)", noun, text,
                          near ? ", did you mean \"" : "", near ?: "", near ? "\"?" : "", joined);
}

static int enum_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        unsigned value;

        if (!find_word(setting, text, &value))
                return explain_unknown_word(setting, text, reason);

        *(unsigned *)member = value;
        return 0;
}

static bool enum_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const char *word = setting->words[*(const unsigned *)member];

        if (index > 0 || word[0] == '\0')
                return false;
        (void)fputs(word, file);
        return true;
}

static void enum_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const char *word = setting->words[*(const unsigned *)member];

        json_text(writer, "value", word[0] ? word : NULL);
}

const SettingType setting_type_enum = {
        .metavar = "WORD",
        .parse = enum_parse,
        .print = enum_print,
        .print_json = enum_print_json,
        .clear = unsigned_clear,
};

/* choice */

static int choice_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        const char *colon = strchr(text, ':');
        _cleanup_(freep) char *word = NULL;
        SettingChoice choice = {};
        uint64_t level = 0;

        if (colon && (parse_uint64(colon + 1, &level) < 0 || level == 0 || level > UINT_MAX))
                return reason_set(reason, -EINVAL,
                                  "behind the colon of \"%s\" stands no level, a number from 1 on", text);
        int r = text_format(&word, "%.*s", (int)(colon ? colon - text : (ptrdiff_t)strlen(text)), text);
        if (r < 0)
                return r;
        if (!find_word(setting, word, &choice.word))
                return explain_unknown_word(setting, word, reason);

        choice.level = (unsigned)level;
        *(SettingChoice *)member = choice;
        return 0;
}

static bool choice_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const SettingChoice *choice = member;

        if (!enum_print(setting, &choice->word, index, file))
                return false;
        if (choice->level > 0)
                (void)fprintf(file, ":%u", choice->level);
        return true;
}

static void choice_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const SettingChoice *choice = member;
        char text[64];

        (void)snprintf(text, sizeof(text), choice->level > 0 ? "%s:%u" : "%s", setting->words[choice->word],
                       choice->level);
        json_text(writer, "value", text[0] ? text : NULL);
}

static void choice_clear(void *member) {
        *(SettingChoice *)member = (SettingChoice){};
}

const SettingType setting_type_choice = {
        .metavar = "WORD[:LEVEL]",
        .about = "Behind the word a colon and a level may follow, where there are levels.",
        .parse = choice_parse,
        .print = choice_print,
        .print_json = choice_print_json,
        .clear = choice_clear,
};

/* text and path */

static int text_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return text_replace(member, text);
}

static int path_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        if (text[0] == '\0')
                return reason_set(reason, -EINVAL, "an empty path");
        return text_replace(member, text);
}

static bool text_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const char *text = *(char *const *)member;

        if (index > 0 || !text)
                return false;
        (void)fputs(text, file);
        return true;
}

static void text_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        json_text(writer, "value", *(char *const *)member);
}

static void text_clear(void *member) {
        free(TAKE_PTR(*(char **)member));
}

const SettingType setting_type_text = {
        .metavar = "TEXT",
        .parse = text_parse,
        .print = text_print,
        .print_json = text_print_json,
        .clear = text_clear,
};

const SettingType setting_type_path = {
        .metavar = "PATH",
        .is_path = true,
        .parse = path_parse,
        .print = text_print,
        .print_json = text_print_json,
        .clear = text_clear,
};

/* size */

static int size_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        uint64_t value;

        const int r = parse_size(text, &value);
        if (r < 0)
                return reason_set(reason, -EINVAL,
                                  "say a number of bytes, or one with K, M, G or T behind it");
        if (value == 0)
                return reason_set(reason, -EINVAL, "a size is more than 0");
        if (value % SIZE_GRAIN != 0)
                return reason_set(reason, -EINVAL, "not a multiple of %d bytes", SIZE_GRAIN);

        *(uint64_t *)member = value;
        return 0;
}

static bool size_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        const uint64_t value = *(const uint64_t *)member;
        char text[24];

        if (index > 0 || value == 0)
                return false;
        size_format(value, text);
        (void)fputs(text, file);
        return true;
}

static void size_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        const uint64_t value = *(const uint64_t *)member;

        if (value > 0)
                json_number(writer, "value", value);
        else
                json_null(writer, "value");
}

static void size_clear(void *member) {
        *(uint64_t *)member = 0;
}

const SettingType setting_type_size = {
        .metavar = "SIZE",
        .about = "A multiple of 512 bytes: a number, also with the suffix K, M, G or T (powers of 1024).",
        .parse = size_parse,
        .print = size_print,
        .print_json = size_print_json,
        .clear = size_clear,
};

/* lists */

static size_t count_items(const char *text, const char *separators) {
        size_t n = 0;

        while (*(text += strspn(text, separators))) {
                text += strcspn(text, separators);
                n++;
        }
        return n;
}

static int append_split(const char *text, const char *separators, char ***list, Reason *reason) {
        _cleanup_(strv_freep) char **items = NULL;
        const size_t n = count_items(text, separators);

        if (n == 0)
                return 0;
        /* Counted first: splitting takes time that grows with the square of the number. */
        if (n > SETTING_LIST_ITEMS_MAX || strv_length(STRV(*list)) > SETTING_LIST_ITEMS_MAX - n)
                return reason_set(reason, -EINVAL, "more than %d items", SETTING_LIST_ITEMS_MAX);

        const int r = strv_split(text, separators, &items);
        if (r < 0)
                return r;
        return strv_extend(list, STRV(items));
}

static int list_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return append_split(text, BLANKS ",", member, reason);
}

static int word_list_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return append_split(text, BLANKS, member, reason);
}

/* The shell has split the words already: a path may have blanks in it there. */
static int path_list_parse_argument(const Setting *setting, const char *text, void *member, Reason *reason) {
        if (text[0] == '\0')
                return reason_set(reason, -EINVAL, "an empty path");
        if (strv_length(STRV(*(char ***)member)) >= SETTING_LIST_ITEMS_MAX)
                return reason_set(reason, -EINVAL, "more than %d items", SETTING_LIST_ITEMS_MAX);
        return strv_append(member, text);
}

static int search_path_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        return append_split(text, BLANKS ":", member, reason);
}

static bool list_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        char **list = *(char **const *)member;

        if (index >= strv_length(STRV(list)))
                return false;
        (void)fputs(list[index], file);
        return true;
}

static void list_print_json(const Setting *setting, const void *member, JsonWriter *writer) {
        char **list = *(char **const *)member;

        json_begin_array(writer, "value");
        for (char **item = list; item && *item; item++)
                json_text(writer, NULL, *item);
        json_end_array(writer);
}

static void list_clear(void *member) {
        strv_free(TAKE_PTR(*(char ***)member));
}

const SettingType setting_type_list = {
        .metavar = "LIST",
        .about = "A list, separated by blanks or commas; several add up.",
        .is_list = true,
        .parse = list_parse,
        .print = list_print,
        .print_json = list_print_json,
        .clear = list_clear,
};

const SettingType setting_type_word_list = {
        .metavar = "LIST",
        .about = "A list, separated by blanks; several add up.",
        .is_list = true,
        .parse = word_list_parse,
        .print = list_print,
        .print_json = list_print_json,
        .clear = list_clear,
};

const SettingType setting_type_path_list = {
        .metavar = "PATH",
        .about = "A list of paths, separated by blanks or commas; on the command line one path per option.",
        .is_list = true,
        .is_path = true,
        .parse = list_parse,
        .parse_argument = path_list_parse_argument,
        .print = list_print,
        .print_json = list_print_json,
        .clear = list_clear,
};

const SettingType setting_type_search_path = {
        .metavar = "PATH",
        .about = "A list of directories, separated by blanks or colons.",
        .is_list = true,
        .is_path = true,
        .parse = search_path_parse,
        .print = list_print,
        .print_json = list_print_json,
        .clear = list_clear,
};

/* environment: names of variables are what shells can name */

static bool is_assignment(const char *text) {
        if (!isalpha((unsigned char)text[0]) && text[0] != '_')
                return false;
        while (isalnum((unsigned char)*text) || *text == '_')
                text++;
        return *text == '\0' || *text == '=';
}

static int environment_add(const char *const *items, void *member, Reason *reason) {
        for (const char *const *item = items; item && *item; item++)
                if (!is_assignment(*item))
                        return reason_set(reason, -EINVAL,
                                          "\"%s\" does not begin with the name of a variable", *item);
        if (strv_length(items) + strv_length(STRV(*(char ***)member)) > SETTING_LIST_ITEMS_MAX)
                return reason_set(reason, -EINVAL, "more than %d items", SETTING_LIST_ITEMS_MAX);
        return strv_extend(member, items);
}

static int environment_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        _cleanup_(strv_freep) char **items = NULL;

        const int r = strv_split_quoted(text, &items);
        if (r == -EINVAL)
                return reason_set(reason, r, "a quote or a backslash without an end");
        return r < 0 ? r : environment_add(STRV(items), member, reason);
}

/* The shell has taken the quotes off already. */
static int environment_parse_argument(const Setting *setting, const char *text, void *member,
                                      Reason *reason) {
        return environment_add((const char *const[]){ text, NULL }, member, reason);
}

const SettingType setting_type_environment = {
        .metavar = "NAME=VALUE",
        .about =
                "Variables, NAME=VALUE, or NAME for the value that the caller's environment has; separated by "
                "blanks, with quotes and backslashes as in a shell. On the command line one per option.",
        .is_list = true,
        .parse = environment_parse,
        .parse_argument = environment_parse_argument,
        .print = list_print,
        .print_json = list_print_json,
        .clear = list_clear,
};

/* words: one value, so later ones replace it */

static int words_parse(const Setting *setting, const char *text, void *member, Reason *reason) {
        _cleanup_(strv_freep) char **words = NULL;

        const int r = append_split(text, BLANKS, &words, reason);
        if (r < 0)
                return r;
        if (!words)
                return reason_set(reason, -EINVAL, "an empty command");

        strv_free(*(char ***)member);
        *(char ***)member = TAKE_PTR(words);
        return 0;
}

static bool words_print(const Setting *setting, const void *member, size_t index, FILE *file) {
        char **words = *(char **const *)member;

        if (index > 0 || strv_length(STRV(words)) == 0)
                return false;
        for (char **word = words; *word; word++)
                (void)fprintf(file, "%s%s", word == words ? "" : " ", *word);
        return true;
}

const SettingType setting_type_words = {
        .metavar = "COMMAND",
        .about = "A program and its arguments, separated by blanks; there is no quoting.",
        .parse = words_parse,
        .print = words_print,
        .print_json = list_print_json,
        .clear = list_clear,
};
