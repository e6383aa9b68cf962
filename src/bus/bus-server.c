/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/bus-internal.h"
#include "unit/unit-name.h"

#define CONNECTIONS_MAX 256

static void connection_is_known(BusConnection *connection) {
        if (connection->is_new)
                connection->server->n_new--;
        connection->is_new = false;
}

static void connection_free(BusConnection *connection) {
        BusServer *server = connection->server;

        connection_is_known(connection);
        if (connection->previous)
                connection->previous->next = connection->next;
        else
                server->connections = connection->next;
        if (connection->next)
                connection->next->previous = connection->previous;
        for (size_t i = 0; i < connection->n_held; i++)
                managed_unit_let_go(connection->held[i]);
        free(connection->held);
        (void)sd_bus_detach_event(connection->bus);
        sd_bus_close_unref(connection->bus);
        free(connection);
}

int bus_connection_hold(BusConnection *connection, ManagedUnit *unit) {
        ManagedUnit **more = reallocarray(connection->held, connection->n_held + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        connection->held = more;
        connection->held[connection->n_held++] = unit;
        managed_unit_hold(unit);
        return 0;
}

bool bus_connection_let_go(BusConnection *connection, ManagedUnit *unit) {
        for (size_t i = 0; i < connection->n_held; i++)
                if (connection->held[i] == unit) {
                        connection->held[i] = connection->held[--connection->n_held];
                        managed_unit_let_go(unit);
                        return true;
                }
        return false;
}

/* The last thing that a connection says. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        BusConnection *connection = userdata;
        BusServer *server = connection->server;

        connection_free(connection);
        if (!server->connections && server->on_empty)
                server->on_empty(server->userdata);
        return 1;
}

/* A client may send its first messages along with the end of the authentication. The library has read them by then, and
 * would look at them when there is more to read: never, for whoever waits for an answer first. */
static int on_post(sd_event_source *source, void *userdata) {
        BusServer *server = userdata;
        BusConnection *next;

        if (server->n_new == 0)
                return 0;
        for (BusConnection *connection = server->connections; connection; connection = next) {
                _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;

                next = connection->next;
                if (!connection->is_new || sd_bus_is_ready(connection->bus) <= 0)
                        continue;
                connection_is_known(connection);
                bus = sd_bus_ref(connection->bus);
                while (sd_bus_process(bus, NULL) > 0)
                        ;
        }
        return 0;
}

/* What a unit is besides a unit, its type tells. */
static bool has_interface(const char *name, const char *interface) {
        const UnitType type = unit_name_type(name);

        return text_equal(interface, BUS_INTERFACE_UNIT) ||
               (type == UNIT_SERVICE && text_equal(interface, BUS_INTERFACE_SERVICE)) ||
               (type == UNIT_SLICE && text_equal(interface, BUS_INTERFACE_SLICE));
}

/* The status is made when somebody asks; it lasts until the next question. */
static int find_unit(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                     sd_bus_error *error) {
        BusConnection *connection = userdata;
        _cleanup_(freep) char *name = NULL;
        ManagedUnit *unit;
        BusUnit *found;

        int r = sd_bus_path_decode(path, BUS_UNIT_PATH, &name);
        if (r <= 0)
                return r;
        r = manager_find_unit(connection->server->manager, name, &unit);
        if (r == -EINVAL)
                return 0;
        if (r < 0)
                return r;
        if (!has_interface(name, interface))
                return 0;
        found = connection->server->asked;
        *found = (BusUnit){ .server = connection->server, .managed = unit };
        managed_unit_status(unit, &found->status);
        *ret_found = found;
        return 1;
}

static int add_objects(BusConnection *connection) {
        static const char match[] = "type='signal',sender='org.freedesktop.DBus.Local',"
                                    "path='/org/freedesktop/DBus/Local',"
                                    "interface='org.freedesktop.DBus.Local',member='Disconnected'";
        const BusServer *server = connection->server;

        int r = sd_bus_add_match(connection->bus, NULL, match, on_disconnected, connection);
        if (r >= 0)
                r = sd_bus_add_object_vtable(connection->bus, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                             bus_manager_vtable, connection);
        if (r >= 0)
                r = sd_bus_add_object_vtable(connection->bus, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                             bus_manager_job_vtable, connection);
        if (r >= 0)
                r = sd_bus_add_object_vtable(connection->bus, NULL, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                             bus_manager_file_vtable, connection);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(connection->bus, NULL, BUS_JOB_PATH, BUS_INTERFACE_JOB,
                                               bus_job_vtable, bus_job_find, connection);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(connection->bus, NULL, BUS_UNIT_PATH, BUS_INTERFACE_UNIT,
                                               bus_unit_vtable, find_unit, connection);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(connection->bus, NULL, BUS_UNIT_PATH, BUS_INTERFACE_SERVICE,
                                               bus_service_vtable, find_unit, connection);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(connection->bus, NULL, BUS_UNIT_PATH, BUS_INTERFACE_SLICE,
                                               bus_slice_vtable, find_unit, connection);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(connection->bus, NULL, BUS_UNIT_PATH, BUS_INTERFACE_SERVICE,
                                               server->service_properties, find_unit, connection);
        return r;
}

/* Whoever is at the other end: by what the kernel knew when the connection was made. */
static int check_peer(int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return -errno;
        return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

static int start_bus(BusConnection *connection, int fd) {
        sd_id128_t id;

        int r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_new(&connection->bus);
        if (r >= 0)
                r = sd_bus_set_fd(connection->bus, fd, fd);
        if (r < 0) {
                (void)fd_close(fd);
                return r;
        }
        r = sd_bus_set_server(connection->bus, true, id);
        if (r >= 0)
                r = sd_bus_negotiate_fds(connection->bus, true);
        if (r >= 0)
                r = sd_bus_set_sender(connection->bus, BUS_SERVICE);
        if (r >= 0)
                r = sd_bus_start(connection->bus);
        if (r >= 0)
                r = add_objects(connection);
        return r < 0 ? r : sd_bus_attach_event(connection->bus, connection->server->event, 0);
}

int bus_server_connect(BusServer *server, int fd) {
        BusConnection *connection;

        int r = check_peer(fd);
        if (r >= 0) {
                connection = calloc(1, sizeof(*connection));
                r = connection ? 0 : -ENOMEM;
        }
        if (r < 0) {
                (void)fd_close(fd);
                return r;
        }
        connection->server = server;
        /* As with systemd, whoever has a connection of its own hears all, until it does not want to. */
        connection->subscribed = true;
        connection->next = server->connections;
        if (connection->next)
                connection->next->previous = connection;
        server->connections = connection;
        connection->is_new = true;
        server->n_new++;
        r = start_bus(connection, fd);
        if (r < 0)
                connection_free(connection);
        return r;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        BusServer *server = userdata;
        size_t n = 0;

        const int connection_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection_fd < 0)
                return 0; /* gone again, or too many files are open: the next event comes */
        for (const BusConnection *connection = server->connections; connection; connection = connection->next)
                n++;
        if (n >= CONNECTIONS_MAX) {
                log_warning("Refused a client: %zu are connected already", n);
                (void)fd_close(connection_fd);
                return 0;
        }
        const int r = bus_server_connect(server, connection_fd);
        if (r == -EPERM)
                log_warning("Refused a client that is not root");
        else if (r < 0)
                log_warning("Cannot serve a client: %s", strerror(-r));
        return 0;
}

/* A socket that a dead manager left is removed, nothing else is. */
static int remove_stale(const struct sockaddr_un *address, Reason *reason) {
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct stat status;

        if (fd < 0)
                return -errno;
        if (lstat(address->sun_path, &status) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(status.st_mode))
                return reason_set(reason, -EEXIST, "%s is in the way: it is no socket", address->sun_path);
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
                return reason_set(reason, -EADDRINUSE, "A manager serves %s already", address->sun_path);
        return unlink(address->sun_path) < 0 ? -errno : 0;
}

/* Nobody can connect before the mode is what it has to be. */
static int bind_privately(int fd, const struct sockaddr_un *address) {
        const mode_t before = umask(0177);

        const int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
        (void)umask(before);
        return r;
}

/* The socket goes with whoever made it. */
static void listener_free(BusListener *listener) {
        if (!listener)
                return;
        sd_event_source_unref(listener->source);
        if (listener->fd >= 0)
                (void)unlink(listener->path);
        (void)fd_close(listener->fd);
        free(listener->path);
        free(listener);
}
DEFINE_CLEANUP(BusListener, listener_free)

int bus_server_listen(BusServer *server, const char *path, Reason *reason) {
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        _cleanup_(listener_freep) BusListener *listener = calloc(1, sizeof(*listener));
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (fd < 0 || !listener)
                return fd < 0 ? -errno : -ENOMEM;
        listener->fd = -EBADF;
        if (strlen(path) >= sizeof(address.sun_path))
                return reason_set(reason, -ENAMETOOLONG, "%s is too long for a socket", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        int r = remove_stale(&address, reason);
        if (r >= 0)
                r = bind_privately(fd, &address);
        if (r >= 0 && listen(fd, SOMAXCONN) < 0)
                r = -errno;
        if (r >= 0)
                r = text_copy(path, &listener->path);
        if (r >= 0)
                r = sd_event_add_io(server->event, &listener->source, fd, EPOLLIN, on_accept, server);
        if (r < 0)
                return reason_set(reason, r, "Cannot listen on %s: %m", path);
        listener->fd = TAKE_FD(fd);
        listener->next = server->listeners;
        server->listeners = TAKE_PTR(listener);
        return 0;
}

static void job_signal(BusServer *server, const char *member, uint32_t id, ManagedUnit *unit,
                       const char *result) {
        _cleanup_(freep) char *path = NULL;
        UnitStatus status;

        managed_unit_status(unit, &status);
        if (bus_job_path(id, &path) < 0)
                return;
        for (BusConnection *connection = server->connections; connection; connection = connection->next) {
                if (!connection->subscribed)
                        continue;
                if (result)
                        (void)sd_bus_emit_signal(connection->bus, BUS_OBJECT, BUS_INTERFACE_MANAGER, member,
                                                 "uoss", id, path, status.unit->name, result);
                else
                        (void)sd_bus_emit_signal(connection->bus, BUS_OBJECT, BUS_INTERFACE_MANAGER, member,
                                                 "uos", id, path, status.unit->name);
        }
}

static void on_job_new(uint32_t id, ManagedUnit *unit, void *userdata) {
        job_signal(userdata, "JobNew", id, unit, NULL);
}

static void on_job_removed(uint32_t id, ManagedUnit *unit, JobResult result, void *userdata) {
        job_signal(userdata, "JobRemoved", id, unit, job_result_words[result]);
}

static void on_unit_changed(ManagedUnit *unit, void *userdata) {
        BusServer *server = userdata;
        _cleanup_(freep) char *path = NULL, *job_path = NULL;
        UnitStatus status;
        JobStatus job;

        managed_unit_status(unit, &status);
        if (bus_unit_path(status.unit->name, &path) < 0 ||
            (managed_unit_job(unit, &job) && bus_job_path(job.id, &job_path) < 0))
                return;
        for (BusConnection *connection = server->connections; connection; connection = connection->next) {
                if (!connection->subscribed)
                        continue;
                if (unit_name_type(status.unit->name) == UNIT_SERVICE)
                        (void)sd_bus_emit_properties_changed(connection->bus, path, BUS_INTERFACE_SERVICE,
                                                             "MainPID", "Result", "StatusText", NULL);
                (void)sd_bus_emit_properties_changed(connection->bus, path, BUS_INTERFACE_UNIT, "ActiveState",
                                                     "SubState", "Job", NULL);
                if (job_path)
                        (void)sd_bus_emit_properties_changed(connection->bus, job_path, BUS_INTERFACE_JOB,
                                                             "State", NULL);
        }
}

static void on_unit_removed(const char *name, void *userdata) {
        BusServer *server = userdata;
        _cleanup_(freep) char *path = NULL;

        if (bus_unit_path(name, &path) < 0)
                return;
        for (BusConnection *connection = server->connections; connection; connection = connection->next)
                if (connection->subscribed)
                        (void)sd_bus_emit_signal(connection->bus, BUS_OBJECT, BUS_INTERFACE_MANAGER,
                                                 "UnitRemoved", "so", name, path);
}

int bus_server_new(Manager *manager, sd_event *event, void (*on_empty)(void *userdata), void *userdata,
                   BusServer **ret) {
        _cleanup_(bus_server_freep) BusServer *server = calloc(1, sizeof(*server));

        if (!server)
                return -ENOMEM;
        server->manager = manager;
        server->event = sd_event_ref(event);
        server->on_empty = on_empty;
        server->userdata = userdata;
        server->asked = calloc(1, sizeof(*server->asked));
        if (!server->asked)
                return -ENOMEM;
        int r = sd_event_add_post(event, &server->post, on_post, server);
        if (r >= 0)
                r = bus_property_vtable(&server->service_properties);
        if (r < 0)
                return r;
        manager_set_events(manager, &(ManagerEvents){ .job_new = on_job_new,
                                                      .job_removed = on_job_removed,
                                                      .unit_changed = on_unit_changed,
                                                      .unit_removed = on_unit_removed,
                                                      .userdata = server });
        *ret = TAKE_PTR(server);
        return 0;
}

void bus_server_free(BusServer *server) {
        if (!server)
                return;
        manager_set_events(server->manager, NULL);
        while (server->connections)
                connection_free(server->connections);
        while (server->listeners) {
                BusListener *next = server->listeners->next;

                listener_free(server->listeners);
                server->listeners = next;
        }
        sd_event_source_disable_unref(server->post);
        sd_event_unref(server->event);
        bus_property_vtable_free(server->service_properties);
        free(server->asked);
        free(server);
}
