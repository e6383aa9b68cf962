/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "client/bus-client.h"
#include "client/ctl-options.h"
#include "setting/describe.h"
#include "unit/runtime-paths.h"
#include "unit/unit-name.h"

/* `mkosi-ctl`: looks at the manager and at units, and changes them, as systemctl(1) and journalctl(1) do. */

/* What shells propose behind verbs. */
#define NAMES_ALONE " --quiet 2>/dev/null | cut -d\\  -f1"
#define KNOWN_UNITS "mkosi-ctl list-units --all" NAMES_ALONE
#define UNIT_FILES  "mkosi-ctl list-unit-files" NAMES_ALONE
#define SHELLS      "printf %s\\\\n bash zsh fish"

#define JOB_OPTIONS  "no-block job-mode"
#define FILE_OPTIONS "root unit-path"

enum {
        VERB_START,
        VERB_STOP,
        VERB_RESTART,
        VERB_TRY_RESTART,
        VERB_RELOAD,
        VERB_KILL,
        VERB_STATUS,
        VERB_SHOW,
        VERB_IS_ACTIVE,
        VERB_IS_FAILED,
        VERB_LIST_UNITS,
        VERB_LIST_JOBS,
        VERB_CANCEL,
        VERB_SET_PROPERTY,
        VERB_RESET_FAILED,
        VERB_DAEMON_RELOAD,
        VERB_CAT,
        VERB_ENABLE,
        VERB_DISABLE,
        VERB_MASK,
        VERB_UNMASK,
        VERB_IS_ENABLED,
        VERB_LIST_UNIT_FILES,
        VERB_LOG,
        VERB_COMPLETION,
};

/* clang-format off */
static const SettingVerb words[] = {
        [VERB_START]            = { "start",         "UNIT ...",     .help = "start units", .list_command = UNIT_FILES },
        [VERB_STOP]             = { "stop",          "UNIT ...",     .help = "stop units", .list_command = KNOWN_UNITS },
        [VERB_RESTART]          = { "restart",       "UNIT ...",     .help = "stop units and start them", .list_command = KNOWN_UNITS },
        [VERB_TRY_RESTART]      = { "try-restart",   "UNIT ...",     .help = "restart units that run", .list_command = KNOWN_UNITS },
        [VERB_RELOAD]           = { "reload",        "UNIT ...",     .help = "have units read their configuration again", .list_command = KNOWN_UNITS },
        [VERB_KILL]             = { "kill",          "UNIT ...",     .help = "send a signal to the processes of units", .list_command = KNOWN_UNITS },
        [VERB_STATUS]           = { "status",        "UNIT ...",     .help = "show what became of units", .list_command = KNOWN_UNITS },
        [VERB_SHOW]             = { "show",          "UNIT ...",     .help = "show the properties of units", .list_command = KNOWN_UNITS },
        [VERB_IS_ACTIVE]        = { "is-active",     "UNIT ...",     .help = "whether units are active", .list_command = KNOWN_UNITS },
        [VERB_IS_FAILED]        = { "is-failed",     "UNIT ...",     .help = "whether units have failed", .list_command = KNOWN_UNITS },
        [VERB_LIST_UNITS]       = { "list-units",    "[PATTERN ...]", .help = "list the units that are known (the default)", .list_command = KNOWN_UNITS },
        [VERB_LIST_JOBS]        = { "list-jobs",     "[PATTERN ...]", .help = "list what is to be done and not done yet" },
        [VERB_CANCEL]           = { "cancel",        "[JOB ...]",    .help = "take jobs back, or all of them" },
        [VERB_SET_PROPERTY]     = { "set-property",  "UNIT NAME=VALUE ...", .help = "change settings of a unit", .list_command = KNOWN_UNITS },
        [VERB_RESET_FAILED]     = { "reset-failed",  "[UNIT ...]",   .help = "forget that units have failed", .list_command = KNOWN_UNITS },
        [VERB_DAEMON_RELOAD]    = { "daemon-reload", NULL,           .help = "read all unit files again" },
        [VERB_CAT]              = { "cat",           "UNIT ...",     .help = "show the files of units", .list_command = UNIT_FILES },
        [VERB_ENABLE]           = { "enable",        "UNIT ...",     .help = "have units started with what wants them", .list_command = UNIT_FILES },
        [VERB_DISABLE]          = { "disable",       "UNIT ...",     .help = "take that back", .list_command = UNIT_FILES },
        [VERB_MASK]             = { "mask",          "UNIT ...",     .help = "let nothing start units", .list_command = UNIT_FILES },
        [VERB_UNMASK]           = { "unmask",        "UNIT ...",     .help = "take that back", .list_command = UNIT_FILES },
        [VERB_IS_ENABLED]       = { "is-enabled",    "UNIT ...",     .help = "whether units are enabled", .list_command = UNIT_FILES },
        [VERB_LIST_UNIT_FILES]  = { "list-unit-files", "[PATTERN ...]", .help = "list the files of units, and what starts them", .list_command = UNIT_FILES },
        [VERB_LOG]              = { "log",           "[FIELD=VALUE ...]", .help = "show the log" },
        [VERB_COMPLETION]       = { "completion",    "SHELL",        .help = "print completion for bash, zsh or fish", .list_command = SHELLS },
};

static const CtlVerb verbs[] = {
        [VERB_START]            = { 1, CTL_UNITS,   JOB_OPTIONS, ctl_start },
        [VERB_STOP]             = { 1, CTL_UNITS,   JOB_OPTIONS, ctl_stop },
        [VERB_RESTART]          = { 1, CTL_UNITS,   JOB_OPTIONS, ctl_restart },
        [VERB_TRY_RESTART]      = { 1, CTL_UNITS,   JOB_OPTIONS, ctl_try_restart },
        [VERB_RELOAD]           = { 1, CTL_UNITS,   JOB_OPTIONS, ctl_reload },
        [VERB_KILL]             = { 1, CTL_UNITS,   "signal kill-who", ctl_kill },
        [VERB_STATUS]           = { 1, CTL_UNITS,   "lines output json", ctl_status },
        [VERB_SHOW]             = { 1, CTL_UNITS,   "property value all json", ctl_show },
        [VERB_IS_ACTIVE]        = { 1, CTL_UNITS,   "", ctl_is_active },
        [VERB_IS_FAILED]        = { 1, CTL_UNITS,   "", ctl_is_failed },
        [VERB_LIST_UNITS]       = { 0, CTL_ONLINE,  "all failed state type json", ctl_list_units },
        [VERB_LIST_JOBS]        = { 0, CTL_ONLINE,  "json", ctl_list_jobs },
        [VERB_CANCEL]           = { 0, CTL_ONLINE,  "", ctl_cancel },
        [VERB_SET_PROPERTY]     = { 2, CTL_ONLINE,  "runtime", ctl_set_property },
        [VERB_RESET_FAILED]     = { 0, CTL_UNITS,   "", ctl_reset_failed },
        [VERB_DAEMON_RELOAD]    = { 0, CTL_ONLINE,  "", ctl_daemon_reload },
        [VERB_CAT]              = { 1, CTL_OFFLINE, FILE_OPTIONS, ctl_cat },
        [VERB_ENABLE]           = { 1, CTL_OFFLINE, FILE_OPTIONS " now runtime force no-block", ctl_enable },
        [VERB_DISABLE]          = { 1, CTL_OFFLINE, FILE_OPTIONS " now runtime no-block", ctl_disable },
        [VERB_MASK]             = { 1, CTL_OFFLINE, FILE_OPTIONS " now runtime force no-block", ctl_mask },
        [VERB_UNMASK]           = { 1, CTL_OFFLINE, FILE_OPTIONS " runtime", ctl_unmask },
        [VERB_LIST_UNIT_FILES]  = { 0, CTL_OFFLINE, FILE_OPTIONS " state type json", ctl_list_unit_files },
        [VERB_IS_ENABLED]       = { 1, CTL_OFFLINE, FILE_OPTIONS, ctl_is_enabled },
        [VERB_LOG]              = { 0, CTL_OFFLINE, "unit lines output json follow reverse priority since until boot", ctl_log },
        [VERB_COMPLETION]       = { 1, CTL_OFFLINE, "", ctl_completion },
};
/* clang-format on */

static_assert(ELEMENTSOF(words) == ELEMENTSOF(verbs), "Every word needs its verb");

static const SettingProgram program = {
        .name = "mkosi-ctl",
        .version = MKOSI_VERSION,
        .purpose = "Look at services, start and stop them.",
        .verbs = words,
        .n_verbs = ELEMENTSOF(words),
        .table = &ctl_option_table,
};

int ctl_completion(const CtlOptions *options, sd_bus *bus, char *const *shell) {
        return shell[1] || describe_completion(&program, shell[0], stdout) < 0
                       ? log_error(-EINVAL,
                                   "The verb completion takes the name of a shell: bash, zsh or fish")
                       : 0;
}

/* A unit that is asked for may be one that mkosi-run runs by itself. */
static int no_manager(const CtlOptions *options, int r, char *const *units) {
        for (; *units; units++) {
                _cleanup_(freep) char *name = NULL, *path = NULL;

                if (unit_name_complete(*units, &name) < 0 ||
                    text_format(&path, "%s/units/%s/state", options->runtime ?: RUNTIME_DIRECTORY, name) <
                            0 ||
                    access(path, F_OK) < 0)
                        continue;
                return log_error(
                        r,
                        "No manager runs, but %s does, without one; mkosi-manager takes it over when it "
                        "is started, unless somebody waits for it",
                        name);
        }
        return log_error(r, "No manager runs: start mkosi-manager");
}

static char *const nothing[] = { NULL };

/* Appends the names of those units that are known and fit. */
static int find_units(sd_bus *bus, const char *pattern, char ***units) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        bool any = false;

        int r = bus_client_call(bus, "ListUnitsByPatterns", &reply, "asas", 0, 1, pattern);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "ssssssouso")) > 0) {
                const char *name;

                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0 && !strv_contains(STRV(*units), name))
                        r = strv_append(units, name);
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "sssssouso");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                any = true;
        }
        if (r >= 0 && !any)
                log_warning("No unit that is known is called like \"%s\"", pattern);
        return r;
}

/* What no name has, no pattern has either. */
static bool is_pattern(const char *word) {
        for (const char *at = word; *at; at++)
                if ((unsigned char)*at <= ' ' || *at == 0x7f)
                        return false;
        return strpbrk(word, "*?[");
}

/* The units that are meant: names are completed, patterns are replaced by what they fit. */
static int expand(sd_bus *bus, char *const *rest, char ***ret) {
        _cleanup_(strv_freep) char **units = NULL;
        int r = 0;

        for (; r >= 0 && *rest; rest++) {
                char *name;

                if (is_pattern(*rest)) {
                        r = find_units(bus, *rest, &units);
                        continue;
                }
                r = unit_name_complete(*rest, &name);
                if (r == -EINVAL)
                        return log_error(r, "\"%s\" is no name of a unit", *rest);
                if (r >= 0)
                        r = strv_take(&units, name);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(units);
        return 0;
}

static int run_verb(const CtlOptions *options, size_t number, char *const *rest) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(strv_freep) char **units = NULL;
        const CtlVerb *const verb = &verbs[number];

        if (strv_length(STRV(rest)) < verb->n_min)
                return log_error(-EINVAL, "%s: say which", words[number].name);
        if (verb->kind != CTL_OFFLINE) {
                const int r = bus_client_connect(options->runtime, &bus);
                if (r == -ENOENT || r == -ECONNREFUSED)
                        return no_manager(options, r, rest);
                if (r < 0)
                        return log_error(r, "Cannot reach the manager: %m");
        }
        if (verb->kind != CTL_UNITS)
                return verb->run(options, bus, rest);
        const int r = expand(bus, rest, &units);
        if (r < 0)
                return r;
        /* Nothing that there is was meant; without words all would be. */
        if (rest[0] && !units && number != VERB_IS_ACTIVE && number != VERB_IS_FAILED)
                return 0;
        return verb->run(options, bus, units ?: (char **)nothing);
}

static int report_mistakes(const SettingMistakes *mistakes) {
        int r = 0;

        for (char *const *text = mistakes->texts; text && *text; text++)
                r = log_error(-EINVAL, "%s", *text);
        return r;
}

static int run(CtlOptions *options, const SettingStore *store, const SettingArguments *arguments) {
        static const CtlVerbs all = { words, verbs, ELEMENTSOF(verbs) };
        const size_t verb = arguments->verb ? (size_t)(arguments->verb - words) : VERB_LIST_UNITS;

        if (options->help) {
                describe_help(&program, stdout);
                return 0;
        }
        if (options->version) {
                (void)puts("mkosi " MKOSI_VERSION);
                return 0;
        }
        const int r = ctl_options_check(options, store, &all, verb);
        return r < 0 ? r : run_verb(options, verb, arguments->rest ?: (char **)nothing);
}

static int read_and_run(int argc, char *argv[]) {
        _cleanup_(setting_arguments_done) SettingArguments arguments = {};
        _cleanup_(setting_mistakes_done) SettingMistakes mistakes = {};
        CtlOptions options = {}; /* outlives what fills it */
        _cleanup_(setting_store_freep) SettingStore *store = NULL;

        int r = setting_store_new(&ctl_option_table, &options, &store);
        if (r >= 0)
                r = setting_load_arguments(store, words, ELEMENTSOF(words), argc, argv, &arguments,
                                           &mistakes);
        if (r >= 0)
                r = report_mistakes(&mistakes);
        return r < 0 ? r : run(&options, store, &arguments);
}

int main(int argc, char *argv[]) {
        log_set_name("mkosi-ctl");
        int r = fd_fill_standard();
        if (r >= 0)
                r = read_and_run(argc, argv);
        if (fflush(stdout) != 0 && r >= 0)
                r = -EIO;
        return r < 0 ? EXIT_FAILURE : r;
}
