/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "client/ctl-options.h"
#include "log/log-store.h"
#include "unit/runtime-paths.h"

static const char *const format_words[LOG_FORMAT_MAX + 1] = { "short", "verbose", "export",
                                                              "json",  "cat",     "short-iso" };
static const char *const whom_words[] = { "all", "main", "control", NULL };
static const char *const old_whom[] = { "kill-whom", NULL };

/* clang-format off */
static const Setting rows[] = {
        { .option = "property", .letter = 'p', SETTING_MEMBER(CtlOptions, properties, list), .metavar = "NAME,...",
          .help = "show: only these properties" },
        { .option = "value", SETTING_MEMBER(CtlOptions, value_only, bool),
          .help = "show: without the names" },
        { .option = "json", SETTING_MEMBER(CtlOptions, json, bool),
          .help = "print JSON, for programs" },
        { .option = "all", .letter = 'a', SETTING_MEMBER(CtlOptions, all, bool),
          .help = "list-units: also those that are not active" },
        { .option = "failed", SETTING_MEMBER(CtlOptions, failed, bool),
          .help = "list-units: only those that have failed" },
        { .option = "state", SETTING_MEMBER(CtlOptions, states, list), .metavar = "STATE,...",
          .help = "list-units, list-unit-files: only those in one of these states" },
        { .option = "type", .letter = 't', SETTING_MEMBER(CtlOptions, types, list), .metavar = "TYPE,...",
          .help = "list-units, list-unit-files: only those of one of these types" },
        { .option = "now", SETTING_MEMBER(CtlOptions, now, bool),
          .help = "enable, disable, mask: start or stop them as well" },
        { .option = "runtime", SETTING_MEMBER(CtlOptions, runtime_only, bool),
          .help = "set-property, enable, mask: only until the next boot" },
        { .option = "force", .letter = 'f', SETTING_MEMBER(CtlOptions, force, bool),
          .help = "enable, mask: replace links that are in the way" },
        { .option = "signal", .letter = 's', SETTING_MEMBER(CtlOptions, signal, text), .metavar = "SIGNAL",
          .help = "kill: the signal (default: SIGTERM)" },
        { .option = "kill-who", .old_options = old_whom, SETTING_MEMBER(CtlOptions, whom, enum), .words = whom_words, .metavar = "WHO",
          .help = "kill: main, control, or all processes" },
        { .option = "lines", .letter = 'n', SETTING_MEMBER(CtlOptions, lines_text, text), .metavar = "N",
          .help = "status, log: how many lines of the log, or all" },
        { .option = "output", .letter = 'o', SETTING_MEMBER(CtlOptions, output, enum), .words = format_words, .metavar = "FORMAT",
          .help = "status, log: short, short-iso, verbose, export, json, cat" },
        { .option = "unit", .letter = 'u', SETTING_MEMBER(CtlOptions, units, list), .metavar = "UNIT",
          .help = "log: of this unit" },
        { .option = "follow", SETTING_MEMBER(CtlOptions, follow, bool),
          .help = "log: go on with what is said from now on; there also -f" },
        { .option = "reverse", .letter = 'r', SETTING_MEMBER(CtlOptions, reverse, bool),
          .help = "log: newest first" },
        { .option = "priority", SETTING_MEMBER(CtlOptions, priority, text), .metavar = "LEVEL",
          .help = "log: only what is so important, or more: err, warning, 4; there also -p" },
        { .option = "since", .letter = 'S', SETTING_MEMBER(CtlOptions, since, text), .metavar = "TIME",
          .help = "log: from then on: \"2026-11-26 12:30\", today, \"5min ago\"" },
        { .option = "until", .letter = 'U', SETTING_MEMBER(CtlOptions, until, text), .metavar = "TIME",
          .help = "log: up to then" },
        { .option = "boot", .letter = 'b', SETTING_MEMBER(CtlOptions, boot, bool),
          .help = "log: only since the machine was started" },
        { .option = "no-pager", SETTING_MEMBER(CtlOptions, no_pager, bool),
          .help = "accepted: there is none" },
        { .option = "no-block", SETTING_MEMBER(CtlOptions, no_block, bool),
          .help = "do not wait until it is done" },
        { .option = "job-mode", SETTING_MEMBER(CtlOptions, job_mode, text), .metavar = "MODE",
          .help = "start and the like: replace, fail, ignore-requirements, ignore-dependencies" },
        { .option = "quiet", .letter = 'q', SETTING_MEMBER(CtlOptions, quiet, bool),
          .help = "say nothing that is no error" },
        { .option = "runtime-directory", SETTING_MEMBER(CtlOptions, runtime, path), .metavar = "PATH",
          .help = "where the manager is (default: /run/mkosi)" },
        { .option = "root", SETTING_MEMBER(CtlOptions, root, path), .metavar = "PATH",
          .help = "unit files are below this directory" },
        { .option = "unit-path", SETTING_MEMBER(CtlOptions, unit_paths, path_list), .metavar = "PATH",
          .help = "look for unit files here before the usual places" },
        { .option = "help", .letter = 'h', SETTING_MEMBER(CtlOptions, help, bool),
          .help = "show this" },
        { .option = "version", SETTING_MEMBER(CtlOptions, version, bool),
          .help = "show the version" },
};
/* clang-format on */

const SettingTable ctl_option_table = { .rows = rows, .n_rows = ELEMENTSOF(rows) };

static const char *const common[] = { "no-pager", "quiet", "runtime-directory", "help", "version", NULL };

/* Among the words that have blanks between them. */
static bool has_word(const char *words, const char *word) {
        const size_t length = strlen(word);

        for (const char *at = words; at && *at; at += strspn(at, " ")) {
                if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
                        return true;
                at += strcspn(at, " ");
        }
        return false;
}

static int refuse(const SettingOrigin *origin, const Setting *row, const CtlVerbs *verbs, size_t verb) {
        _cleanup_(strv_freep) char **others = NULL;
        _cleanup_(freep) char *text = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < verbs->n_items; i++)
                if (has_word(verbs->items[i].options, row->option))
                        r = strv_append(&others, verbs->words[i].name);
        if (r >= 0)
                r = strv_join(STRV(others), ", ", &text);
        return r < 0 ? r
                     : log_error(-EINVAL, "%s means nothing to the verb %s: it is for %s", origin->file,
                                 verbs->words[verb].name, text);
}

/* What one letter means depends on the verb, as with systemctl(1) and journalctl(1). */
static int take_letters(CtlOptions *options, const SettingStore *store, const CtlVerb *verb) {
        const Setting *const force = setting_find(&ctl_option_table, offsetof(CtlOptions, force)),
                             *const property =
                                     setting_find(&ctl_option_table, offsetof(CtlOptions, properties));
        const SettingOrigins *const forced = setting_origins(store, force), *const said =
                                                                                    setting_origins(store,
                                                                                                    property);

        if (!has_word(verb->options, "follow"))
                return 0;
        if (options->force && text_equal(forced->items[0].file, "-f")) {
                options->force = false;
                options->follow = true;
        }
        if (options->properties && text_equal(said->items[0].file, "-p")) {
                const size_t n = strv_length(STRV(options->properties));
                const int r = text_replace(&options->priority, options->properties[n - 1]);
                if (r < 0)
                        return r;
                strv_free(options->properties);
                options->properties = NULL;
        }
        return 0;
}

static bool is_said(const SettingStore *store, const Setting *row, const CtlOptions *options) {
        if (row->offset == offsetof(CtlOptions, force))
                return options->force;
        if (row->offset == offsetof(CtlOptions, properties))
                return options->properties;
        return setting_source(store, row) == SETTING_COMMAND_LINE;
}

int ctl_options_check(CtlOptions *options, const SettingStore *store, const CtlVerbs *verbs, size_t verb) {
        const CtlVerb *const item = &verbs->items[verb];
        uint64_t lines;

        int r = take_letters(options, store, item);
        for (const Setting *row = rows; r >= 0 && row < rows + ELEMENTSOF(rows); row++)
                if (is_said(store, row, options) && !strv_contains(common, row->option) &&
                    !has_word(item->options, row->option))
                        r = refuse(&setting_origins(store, row)->items[0], row, verbs, verb);
        if (r < 0)
                return r;
        if (options->failed)
                r = strv_append(&options->states, "failed");
        options->lines = UINT_MAX;
        if (!options->lines_text)
                return r;
        if (text_equal(options->lines_text, "all"))
                options->lines = UINT_MAX - 1;
        else if (parse_uint64(options->lines_text, &lines) < 0 || lines >= UINT_MAX - 1)
                return log_error(-EINVAL, "--lines=%s is no number", options->lines_text);
        else
                options->lines = (unsigned)lines;
        return r;
}

const char *ctl_options_whom(const CtlOptions *options) {
        return whom_words[options->whom];
}
