/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "bus/bus-internal.h"
#include "client/bus-client.h"
#include "client/pty-forward.h"
#include "client/run-alone.h"
#include "client/run-detach.h"
#include "client/run-options.h"
#include "manager/accounting.h"

/* `mkosi-run`: a transient service, as systemd-run(1) makes one. */

typedef struct Run {
        const RunOptions *options;
        sd_event *event;
        sd_bus *bus;
        char *name, *path, *job;
        bool job_done, job_failed;
        int detach_fd; /* of run-detach.h; -EBADF: this is no process of its own */
        int master_fd, terminal_fd;
        char *terminal;
        PtyForward *forward;
        RemoteUnit unit; /* as it was when it ended */
        bool ended;
        bool alone;    /* the manager is our own child */
        bool orphaned; /* the manager is gone, and what it has started has the terminal still */
} Run;

static void run_done(Run *run) {
        pty_forward_free(run->forward);
        (void)fd_close(run->master_fd);
        (void)fd_close(run->terminal_fd);
        free(run->terminal);
        free(run->name);
        free(run->path);
        free(run->job);
        remote_unit_done(&run->unit);
        sd_bus_flush_close_unref(run->bus);
        sd_event_unref(run->event);
}

static bool stays(const RunOptions *options) {
        return options->wait || options->pty || options->pipe;
}

/* A number that nobody is likely to have, where the process's own is taken. */
static int make_name(Run *run, bool again) {
        uint32_t number = (uint32_t)getpid();

        if (run->options->unit)
                return text_copy(run->options->unit, &run->name);
        if (again && getrandom(&number, sizeof(number), 0) != sizeof(number))
                return -errno;
        free(TAKE_PTR(run->name));
        return text_format(&run->name, "run-u%u.service", number);
}

static int start_alone(Run *run) {
        const RunOptions *options = run->options;
        _cleanup_(reason_done) Reason reason = {};
        int fd;

        run->alone = true;
        int r = run_alone_start(&(RunAlone){ .runtime = options->runtime,
                                             .helper = options->helper,
                                             .stop_with_client = stays(options) },
                                &fd, &reason);
        if (r >= 0)
                r = bus_client_connect_fd(fd, &run->bus);
        return r < 0 ? log_error(r, "Cannot run a service without a manager: %s", reason_text(&reason, r))
                     : 0;
}

static int connect_manager(Run *run) {
        const int r = bus_client_connect(run->options->runtime, &run->bus);
        if (r >= 0)
                return 0;
        const bool nobody = r == -ENOENT || r == -ECONNREFUSED;
        if (geteuid() != 0 && (nobody || r == -EACCES || r == -EPERM))
                return log_error(-EPERM, "Only root runs services: say \"sudo mkosi-run …\", or become root");
        return nobody ? start_alone(run) : log_error(r, "Cannot reach the manager: %m");
}

static int append_settings(sd_bus_message *message, const Run *run) {
        _cleanup_(strv_freep) char **settings = NULL;

        int r = run_options_unit(run->options, run->terminal, &settings);
        for (char **setting = settings; r >= 0 && setting && *setting; setting++) {
                char *value = strchr(*setting, '=');

                *value++ = '\0';
                r = sd_bus_message_append(message, "(sv)", *setting, "s", value);
        }
        return r;
}

static int append_descriptors(sd_bus_message *message) {
        static const char *const names[] = { "StandardInputFileDescriptor", "StandardOutputFileDescriptor",
                                             "StandardErrorFileDescriptor" };
        int r = 0;

        for (int fd = 0; r >= 0 && fd < 3; fd++)
                r = sd_bus_message_append(message, "(sv)", names[fd], "h", fd);
        return r;
}

static int make_message(const Run *run, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        const RunOptions *options = run->options;

        int r = sd_bus_message_new_method_call(run->bus, &message, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                               "StartTransientUnit");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", run->name, "fail");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r >= 0)
                r = append_settings(message, run);
        if (r >= 0 && options->pipe)
                r = append_descriptors(message);
        if (r >= 0 && options->collect)
                r = sd_bus_message_append(message, "(sv)", "CollectMode", "s", "inactive-or-failed");
        if (r >= 0 && stays(options))
                r = sd_bus_message_append(message, "(sv)", "AddRef", "b", true);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_append(message, "a(sa(sv))", 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(message);
        return 0;
}

/* 1 when the name that we made up was taken. */
static int try_start(Run *run) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        const char *job;

        int r = bus_unit_path(run->name, &run->path);
        if (r >= 0)
                r = make_message(run, &message);
        if (r < 0)
                return r == -ENOENT ? r : log_error(r, "Cannot describe the service: %m");
        r = sd_bus_call(run->bus, message, 0, &error, &reply);
        if (r < 0 && !run->options->unit && sd_bus_error_has_name(&error, BUS_ERROR_UNIT_EXISTS))
                return 1;
        if (r < 0)
                return log_error(r, "Cannot start %s: %s", run->name, error.message ?: strerror(-r));
        r = sd_bus_message_read(reply, "o", &job);
        return r < 0 ? log_error(r, "Cannot start %s: %m", run->name) : text_copy(job, &run->job);
}

static int start_unit(Run *run) {
        int r = make_name(run, false);

        for (unsigned i = 0; r >= 0 && i < 8; i++) {
                free(TAKE_PTR(run->path));
                r = try_start(run);
                if (r <= 0)
                        return r;
                r = make_name(run, true);
        }
        return r < 0 ? r : log_error(-EEXIST, "Cannot find a name for the service: %m");
}

/* Whether all is over; looked at whenever something has changed. */
static int look(Run *run) {
        RemoteUnit unit;

        if (run->ended || !run->job_done)
                return 0;
        const int r = remote_unit_get(run->bus, run->name, &unit);
        if (r < 0)
                return r;
        if (unit.status.active != UNIT_INACTIVE && unit.status.active != UNIT_FAILED) {
                remote_unit_done(&unit);
                return 0;
        }
        run->ended = true;
        remote_unit_done(&run->unit);
        run->unit = unit;
        run->unit.status.unit = &run->unit.unit;
        run->unit.status.conditions = &run->unit.conditions;
        run->unit.status.assertions = &run->unit.assertions;
        if (run->forward) {
                pty_forward_finish(run->forward);
                return 0;
        }
        return sd_event_exit(run->event, 0);
}

/* Whether a change of properties is the end of our unit: all units' changes are told, and most of ours tell of less. */
static int tells_end(const Run *run, sd_bus_message *message) {
        const char *interface, *name, *state = NULL;

        if (!run->path || !text_equal(sd_bus_message_get_path(message), run->path))
                return 0;
        int r = sd_bus_message_read(message, "s", &interface);
        if (r < 0 || !text_equal(interface, BUS_INTERFACE_UNIT))
                return r < 0 ? r : 0;
        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && !state && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(message, 's', &name);
                if (r >= 0)
                        r = text_equal(name, "ActiveState") ? sd_bus_message_read(message, "v", "s", &state)
                                                            : sd_bus_message_skip(message, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r < 0 || !state)
                return r;
        return text_equal(state, unit_active_state_words[UNIT_INACTIVE]) ||
               text_equal(state, unit_active_state_words[UNIT_FAILED]);
}

/* A terminal outlives the manager, whose end may come in the middle of a question; we are told of it then. */
static int end_on_error(const Run *run, int r) {
        if (r >= 0 || (run->options->pty && !run->alone && sd_bus_is_open(run->bus) <= 0))
                return 0;
        return sd_event_exit(run->event, r);
}

static int on_properties(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Run *run = userdata;

        int r = tells_end(run, message);
        if (r > 0)
                r = look(run);
        return end_on_error(run, r);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *path, *unit, *result;
        Run *run = userdata;
        uint32_t id;

        int r = sd_bus_message_read(message, "uoss", &id, &path, &unit, &result);
        if (r < 0 || !run->job || !text_equal(path, run->job))
                return r;
        run->job_done = true;
        run->job_failed = !text_equal(result, "done");
        if (!stays(run->options)) {
                r = run->job_failed ? remote_unit_get(run->bus, run->name, &run->unit) : 0;
                return sd_event_exit(run->event, r);
        }
        r = look(run);
        return end_on_error(run, r);
}

/* The service goes on, and so does its terminal, which would take the service with it: until nobody has that open any more, we
 * the least. A manager of our own leaves nothing behind that runs. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Run *run = userdata;

        if (!run->options->pty || run->alone || run->ended)
                return sd_event_exit(run->event, log_error(-ECONNRESET, "The manager went away"));
        log_warning("The manager is gone; %s keeps its terminal, and how it ends will not be known here",
                    run->name);
        /* Our terminal is raw, where a new line begins below the end of the last one. */
        if (run->forward && isatty(STDERR_FILENO))
                (void)fputc('\r', stderr);
        run->orphaned = true;
        run->terminal_fd = fd_close(run->terminal_fd);
        if (run->forward)
                pty_forward_follow(run->forward);
        return 0;
}

/* Nobody reads it any more, and the service must not wait for that. */
static int on_unread(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        const Run *run = userdata;
        char bytes[4096];

        while (read(fd, bytes, sizeof(bytes)) > 0)
                ;
        return run->orphaned && (events & EPOLLHUP) ? sd_event_exit(run->event, 0) : 0;
}

static int on_let_go(sd_event_source *source, void *userdata) {
        Run *run = userdata;

        run->forward = (pty_forward_free(run->forward), NULL);
        if (run->ended)
                return sd_event_exit(run->event, 0);
        int r = run_detach(run->detach_fd);
        if (r >= 0)
                r = sd_event_add_io(run->event, NULL, run->master_fd, EPOLLIN, on_unread, run);
        return r < 0 ? sd_event_exit(run->event, log_error(r, "Cannot go on without the terminal: %m")) : 0;
}

/* Let go of, the terminal goes back to whoever is there, and that of the service stays as long as the service does. */
static void on_terminal_end(int r, void *userdata) {
        Run *run = userdata;

        if (r == -ECANCELED)
                r = sd_event_add_defer(run->event, NULL, on_let_go, run);
        else if (r == 0)
                r = sd_event_exit(run->event, run->orphaned ? -ECONNRESET : 0);
        if (r < 0)
                (void)sd_event_exit(run->event, log_error(r, "Cannot serve the terminal: %m"));
}

/* Terminals send signals; the service's terminal goes away with us, and the service hears of it. */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        return sd_event_exit(((Run *)userdata)->event, -EINTR);
}

static int prepare(Run *run) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

        int r = sd_event_new(&run->event);
        if (r >= 0)
                r = sd_bus_attach_event(run->bus, run->event, 0);
        if (r >= 0)
                r = sd_bus_match_signal(run->bus, NULL, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER, "JobRemoved",
                                        on_job_removed, run);
        if (r >= 0)
                r = sd_bus_match_signal(run->bus, NULL, NULL, NULL, "org.freedesktop.DBus.Properties",
                                        "PropertiesChanged", on_properties, run);
        if (r >= 0)
                r = sd_bus_match_signal(run->bus, NULL, "org.freedesktop.DBus.Local",
                                        "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                        "Disconnected", on_disconnected, run);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(signals); i++)
                r = sd_event_add_signal(run->event, NULL, signals[i] | SD_EVENT_SIGNAL_PROCMASK, on_signal,
                                        run);
        if (r >= 0)
                r = bus_client_call(run->bus, "Subscribe", NULL, "");
        if (r >= 0 && run->options->pty)
                r = pty_open(&run->master_fd, &run->terminal_fd, &run->terminal);
        return r < 0 ? log_error(r, "Cannot prepare: %m") : 0;
}

static int begin(Run *run) {
        const RunOptions *options = run->options;

        int r = start_unit(run);
        if (r < 0)
                return r;
        if (!options->quiet)
                (void)fprintf(stderr, "Running as unit: %s\n", run->name);
        if (!options->pty)
                return 0;
        if (!options->quiet)
                (void)fputs("Press ^] three times within 1s to disconnect TTY.\n", stderr);
        r = pty_forward_new(run->event, run->master_fd, on_terminal_end, run, &run->forward);
        return r < 0 ? log_error(r, "Cannot use the terminal: %m") : 0;
}

/* Once: what the manager said, or how it ended. Of a program that ended by itself its status says enough to whoever waits for
 * it, as in a shell. */
static void explain(const Run *run) {
        const UnitStatus *status = &run->unit.status;
        const bool told = run->options->wait && !run->options->quiet;

        if (status->failure)
                (void)log_error(-EIO, "%s%s", status->failure,
                                stays(run->options) ? "" : ". See also \"mkosi-ctl status\"");
        else if (!stays(run->options))
                (void)log_error(-EIO, "%s could not be started: %s. See \"mkosi-ctl status %s\".", run->name,
                                service_result_words[status->result], run->name);
        else if (status->main_code == CLD_EXITED && status->result == SERVICE_FAILURE_EXIT_CODE)
                return;
        else if (!told)
                (void)log_error(-EIO, "%s failed with result \"%s\"", run->name,
                                service_result_words[status->result]);
}

/* With a terminal, what was counted is told if anything was asked to be. */
static int report(Run *run) {
        const UnitSettings *settings = &run->unit.unit.settings;
        const bool counted = settings->ip_accounting == TRUTH_YES || settings->cpu_accounting == TRUTH_YES;
        const UnitStatus *status = &run->unit.status;

        if (!run->options->quiet && (run->options->wait || (run->options->pty && counted)))
                (void)accounting_print_result(status, stderr);
        const bool failed = run->job_failed || status->result != SERVICE_SUCCESS;
        if (failed)
                explain(run);
        /* What it depends on may have failed, and it never ran. */
        if (status->result == SERVICE_FAILURE_RESOURCES || (failed && status->result == SERVICE_SUCCESS))
                return EXIT_FAILURE;
        if (status->main_code == CLD_EXITED)
                return failed ? status->main_status ?: EXIT_FAILURE : 0;
        return failed ? 255 : 0;
}

/* The exit status, or a negative errno. */
static int serve(Run *run) {
        int r = connect_manager(run);
        if (r >= 0)
                r = prepare(run);
        if (r >= 0)
                r = begin(run);
        if (r < 0)
                return r;
        if (run->options->no_block)
                return 0;
        r = sd_event_loop(run->event);
        run->forward = (pty_forward_free(run->forward), NULL);
        if (r < 0)
                return r;
        if (run->ended)
                return report(run);
        if (!run->job_failed)
                return 0;
        explain(run);
        return EXIT_FAILURE;
}

static int serve_detachable(int detach_fd, void *userdata) {
        Run *run = userdata;

        run->detach_fd = detach_fd;
        const int r = serve(run);
        run_done(run);
        return r;
}

int main(int argc, char *argv[]) {
        Run run = { .master_fd = -EBADF, .terminal_fd = -EBADF, .detach_fd = -EBADF };
        RunOptions options;

        log_set_name("mkosi-run");
        int r = fd_fill_standard();
        if (r >= 0)
                r = run_options_read(argc, argv, &options);
        if (r < 0)
                return EXIT_FAILURE;
        if (options.help)
                run_options_help();
        else if (options.version)
                (void)puts("mkosi " MKOSI_VERSION);
        else {
                run.options = &options;
                r = options.pty ? run_detachable(serve_detachable, &run) : serve(&run);
                run_done(&run);
        }
        run_options_done(&options);
        return r < 0 ? EXIT_FAILURE : r;
}
