/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "setting/load-args.h"

typedef struct ArgumentScan {
        SettingStore *store;
        const SettingVerb *verbs;
        size_t n_verbs;
        int argc;
        char *const *argv;
        int next;          /* argv[next] is what follows the word at hand */
        bool options_over; /* "--" was seen */
        bool may_be_value; /* the word at hand may belong to an option that nobody knows */
        SettingArguments arguments;
        SettingMistakes *mistakes;
} ArgumentScan;

void setting_arguments_done(SettingArguments *arguments) {
        if (!arguments)
                return;
        strv_free(arguments->rest);
        *arguments = (SettingArguments){};
}

static void argument_scan_done(ArgumentScan *scan) {
        setting_arguments_done(&scan->arguments);
}

static bool takes_optional_value(const Setting *setting) {
        return setting->type->optional_value || (setting->flags & SETTING_OPTIONAL_VALUE);
}

/* option is as it was typed, "--format" or "-t"; value NULL: none. */
static int assign(ArgumentScan *scan, const Setting *setting, const char *option, const char *value) {
        _cleanup_(reason_done) Reason reason = {};

        int r = setting_assign(scan->store, setting,
                               &(const SettingValue){
                                       .text = value, .source = SETTING_COMMAND_LINE, .file = option },
                               &reason);
        if (r >= 0 || r == -ENOMEM)
                return r;

        const char *shown = setting->flags & SETTING_SECRET ? "…" : value;
        return setting_mistake(scan->mistakes, "%s%s%s: %s", option, value ? "=" : "", value ? shown : "",
                               reason_text(&reason, r));
}

static const Setting *find_letter(const SettingTable *table, char letter) {
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (row->letter == letter)
                        return row;
        return NULL;
}

/* An option whose value is the next word, unless one came attached. */
static int assign_next(ArgumentScan *scan, const Setting *setting, const char *option, const char *value) {
        if (value || takes_optional_value(setting))
                return assign(scan, setting, option, value);

        const char *word = scan->next < scan->argc ? scan->argv[scan->next] : NULL;
        if (!word)
                return setting_mistake(scan->mistakes, "Option \"%s\" needs a value", option);

        /* Most likely the value was forgotten; an image called "--force" helps nobody. */
        if (word[0] == '-' && word[1] != '\0') {
                /* "-5" is most likely no option, and needs no word of its own. */
                scan->next += word[1] != '-' && !find_letter(scan->store->table, word[1]);
                return setting_mistake(
                        scan->mistakes,
                        "Option \"%s\" needs a value (if \"%s\" is meant to be it, attach it: %s%s%s)",
                        option, word, option, option[1] == '-' ? "=" : "", word);
        }

        scan->next++;
        return assign(scan, setting, option, word);
}

static bool setting_has_option(const Setting *row, const char *name) {
        return (row->option && text_equal(row->option, name)) || strv_contains(row->old_options, name);
}

static bool setting_has_prefix(const Setting *row, const char *prefix) {
        if (!row->option || (row->flags & SETTING_HIDDEN))
                return false;
        if (text_after_prefix(row->option, prefix))
                return true;
        for (const char *const *old = row->old_options; old && *old; old++)
                if (text_after_prefix(*old, prefix))
                        return true;
        return false;
}

static int explain_unknown_option(ArgumentScan *scan, const char *name) {
        const SettingTable *table = scan->store->table;
        _cleanup_(freep) const char **options = NULL;
        size_t n = 0;

        options = calloc(table->n_rows + 1, sizeof(char *));
        if (!options)
                return -ENOMEM;
        for (size_t i = 0; i < table->n_rows; i++)
                if (table->rows[i].option && !(table->rows[i].flags & SETTING_HIDDEN))
                        options[n++] = table->rows[i].option;

        const char *near = text_nearest(name, options);
        return setting_mistake(scan->mistakes, "Unknown option \"--%s\"%s%s%s", name,
                               near ? ", did you mean \"--" : "", near ?: "", near ? "\"?" : "");
}

static int explain_ambiguous_option(ArgumentScan *scan, const char *prefix) {
        const SettingTable *table = scan->store->table;
        _cleanup_(strv_freep) char **options = NULL;
        _cleanup_(freep) char *joined = NULL;
        int r = 0;

        for (size_t i = 0; i < table->n_rows && r >= 0; i++)
                if (setting_has_prefix(&table->rows[i], prefix))
                        r = strv_append_format(&options, "--%s", table->rows[i].option);
        if (r >= 0)
                r = strv_join(STRV(options), ", ", &joined);
        if (r < 0)
                return r;
        return setting_mistake(scan->mistakes, "Option \"--%s\" is ambiguous (possible: %s)", prefix, joined);
}

/* NULL when there is none, or when several begin with the name: *ret_ambiguous says which. */
static const Setting *find_option(const SettingTable *table, const char *name, bool *ret_ambiguous) {
        const Setting *found = NULL;

        *ret_ambiguous = false;
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (setting_has_option(row, name))
                        return row;

        if (name[0] == '\0')
                return NULL;
        for (const Setting *row = table->rows; row < table->rows + table->n_rows; row++)
                if (setting_has_prefix(row, name)) {
                        *ret_ambiguous = found;
                        if (found)
                                return NULL;
                        found = row;
                }
        return found;
}

/* word is "--format" or "--format=gpt_ext4". */
static int load_long_option(ArgumentScan *scan, const char *word) {
        const char *equals = strchr(word, '=');
        _cleanup_(freep) char *option = NULL;
        bool ambiguous;

        option = equals ? strndup(word, (size_t)(equals - word)) : strdup(word);
        if (!option)
                return -ENOMEM;

        const char *name = option + strlen("--");
        const Setting *setting = find_option(scan->store->table, name, &ambiguous);
        if (ambiguous)
                return explain_ambiguous_option(scan, name);
        if (!setting) {
                scan->may_be_value = !equals;
                return explain_unknown_option(scan, name);
        }
        return assign_next(scan, setting, option, equals ? equals + 1 : NULL);
}

/* word is "-if" or "-tdirectory". */
static int load_letters(ArgumentScan *scan, const char *word) {
        for (const char *letter = word + 1; *letter; letter++) {
                const char option[] = { '-', *letter, '\0' };
                const Setting *setting = find_letter(scan->store->table, *letter);

                if (!setting) {
                        if (word[2] == '\0')
                                return setting_mistake(scan->mistakes, "Unknown option \"%s\"", option);
                        return setting_mistake(scan->mistakes, "Unknown option \"%s\" in \"%s\"", option,
                                               word);
                }

                if (letter[1] == '=')
                        return assign(scan, setting, option, letter + 2);
                if (!takes_optional_value(setting))
                        return assign_next(scan, setting, option, letter[1] ? letter + 1 : NULL);

                const int r = assign(scan, setting, option, NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const SettingVerb *find_verb(const ArgumentScan *scan, const char *word) {
        for (size_t i = 0; i < scan->n_verbs; i++)
                if (text_equal(scan->verbs[i].name, word))
                        return &scan->verbs[i];
        return NULL;
}

static int explain_unknown_verb(ArgumentScan *scan, const char *word) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *joined = NULL;
        int r = 0;

        for (size_t i = 0; i < scan->n_verbs && r >= 0; i++)
                r = strv_append(&names, scan->verbs[i].name);
        if (r >= 0)
                r = strv_join(STRV(names), ", ", &joined);
        if (r < 0)
                return r;

        const char *near = names ? text_nearest(word, STRV(names)) : NULL;
        return setting_mistake(scan->mistakes, "Unknown verb \"%s\"%s%s%s (possible: %s)", word,
                               near ? ", did you mean \"" : "", near ?: "", near ? "\"?" : "", joined);
}

static int take_rest(ArgumentScan *scan) {
        if (scan->next < scan->argc && text_equal(scan->argv[scan->next], "--"))
                scan->next++;

        while (scan->next < scan->argc) {
                const int r = strv_append(&scan->arguments.rest, scan->argv[scan->next++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_word(ArgumentScan *scan, const char *word) {
        const SettingVerb *given = scan->arguments.verb, *verb = find_verb(scan, word);

        if (given && given->metavar)
                return strv_append(&scan->arguments.rest, word);
        if (given && verb)
                return setting_mistake(scan->mistakes,
                                       "Two verbs, \"%s\" and \"%s\": only one can be done at a time",
                                       given->name, verb->name);
        if (given)
                return setting_mistake(scan->mistakes,
                                       "The verb \"%s\" takes no further words, but \"%s\" is one",
                                       given->name, word);
        if (!verb)
                return scan->may_be_value ? 0 : explain_unknown_verb(scan, word);

        scan->arguments.verb = verb;
        return verb->takes_rest ? take_rest(scan) : 0;
}

int setting_load_arguments(SettingStore *store, const SettingVerb *verbs, size_t n_verbs, int argc,
                           char *const argv[], SettingArguments *ret, SettingMistakes *mistakes) {
        _cleanup_(argument_scan_done) ArgumentScan scan = {
                .store = store,
                .verbs = verbs,
                .n_verbs = n_verbs,
                .argc = argc,
                .argv = argv,
                .next = 1,
                .mistakes = mistakes,
        };

        while (scan.next < argc) {
                const char *word = argv[scan.next++];
                int r = 0;

                if (scan.options_over || word[0] != '-' || word[1] == '\0') {
                        r = load_word(&scan, word);
                        scan.may_be_value = false;
                } else if (text_equal(word, "--"))
                        scan.options_over = true;
                else if (word[1] == '-')
                        r = load_long_option(&scan, word);
                else
                        r = load_letters(&scan, word);
                if (r < 0)
                        return r;
        }

        *ret = scan.arguments;
        scan.arguments = (SettingArguments){};
        return 0;
}
