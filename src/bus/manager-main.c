/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "bus/bus.h"

#define EXIT_USAGE 2

static const char help[] =
        "Usage: mkosi-manager [OPTIONS…]\n"
        "\n"
        "Runs services as unit files describe them, and keeps watch over them.\n"
        "\n"
        "  --runtime-directory=DIR  what is known about services that run, the socket for\n"
        "                           clients, the log (/run/mkosi)\n"
        "  --config-directory=DIR   system.conf, and what was changed by set-property\n"
        "                           (/etc/mkosi)\n"
        "  --unit-path=DIR          a directory with units in place of the usual ones; may\n"
        "                           be given again, the first has precedence\n"
        "  --root=DIR               the usual directories of units are below this one (/)\n"
        "  --cgroup=PATH            the cgroup that services are in, as a path in the\n"
        "                           hierarchy of version 2 (mkosi.slice, or the own one if\n"
        "                           that was delegated)\n"
        "  --helper=PATH            the program that sets up processes of services\n"
        "  --bus=PATH               a further socket for clients, such as the one that\n"
        "                           systemctl looks for, /run/systemd/private\n"
        "  --debug                  say more on standard error\n"
        "  --help                   this text\n"
        "  --version                which version this is\n"
        "\n"
        "Services go on when the manager ends, however that happens; one that is started\n"
        "again finds them. SIGHUP makes it read all files anew.\n";

typedef struct MainOptions {
        ManagerOptions manager;
        char **unit_paths, **sockets;
        const char *runtime, *config;
        bool debug;
        int exit_status; /* -1: go on */
} MainOptions;

enum {
        OPTION_RUNTIME = 256,
        OPTION_CONFIG,
        OPTION_UNIT_PATH,
        OPTION_ROOT,
        OPTION_CGROUP,
        OPTION_HELPER,
        OPTION_BUS
};

static const struct option long_options[] = {
        { "runtime-directory", required_argument, NULL, OPTION_RUNTIME },
        { "config-directory", required_argument, NULL, OPTION_CONFIG },
        { "unit-path", required_argument, NULL, OPTION_UNIT_PATH },
        { "root", required_argument, NULL, OPTION_ROOT },
        { "cgroup", required_argument, NULL, OPTION_CGROUP },
        { "helper", required_argument, NULL, OPTION_HELPER },
        { "bus", required_argument, NULL, OPTION_BUS },
        { "debug", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        {},
};

static int take_option(int option, MainOptions *options) {
        switch (option) {
        case OPTION_RUNTIME:
                options->runtime = optarg;
                return 0;
        case OPTION_CONFIG:
                options->config = optarg;
                return 0;
        case OPTION_UNIT_PATH:
                return strv_append(&options->unit_paths, optarg);
        case OPTION_ROOT:
                options->manager.root = optarg;
                return 0;
        case OPTION_CGROUP:
                options->manager.cgroup = optarg;
                return 0;
        case OPTION_HELPER:
                options->manager.helper = optarg;
                return 0;
        case OPTION_BUS:
                return strv_append(&options->sockets, optarg);
        case 'd':
                options->debug = true;
                log_set_level(LOG_LEVEL_DEBUG);
                return 0;
        case 'h':
                (void)fputs(help, stdout);
                options->exit_status = EXIT_SUCCESS;
                return 0;
        case 'V':
                (void)puts("mkosi-manager " MKOSI_VERSION);
                options->exit_status = EXIT_SUCCESS;
                return 0;
        default:
                (void)fputs("Try \"mkosi-manager --help\"\n", stderr);
                options->exit_status = EXIT_USAGE;
                return 0;
        }
}

static int read_options(int argc, char *argv[], MainOptions *options) {
        int option;

        options->exit_status = -1;
        while (options->exit_status < 0 && (option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
                const int r = take_option(option, options);
                if (r < 0)
                        return r;
        }
        if (options->exit_status < 0 && optind < argc) {
                (void)fprintf(stderr, "mkosi-manager takes no words: \"%s\"\n", argv[optind]);
                options->exit_status = EXIT_USAGE;
        }
        options->manager.unit_paths = STRV(options->unit_paths);
        return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = manager_reload(userdata, &reason);
        if (r < 0)
                log_warning("Cannot read unit files anew: %s", reason_text(&reason, r));
        return 0;
}

typedef struct SignalRow {
        int signal;
        sd_event_signal_handler_t handler;
} SignalRow;

static const SignalRow signals[] = {
        { SIGTERM, on_end },
        { SIGINT, on_end },
        { SIGHUP, on_reload },
};

static int prepare_process(sd_event *event, Manager *manager) {
        int r = manager_take_process(manager, event);
        if (r < 0)
                return log_error(r, "Cannot become the parent of services: %m");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(signals); i++)
                r = sd_event_add_signal(event, NULL, signals[i].signal | SD_EVENT_SIGNAL_PROCMASK,
                                        signals[i].handler, manager);
        return r < 0 ? log_error(r, "Cannot wait for signals: %m") : 0;
}

/* On the socket below the runtime directory, and on those that were asked for. */
static int listen_everywhere(BusServer *server, const MainOptions *options, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        int r = text_format(&path, "%s/private", options->manager.paths.runtime);
        if (r >= 0)
                r = bus_server_listen(server, path, reason);
        for (char **more = options->sockets; r >= 0 && more && *more; more++)
                r = bus_server_listen(server, *more, reason);
        return r;
}

/* What syslog(3) counts finer is one here. */
static void set_log_level(int level) {
        if (level >= 0)
                log_set_level(level <= LOG_ERR       ? LOG_LEVEL_ERROR
                              : level <= LOG_WARNING ? LOG_LEVEL_WARNING
                              : level <= LOG_INFO    ? LOG_LEVEL_INFO
                                                     : LOG_LEVEL_DEBUG);
}

static int serve(const MainOptions *options) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_(bus_server_freep) BusServer *server = NULL;

        int r = sd_event_new(&event);
        if (r < 0)
                return log_error(r, "Cannot make an event loop: %m");
        r = manager_new(event, &options->manager, &manager, &reason);
        if (r < 0)
                return log_error(r, "Cannot start the manager: %s", reason_text(&reason, r));
        if (!options->debug)
                set_log_level(manager_log_level(manager));
        r = prepare_process(event, manager);
        if (r < 0)
                return r;
        r = manager_adopt(manager, &reason);
        if (r < 0)
                return log_error(r, "Cannot start the manager: %s", reason_text(&reason, r));
        r = bus_server_new(manager, event, NULL, NULL, &server);
        if (r >= 0)
                r = listen_everywhere(server, options, &reason);
        if (r < 0)
                return log_error(r, "Cannot serve clients: %s", reason_text(&reason, r));
        (void)sd_notify(0, "READY=1");
        r = sd_event_loop(event);
        (void)sd_notify(0, "STOPPING=1");
        return r < 0 ? log_error(r, "The event loop failed: %m") : 0;
}

int main(int argc, char *argv[]) {
        MainOptions options = {};

        log_set_name("mkosi-manager");
        int r = fd_fill_standard();
        if (r >= 0)
                r = read_options(argc, argv, &options);
        if (r >= 0 && options.exit_status < 0) {
                r = runtime_paths_new(options.runtime, options.config, &options.manager.paths);
                if (r >= 0)
                        r = serve(&options);
                runtime_paths_done(&options.manager.paths);
        }
        strv_free(options.unit_paths);
        strv_free(options.sockets);
        return options.exit_status >= 0 ? options.exit_status : r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
