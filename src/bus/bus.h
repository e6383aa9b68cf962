/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager on a bus: a part of org.freedesktop.systemd1(5), spoken peer to peer, so that systemd's own tools can look at
 * it. Whoever connects has to be root. */

#include "manager/manager.h"

#define BUS_SERVICE   "org.freedesktop.systemd1"
#define BUS_OBJECT    "/org/freedesktop/systemd1"
#define BUS_UNIT_PATH BUS_OBJECT "/unit"
#define BUS_JOB_PATH  BUS_OBJECT "/job"

#define BUS_INTERFACE_MANAGER BUS_SERVICE ".Manager"
#define BUS_INTERFACE_UNIT    BUS_SERVICE ".Unit"
#define BUS_INTERFACE_SERVICE BUS_SERVICE ".Service"
#define BUS_INTERFACE_SLICE   BUS_SERVICE ".Slice"
#define BUS_INTERFACE_JOB     BUS_SERVICE ".Job"

#define BUS_ERROR_NO_SUCH_UNIT   BUS_SERVICE ".NoSuchUnit"
#define BUS_ERROR_NO_SUCH_JOB    BUS_SERVICE ".NoSuchJob"
#define BUS_ERROR_UNIT_EXISTS    BUS_SERVICE ".UnitExists"
#define BUS_ERROR_BAD_SETTING    BUS_SERVICE ".BadUnitSetting"
#define BUS_ERROR_DESTRUCTIVE    BUS_SERVICE ".TransactionIsDestructive"
#define BUS_ERROR_UNIT_MASKED    BUS_SERVICE ".UnitMasked"
#define BUS_ERROR_LOAD_FAILED    BUS_SERVICE ".LoadFailed"
#define BUS_ERROR_NOT_REFERENCED BUS_SERVICE ".NotReferenced"

typedef struct BusServer BusServer;

/* Takes over what the manager says by its events. on_empty (NULL: nobody wants to know) is called when the last connection is
 * gone. */
int bus_server_new(Manager *manager, struct sd_event *event, void (*on_empty)(void *userdata), void *userdata,
                   BusServer **ret);
void bus_server_free(BusServer *server);
DEFINE_CLEANUP(BusServer, bus_server_free)

/* Makes the socket with mode 0600; one that nobody listens on any more is replaced, for another the error is -EADDRINUSE. */
int bus_server_listen(BusServer *server, const char *path, Reason *reason);
/* A connection that is there already; the descriptor is taken over. */
int bus_server_connect(BusServer *server, int fd);
