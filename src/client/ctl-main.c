/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "client/bus-client.h"
#include "client/ctl.h"
#include "log/log-store.h"
#include "unit/unit-name.h"

/* `mkosi-ctl`: looks at the manager and at units, and changes them, as systemctl(1) and journalctl(1) do. */

static const CtlVerb verbs[] = {
        { "start", 1, UINT_MAX, false, ctl_start, "Start units" },
        { "stop", 1, UINT_MAX, false, ctl_stop, "Stop units" },
        { "restart", 1, UINT_MAX, false, ctl_restart, "Stop units and start them" },
        { "try-restart", 1, UINT_MAX, false, ctl_try_restart, "Restart units that run" },
        { "reload", 1, UINT_MAX, false, ctl_reload, "Have units read their configuration again" },
        { "kill", 1, UINT_MAX, false, ctl_kill, "Send a signal to the processes of units" },
        { "status", 1, UINT_MAX, false, ctl_status, "Show what became of units" },
        { "show", 1, UINT_MAX, false, ctl_show, "Show the properties of units" },
        { "is-active", 1, UINT_MAX, false, ctl_is_active, "Whether units are active" },
        { "is-failed", 1, UINT_MAX, false, ctl_is_failed, "Whether units have failed" },
        { "list-units", 0, UINT_MAX, false, ctl_list_units, "List the units that are known" },
        { "list-jobs", 0, UINT_MAX, false, ctl_list_jobs, "List what is to be done and not done yet" },
        { "cancel", 0, UINT_MAX, false, ctl_cancel, "Take jobs back, or all of them" },
        { "set-property", 2, UINT_MAX, false, ctl_set_property, "Change settings of a unit" },
        { "reset-failed", 0, UINT_MAX, false, ctl_reset_failed, "Forget that units have failed" },
        { "daemon-reload", 0, 0, false, ctl_daemon_reload, "Read all unit files again" },
        { "cat", 1, UINT_MAX, true, ctl_cat, "Show the files of units" },
        { "enable", 1, UINT_MAX, true, ctl_enable, "Have units started with what wants them" },
        { "disable", 1, UINT_MAX, true, ctl_disable, "Take that back" },
        { "is-enabled", 1, UINT_MAX, true, ctl_is_enabled, "Whether units are enabled" },
        { "log", 0, UINT_MAX, true, ctl_log, "Show the log" },
};

enum {
        OPTION_NOW = 256,
        OPTION_RUNTIME,
        OPTION_VALUE,
        OPTION_WHO,
        OPTION_NO_BLOCK,
        OPTION_NO_PAGER,
        OPTION_RUNTIME_DIRECTORY,
        OPTION_ROOT,
        OPTION_UNIT_PATH,
        OPTION_VERSION,
        OPTION_PRIORITY,
        OPTION_FAILED,
        OPTION_STATE,
};

static const struct option options_long[] = {
        { "property", required_argument, NULL, 'p' },
        { "value", no_argument, NULL, OPTION_VALUE },
        { "all", no_argument, NULL, 'a' },
        { "now", no_argument, NULL, OPTION_NOW },
        { "runtime", no_argument, NULL, OPTION_RUNTIME },
        { "force", no_argument, NULL, 'f' },
        { "signal", required_argument, NULL, 's' },
        { "kill-who", required_argument, NULL, OPTION_WHO },
        { "kill-whom", required_argument, NULL, OPTION_WHO },
        { "lines", required_argument, NULL, 'n' },
        { "output", required_argument, NULL, 'o' },
        { "unit", required_argument, NULL, 'u' },
        { "failed", no_argument, NULL, OPTION_FAILED },
        { "state", required_argument, NULL, OPTION_STATE },
        { "type", required_argument, NULL, 't' },
        { "follow", no_argument, NULL, 'F' },
        { "reverse", no_argument, NULL, 'r' },
        { "since", required_argument, NULL, 'S' },
        { "until", required_argument, NULL, 'U' },
        { "priority", required_argument, NULL, OPTION_PRIORITY },
        { "boot", no_argument, NULL, 'b' },
        { "no-block", no_argument, NULL, OPTION_NO_BLOCK },
        { "no-pager", no_argument, NULL, OPTION_NO_PAGER },
        { "quiet", no_argument, NULL, 'q' },
        { "runtime-directory", required_argument, NULL, OPTION_RUNTIME_DIRECTORY },
        { "root", required_argument, NULL, OPTION_ROOT },
        { "unit-path", required_argument, NULL, OPTION_UNIT_PATH },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        {},
};

static void help(void) {
        (void)puts("mkosi-ctl [OPTION…] VERB [WORD…]\n\nVerbs:");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                (void)printf("  %-22s %s\n", verbs[i].name, verbs[i].about);
        (void)puts("\nOptions:\n"
                   "  -p, --property=NAME    show: only this property\n"
                   "      --value            show: without the names\n"
                   "  -a, --all              list-units: also those that are not active\n"
                   "      --failed, --state=STATE, -t, --type=TYPE\n"
                   "                         list-units: only those of such a state or type\n"
                   "      --now              enable, disable: start or stop them as well\n"
                   "      --runtime          set-property, enable: only until the next boot\n"
                   "  -f, --force            enable: replace links that are in the way\n"
                   "  -s, --signal=SIGNAL    kill: the signal (default: SIGTERM)\n"
                   "      --kill-who=WHO     kill: main, control, all\n"
                   "  -n, --lines=N          status, log: how many lines of the log\n"
                   "  -o, --output=FORMAT    status, log: short, short-iso, verbose, export,\n"
                   "                         json, cat\n"
                   "  -u, --unit=UNIT        log: of this unit\n"
                   "  -f, --follow           log: go on with what is said from now on\n"
                   "  -r, --reverse          log: newest first\n"
                   "  -p, --priority=LEVEL   log: only what is so important, or more: err, warning, 4\n"
                   "  -S, --since=TIME, -U, --until=TIME\n"
                   "                         log: of this time: \"2026-11-26 12:30\", today, \"5min ago\"\n"
                   "  -b, --boot             log: only since the machine was started\n"
                   "      --no-pager         Accepted: there is none\n"
                   "      --no-block         Do not wait until it is done\n"
                   "  -q, --quiet            Say nothing that is no error\n"
                   "      --runtime-directory=PATH\n"
                   "                         Where the manager is (default: /run/mkosi)\n"
                   "      --root=PATH        Unit files are below this directory\n"
                   "      --unit-path=PATH   Look for unit files here before the usual places\n"
                   "  -h, --help             Show this\n"
                   "      --version          Show the version");
}

static int set_output(CtlOptions *options, const char *text) {
        static const char *const words[LOG_FORMAT_MAX] = { "short", "verbose", "export",
                                                           "json",  "cat",     "short-iso" };

        for (unsigned i = 0; i < LOG_FORMAT_MAX; i++)
                if (text_equal(words[i], text)) {
                        options->output = i;
                        return 0;
                }
        return log_error(-EINVAL, "--output=%s: say short, short-iso, verbose, export, json or cat", text);
}

static int set_lines(CtlOptions *options, const char *text) {
        uint64_t lines;

        if (text_equal(text, "all")) {
                options->lines = UINT_MAX - 1;
                return 0;
        }
        if (parse_uint64(text, &lines) < 0 || lines >= UINT_MAX - 1)
                return log_error(-EINVAL, "--lines=%s is no number", text);
        options->lines = (unsigned)lines;
        return 0;
}

static int set_flag(bool *flag) {
        *flag = true;
        return 0;
}

static int set_text(const char **text, const char *value) {
        *text = value;
        return 0;
}

/* Those that are about the log alone. */
static int take_log_option(CtlOptions *options, int option, const char *value) {
        switch (option) {
        case 'F':
                return set_flag(&options->follow);
        case 'r':
                return set_flag(&options->reverse);
        case 'b':
                return set_flag(&options->boot);
        case 'S':
                return set_text(&options->since, value);
        case 'U':
                return set_text(&options->until, value);
        case OPTION_PRIORITY:
                return set_text(&options->priority, value);
        default:
                return -EINVAL; /* getopt_long() has said why */
        }
}

static int take_option(CtlOptions *options, int option, const char *value) {
        switch (option) {
        case 'p':
                return strv_append(&options->properties, value);
        case 'u':
                return strv_append(&options->units, value);
        case OPTION_FAILED:
                return strv_append(&options->states, "failed");
        case OPTION_STATE:
                return strv_append(&options->states, value);
        case 't':
                return strv_append(&options->types, value);
        case OPTION_UNIT_PATH:
                return strv_append(&options->unit_paths, value);
        case OPTION_VALUE:
                return set_flag(&options->value_only);
        case 'a':
                return set_flag(&options->all);
        case OPTION_NOW:
                return set_flag(&options->now);
        case OPTION_RUNTIME:
                return set_flag(&options->runtime_only);
        case 'f': /* which of both, the verb tells */
                options->follow = true;
                return set_flag(&options->force);
        case 'q':
                return set_flag(&options->quiet);
        case OPTION_NO_BLOCK:
                return set_flag(&options->no_block);
        case 'h':
                return set_flag(&options->help);
        case OPTION_VERSION:
                return set_flag(&options->version);
        case 's':
                return set_text(&options->signal, value);
        case OPTION_WHO:
                return set_text(&options->who, value);
        case OPTION_RUNTIME_DIRECTORY:
                return set_text(&options->runtime, value);
        case OPTION_ROOT:
                return set_text(&options->root, value);
        case 'n':
                return set_lines(options, value);
        case 'o':
                return set_output(options, value);
        case OPTION_NO_PAGER:
                return 0; /* there is none: for those who are used to say it */
        default:
                return take_log_option(options, option, value);
        }
}

static const CtlVerb *find_verb(const char *name) {
        const char *words[ELEMENTSOF(verbs) + 1] = {};
        const char *nearest;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                if (text_equal(verbs[i].name, name))
                        return &verbs[i];
                words[i] = verbs[i].name;
        }
        nearest = text_nearest(name, words);
        (void)log_error(-EINVAL,
                        nearest ? "Unknown verb %s: did you mean %s?" : "Unknown verb %s: see --help%s", name,
                        nearest ?: "");
        return NULL;
}

/* A unit that is asked for may be one that mkosi-run runs by itself. */
static int no_manager(const CtlOptions *options, int r, char *const *units) {
        for (; *units; units++) {
                _cleanup_(freep) char *name = NULL, *path = NULL;

                if (unit_name_complete(*units, &name) < 0 ||
                    text_format(&path, "%s/units/%s/state", options->runtime ?: SERVICE_RUNTIME_DIRECTORY,
                                name) < 0 ||
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

static int run_verb(const CtlOptions *options, char *const *words) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const CtlVerb *verb;
        unsigned n = 0;

        verb = find_verb(words[0]);
        if (!verb)
                return -EINVAL;
        while (words[n + 1])
                n++;
        if (n < verb->n_min || n > verb->n_max)
                return log_error(-EINVAL, n < verb->n_min ? "%s: say which" : "%s takes no words",
                                 verb->name);
        if (!verb->offline) {
                const int r = bus_client_connect(options->runtime, &bus);
                if (r == -ENOENT || r == -ECONNREFUSED)
                        return no_manager(options, r, words + 1);
                if (r < 0)
                        return log_error(r, "Cannot reach the manager: %m");
        }
        return verb->run(options, bus, words + 1);
}

static void options_done(CtlOptions *options) {
        strv_free(options->properties);
        strv_free(options->units);
        strv_free(options->states);
        strv_free(options->types);
        strv_free(options->unit_paths);
}

static int run(int argc, char *argv[], CtlOptions *options) {
        static const char *const list_units[] = { "list-units", NULL };
        int option, r = 0;

        while (r >= 0 &&
               (option = getopt_long(argc, argv, "p:u:afqs:n:o:hrS:U:bt:", options_long, NULL)) >= 0)
                r = take_option(options, option, optarg);
        if (r < 0)
                return r;
        if (options->help) {
                help();
                return 0;
        }
        if (options->version) {
                (void)puts("mkosi " MKOSI_VERSION);
                return 0;
        }
        return run_verb(options, argv[optind] ? argv + optind : (char *const *)list_units);
}

int main(int argc, char *argv[]) {
        CtlOptions options = { .lines = UINT_MAX };

        log_set_name("mkosi-ctl");
        int r = fd_fill_standard();
        if (r >= 0)
                r = run(argc, argv, &options);
        options_done(&options);
        if (fflush(stdout) != 0 && r >= 0)
                r = -EIO;
        return r < 0 ? EXIT_FAILURE : r;
}
