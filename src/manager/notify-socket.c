/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/text.h"
#include "base/time-span.h"
#include "manager/async-close.h"
#include "manager/notify-socket.h"
#include "manager/service.h"
#include "manager/unit-log.h"

#define MESSAGE_SIZE_MAX     4096
#define DESCRIPTORS_MAX      253 /* that come along, and are closed: the kernel takes no more */
#define MESSAGES_PER_TURN    64
#define SOCKET_MODE          0666
#define RECEIVE_BUFFER_BYTES (8 * 1024 * 1024)

/* States: in which the watchdog watches, in which there is a main process to be told of, in which anything is under way. */
#define STATE(state) (1U << (state))
#define FEEDS        (STATE(SERVICE_IN_START_POST) | STATE(SERVICE_RUNNING) | STATE(SERVICE_IN_RELOAD))
#define HAS_MAIN     (FEEDS | STATE(SERVICE_IN_START))
#define RUNS                                                                                \
        ~(STATE(SERVICE_DEAD) | STATE(SERVICE_STATE_FAILED) | STATE(SERVICE_AUTO_RESTART) | \
          STATE(SERVICE_EXITED))

static NotifyAccess access_of(const UnitSettings *settings) {
        if (settings->notify_access != NOTIFY_OPEN)
                return (NotifyAccess)settings->notify_access;
        return settings->type == SERVICE_NOTIFY || (settings->watchdog.set && settings->watchdog.usec > 0)
                       ? NOTIFY_MAIN
                       : NOTIFY_NONE;
}

const char *managed_unit_notify_access(const ManagedUnit *unit) {
        const UnitSettings *const settings = managed_unit_settings(unit);

        return setting_find(&unit_settings, offsetof(UnitSettings, notify_access))
                ->words[access_of(settings)];
}

static bool may_say(const Service *service, pid_t pid) {
        const bool is_main = service->main && service->main->pid == pid,
                   is_control = service->control && service->control->pid == pid;

        switch (access_of(service_settings_of(service))) {
        case NOTIFY_MAIN:
                return is_main;
        case NOTIFY_EXEC:
                return is_main || is_control;
        case NOTIFY_ALL:
                return true;
        default:
                return false;
        }
}

static void on_ready(Service *service, const char *value) {
        if (!text_equal(value, "1"))
                return;
        if (service->state == SERVICE_IN_START && service_settings_of(service)->type == SERVICE_NOTIFY)
                service_enter_start_post(service);
        else if (service->state == SERVICE_IN_RELOAD && !service->control)
                service_enter_running(service, SERVICE_SUCCESS);
}

static void on_reloading(Service *service, const char *value) {
        if (!text_equal(value, "1"))
                return;
        service->reload_result = SERVICE_SUCCESS;
        service_set_timer(service, service_start_timeout(service));
        service_set_state(service, SERVICE_IN_RELOAD);
}

static void on_stopping(Service *service, const char *value) {
        if (!text_equal(value, "1") || !service->main)
                return;
        /* It ends by itself, and has as long as a stop may take. */
        service_stop_watchdog(service);
        service_set_timer(service, service_stop_timeout(service));
        service_set_state(service, SERVICE_STOP_SIGTERM);
}

static void on_status_text(Service *service, const char *value) {
        if (text_replace(&service->status_text, text_is_empty(value) ? NULL : value) < 0)
                return;
        if (service->status_text)
                text_tame(service->status_text);
        managed_unit_changed(service->unit);
}

/* Whoever may say so names a process of its own service. */
static void on_main_pid(Service *service, const char *value) {
        ManagedUnit *owner;
        uint64_t pid;

        if (parse_uint64(value, &pid) < 0 || pid <= 1 || pid > INT32_MAX)
                return;
        owner = manager_unit_of_process(service->unit->manager, (pid_t)pid);
        if (owner != service->unit || (service->control && service->control->pid == (pid_t)pid)) {
                unit_log(service->unit, LOG_WARNING, "%s: MAINPID=%s is no process of the service",
                         service->unit->name, value);
                return;
        }
        (void)service_set_main(service, (pid_t)pid);
}

static void on_watchdog(Service *service, const char *value) {
        if (text_equal(value, "1"))
                service_feed_watchdog(service);
        else if (text_equal(value, "trigger"))
                service_watchdog_expired(service);
}

static void on_watchdog_usec(Service *service, const char *value) {
        uint64_t usec;

        if (parse_uint64(value, &usec) < 0)
                return;
        service->watchdog_usec = usec;
        if (usec == 0)
                service_stop_watchdog(service);
        else if (STATE(service->state) & FEEDS)
                service_feed_watchdog(service);
}

static void on_extend_timeout(Service *service, const char *value) {
        uint64_t usec;

        if (parse_uint64(value, &usec) < 0 || service->deadline == UINT64_MAX)
                return;
        const uint64_t now = time_monotonic();
        if (usec >= UINT64_MAX - now || now + usec <= service->deadline)
                return;
        service_set_deadline(service, now + usec);
        if (service->state == SERVICE_RUNNING)
                service->runtime_deadline = now + usec;
}

typedef struct Variable {
        const char *name;
        unsigned states; /* in which it counts: what a run before has left says something as well */
        void (*take)(Service *service, const char *value);
} Variable;

/* In the order in which they count, whatever their order in the message is. */
static const Variable variables[] = {
        { "MAINPID", HAS_MAIN, on_main_pid },
        { "STATUS", RUNS, on_status_text },
        { "EXTEND_TIMEOUT_USEC", RUNS, on_extend_timeout },
        { "WATCHDOG_USEC", HAS_MAIN, on_watchdog_usec },
        { "READY", STATE(SERVICE_IN_START) | STATE(SERVICE_IN_RELOAD), on_ready },
        { "RELOADING", STATE(SERVICE_RUNNING), on_reloading },
        { "STOPPING", STATE(SERVICE_RUNNING), on_stopping },
        { "WATCHDOG", FEEDS, on_watchdog },
};

void notify_message(ManagedUnit *unit, pid_t pid, char *text) {
        const char *values[ELEMENTSOF(variables)] = {};
        Service *const service = unit->service;
        char *line;

        if (!service || !may_say(service, pid))
                return;
        while ((line = strsep(&text, "\n"))) {
                char *const equals = strchr(line, '=');

                if (!equals)
                        continue;
                *equals = '\0';
                for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                        if (text_equal(line, variables[i].name))
                                values[i] = equals + 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                if (values[i] && (STATE(service->state) & variables[i].states))
                        variables[i].take(service, values[i]);
}

static void listen_again(Manager *manager) {
        if (manager->notify && manager->n_closing < ASYNC_CLOSE_MAX)
                (void)sd_event_source_set_enabled(manager->notify, SD_EVENT_ON);
}

/* The sender, as the kernel says; 0 when it does not. Descriptors that came along are closed: a barrier (sd_notify_barrier(3))
 * waits for just that. */
static pid_t take_control(Manager *manager, struct msghdr *message) {
        pid_t pid = 0;

        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
                if (header->cmsg_level != SOL_SOCKET)
                        continue;
                if (header->cmsg_type == SCM_CREDENTIALS &&
                    header->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
                        struct ucred credentials;

                        memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
                        pid = credentials.pid;
                } else if (header->cmsg_type == SCM_RIGHTS) {
                        const size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                        int fds[DESCRIPTORS_MAX];

                        memcpy(fds, CMSG_DATA(header), MIN(n, ELEMENTSOF(fds)) * sizeof(int));
                        async_close(manager, fds, MIN(n, ELEMENTSOF(fds)), listen_again);
                }
        }
        return pid;
}

/* 0 when there is none any more. */
static int receive(Manager *manager) {
        char text[MESSAGE_SIZE_MAX + 1];
        char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
        struct iovec vector = { .iov_base = text, .iov_len = MESSAGE_SIZE_MAX };
        struct msghdr message = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        ManagedUnit *unit;

        const ssize_t n = recvmsg(manager->notify_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EINTR ? 1 : 0;
        const pid_t pid = take_control(manager, &message);
        /* Some send the end of their string along. */
        const size_t length = n > 0 && text[n - 1] == '\0' ? (size_t)n - 1 : (size_t)n;
        if (pid <= 0 || (message.msg_flags & MSG_TRUNC) || memchr(text, '\0', length))
                return 1;
        text[length] = '\0';
        unit = manager_unit_of_process(manager, pid);
        if (unit)
                notify_message(unit, pid, text);
        return 1;
}

static int on_message(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Manager *const manager = userdata;
        unsigned n = 0;

        while (manager->n_closing < ASYNC_CLOSE_MAX && n++ < MESSAGES_PER_TURN && receive(manager) > 0)
                ;
        /* Whoever has so many descriptors closed that do not want to is waited for, and all that others say: the manager goes
         * on. */
        return manager->n_closing < ASYNC_CLOSE_MAX ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int socket_open(const char *path) {
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (fd < 0)
                return -errno;
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void)stpcpy(address.sun_path, path);
        (void)unlink(path);
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            chmod(path, SOCKET_MODE) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0)
                return -errno;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ RECEIVE_BUFFER_BYTES }, sizeof(int));
        return TAKE_FD(fd);
}

int notify_socket_open(Manager *manager, bool shares, Reason *reason) {
        char name[32] = "notify";

        /* One that is not alone in the directory needs a name of its own, which nobody else has as long as it lives. */
        if (shares)
                (void)snprintf(name, sizeof(name), "notify.%d", (int)getpid());
        manager->removes_notify = shares;
        int r = path_join(manager->paths.runtime, name, &manager->notify_path);
        if (r < 0)
                return r;
        manager->notify_fd = socket_open(manager->notify_path);
        r = manager->notify_fd;
        if (r >= 0)
                r = sd_event_add_io(manager->event, &manager->notify, manager->notify_fd, EPOLLIN, on_message,
                                    manager);
        if (r >= 0)
                r = sd_event_source_set_priority(manager->notify, PRIORITY_NOTIFY);
        return r < 0 ? reason_set(reason, r, "Cannot make the socket %s: %m", manager->notify_path) : 0;
}

void notify_socket_close(Manager *manager) {
        manager->notify = sd_event_source_disable_unref(manager->notify);
        manager->notify_fd = fd_close(manager->notify_fd);
        if (manager->removes_notify && manager->notify_path)
                (void)unlink(manager->notify_path);
        free(manager->notify_path);
        manager->notify_path = NULL;
}
