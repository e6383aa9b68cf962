/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to know of each state of a service, as a table. */

#include "manager/service.h"

typedef enum StateFlags {
        STATE_LASTS = 1 << 0,       /* nobody measures how long */
        STATE_IS_EMPTY = 1 << 1,    /* whoever is left has nothing to do with the service any more */
        STATE_HAS_COMMAND = 1 << 2, /* a command of the unit is at work, and it is not the service itself */
        STATE_IS_FINAL = 1 << 3,    /* whoever is still there is killed, and nothing else comes */
        STATE_IS_HARD = 1 << 4,     /* SIGKILL was sent, or what there is instead */
} StateFlags;

/* What follows when something ends; NULL: nothing, since something else is waited for. */
typedef struct ServiceStateRow {
        UnitActiveState active; /* what it means to whoever knows nothing of services */
        unsigned flags;
        /* When it has lasted too long. */
        ServiceState after_timeout;
        const char *timeout_text; /* NULL: that is no timeout that anything would have to be said of */
        /* The process of the service itself: it has gone already. executed: it was the program that ran, and not the helper. */
        void (*main_ended)(Service *service, ServiceResult result, bool executed);
        void (*control_ended)(Service *service, ServiceResult result);
        /* Any of them, or the last one in the group. */
        void (*somebody_ended)(Service *service);
        /* The last one in the group, and neither of the others is there. */
        void (*group_ended)(Service *service);
} ServiceStateRow;

extern const ServiceStateRow service_state_rows[SERVICE_STATE_MAX];

static inline const ServiceStateRow *service_state_row(ServiceState state) {
        return &service_state_rows[state];
}

static inline bool service_state_is(ServiceState state, StateFlags flag) {
        return service_state_rows[state].flags & flag;
}
