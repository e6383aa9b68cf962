/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/bus.h"
#include "client/run-alone.h"
#include "manager/service-cgroup.h"

typedef struct Alone {
        sd_event *event;
        Manager *manager;
        BusServer *server;
        bool stop_with_client, client_gone, stopping;
} Alone;

static bool has_ended(const UnitStatus *status) {
        return status->active == UNIT_INACTIVE || status->active == UNIT_FAILED;
}

/* Whether the service is not only over, but forgotten, with its file; one that has failed is not kept for anybody. */
static bool is_forgotten(ManagedUnit *unit, const UnitStatus *status) {
        if (status->active == UNIT_FAILED)
                managed_unit_reset_failed(unit);
        return !status->transient;
}

/* The unit, and what else it needs; true when nothing runs any more. */
static bool all_have_ended(Alone *alone, bool stop) {
        _cleanup_(freep) ManagedUnit **units = NULL;
        bool ended = true;
        size_t n_units;

        if (manager_list_units(alone->manager, &units, &n_units) < 0)
                return false;
        for (size_t i = 0; i < n_units; i++) {
                UnitStatus status;
                uint32_t job;

                managed_unit_status(units[i], &status);
                if (!text_ends_with(status.unit->name, ".service"))
                        continue;
                if (has_ended(&status)) {
                        ended = is_forgotten(units[i], &status) && ended;
                        continue;
                }
                ended = false;
                if (stop && status.active != UNIT_DEACTIVATING)
                        (void)manager_start_job(alone->manager, units[i], JOB_STOP, JOB_REPLACE, &job, NULL);
        }
        return ended;
}

/* A manager can have what nobody waits for. */
static bool hand_over(Alone *alone) {
        return alone->client_gone && !alone->stop_with_client && !alone->stopping &&
               manager_is_asked_for(alone->manager) && sd_event_exit(alone->event, 0) >= 0;
}

/* Whoever reads what the client has printed need not wait for the service. */
static void leave_streams(void) {
        _cleanup_(fd_closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
                (void)dup2(null, fd);
}

static void on_client_gone(void *userdata) {
        Alone *alone = userdata;

        alone->client_gone = true;
        leave_streams();
        if (!hand_over(alone))
                (void)all_have_ended(alone, alone->stop_with_client);
}

static int on_file(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        (void)hand_over(userdata);
        return 0;
}

/* After every turn of the loop. */
static int on_turn(sd_event_source *source, void *userdata) {
        Alone *alone = userdata;

        if (alone->client_gone && all_have_ended(alone, false))
                return sd_event_exit(alone->event, 0);
        return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Alone *alone = userdata;

        alone->client_gone = alone->stopping = true;
        (void)all_have_ended(alone, true);
        return 0;
}

static int prepare(Alone *alone, const RunAlone *options, int fd, Reason *reason) {
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
        ManagerOptions manager_options = { .helper = options->helper, .shares = true };
        int r;

        r = sd_event_new(&alone->event);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(signals); i++)
                r = sd_event_add_signal(alone->event, NULL, signals[i] | SD_EVENT_SIGNAL_PROCMASK, on_signal,
                                        alone);
        if (r >= 0)
                r = runtime_paths_new(options->runtime, NULL, &manager_options.paths);
        if (r >= 0)
                r = manager_new(alone->event, &manager_options, &alone->manager, reason);
        if (r >= 0)
                r = sd_event_add_inotify(alone->event, NULL, manager_options.paths.runtime,
                                         IN_CLOSE_WRITE | IN_ONLYDIR, on_file, alone);
        runtime_paths_done(&manager_options.paths);
        if (r >= 0)
                r = manager_take_process(alone->manager, alone->event);
        if (r >= 0)
                r = bus_server_new(alone->manager, alone->event, on_client_gone, alone, &alone->server);
        if (r < 0) {
                (void)fd_close(fd);
                return r;
        }
        r = bus_server_connect(alone->server, fd);
        return r < 0 ? r : sd_event_add_post(alone->event, NULL, on_turn, alone);
}

/* The base was made for this; what others have in it keeps it there. */
static void remove_base(void) {
        _cleanup_(freep) char *base = NULL;

        if (service_cgroup_base(NULL, &base, NULL) >= 0)
                (void)rmdir(base);
}

/* Whether it can serve: a word, and for what keeps it from that the text. */
#define SERVES          "+"
#define ANSWER_SIZE_MAX 4096

static int serve(const RunAlone *options, int fd, int answer_fd) {
        _cleanup_(reason_done) Reason reason = {};
        Alone alone = { .stop_with_client = options->stop_with_client };

        int r = prepare(&alone, options, fd, &reason);
        (void)dprintf(answer_fd, "%s", r < 0 ? reason_text(&reason, r) : SERVES);
        (void)fd_close(answer_fd);
        if (r >= 0)
                r = sd_event_loop(alone.event);
        bus_server_free(alone.server);
        manager_free(alone.manager);
        remove_base();
        sd_event_unref(alone.event);
        return r;
}

static int take_answer(int answer_fd, Reason *reason) {
        char answer[ANSWER_SIZE_MAX] = "";
        size_t size = 0;
        ssize_t n;

        while (size < sizeof(answer) - 1 &&
               (n = read(answer_fd, answer + size, sizeof(answer) - 1 - size)) != 0) {
                if (n < 0 && errno != EINTR)
                        return -errno;
                size += n > 0 ? (size_t)n : 0;
        }
        if (text_equal(answer, SERVES))
                return 0;
        return answer[0] ? reason_set(reason, -EIO, "%s", answer) : -EIO;
}

static void __attribute__((noreturn)) child_run(const RunAlone *options, int fd, int answer_fd) {
        interrupt_reset();
        /* What is typed at the client's terminal is for the client. */
        (void)setsid();
        (void)prctl(PR_SET_NAME, "mkosi-manager");
        _exit(serve(options, fd, answer_fd) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int run_alone_start(const RunAlone *options, int *ret_fd, Reason *reason) {
        _cleanup_(fd_closep) int own_fd = -EBADF, other_fd = -EBADF, read_fd = -EBADF, write_fd = -EBADF;
        int fds[2], ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        own_fd = fds[0];
        other_fd = fds[1];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        read_fd = ends[0];
        write_fd = ends[1];
        const pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                own_fd = fd_close(own_fd);
                read_fd = fd_close(read_fd);
                child_run(options, TAKE_FD(other_fd), TAKE_FD(write_fd));
        }
        write_fd = fd_close(write_fd);
        const int r = take_answer(read_fd, reason);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(own_fd);
        return 0;
}
