/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between the files of the bus server. */

#include <systemd/sd-bus.h>

#include "bus/bus.h"

/* Of a condition: its setting, whether it triggers, whether it is negated, the argument, and how it was. */
#define BUS_CONDITION "(sbbsi)"

typedef struct BusConnection BusConnection;

/* A connection, and what it has asked for. */
struct BusConnection {
        BusConnection *previous, *next;
        BusServer *server;
        sd_bus *bus;
        bool is_new;     /* it was not ready for messages yet */
        bool subscribed; /* wants signals */
        ManagedUnit **held;
        size_t n_held;
};

/* What a getter of a unit's property gets: the status as it is at that moment. */
typedef struct BusUnit {
        UnitStatus status;
        BusServer *server;
        ManagedUnit *managed;
} BusUnit;

/* A socket that clients find. */
typedef struct BusListener BusListener;
struct BusListener {
        BusListener *next;
        int fd;
        char *path;
        sd_event_source *source;
};

struct BusServer {
        Manager *manager;
        sd_event *event;
        BusConnection *connections;
        unsigned n_new; /* of the connections */
        sd_event_source *post;
        BusListener *listeners;
        void (*on_empty)(void *userdata);
        void *userdata;
        BusUnit *asked;                    /* the unit of the question that is being answered */
        JobStatus asked_job;               /* or the job */
        sd_bus_vtable *service_properties; /* one for each setting, see bus-property.c */
};

/* The tables of methods, signals and properties. */
extern const sd_bus_vtable bus_manager_vtable[], bus_manager_job_vtable[], bus_manager_file_vtable[],
        bus_unit_vtable[], bus_service_vtable[], bus_slice_vtable[], bus_job_vtable[];

int bus_connection_hold(BusConnection *connection, ManagedUnit *unit);
/* Whether it was held. */
bool bus_connection_let_go(BusConnection *connection, ManagedUnit *unit);

/* "/org/freedesktop/systemd1/unit/foo_2eservice" */
int bus_unit_path(const char *name, char **ret);
/* "/org/freedesktop/systemd1/job/12" */
int bus_job_path(uint32_t id, char **ret);

/* The job of an object: 1, 0 when there is none; see sd_bus_object_find_t. */
int bus_job_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                 sd_bus_error *error);

/* A member of the table for each setting of services that has no better one; the array is the caller's. */
int bus_property_vtable(sd_bus_vtable **ret);
void bus_property_vtable_free(sd_bus_vtable *table);
/* The next "(sv)" of an array, as lines "NAME=VALUE"; descriptors of StandardInputFileDescriptor and so on go to standard, of
 * which NULL takes none. 1, and 0 at the array's end. */
int bus_property_read(sd_bus_message *message, char ***assignments, int standard[3], sd_bus_error *error);

/* What the manager says, as an error for the bus: the reason's text, with the name that fits r. */
int bus_error(sd_bus_error *error, int r, const Reason *reason, const char *unit);
