/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <systemd/sd-event.h>
#include <time.h>

#include "base/time-span.h"
#include "manager/service.h"

#define TIMEOUT_DEFAULT (90 * SECOND_USEC)

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Service *const service = userdata;

        service->deadline = UINT64_MAX;
        service_timed_out(service);
        return 0;
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
        service_watchdog_expired(userdata);
        return 0;
}

/* Sources are made when they are first needed, and then kept. */
static void source_set(Service *service, sd_event_source **source, uint64_t at,
                       sd_event_time_handler_t handler) {
        if (at == UINT64_MAX) {
                if (*source)
                        (void)sd_event_source_set_enabled(*source, SD_EVENT_OFF);
        } else if (*source) {
                (void)sd_event_source_set_time(*source, at);
                (void)sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
        } else
                (void)sd_event_add_time(service->unit->manager->event, source, CLOCK_MONOTONIC, at, 0,
                                        handler, service);
}

static uint64_t time_in(uint64_t usec) {
        const uint64_t now = time_monotonic();

        return usec >= UINT64_MAX - now ? UINT64_MAX : now + usec;
}

void service_set_deadline(Service *service, uint64_t deadline) {
        service->deadline = deadline;
        source_set(service, &service->timer, deadline, on_timer);
}

void service_set_timer(Service *service, uint64_t usec) {
        service_set_deadline(service, usec == TIME_SPAN_INFINITY ? UINT64_MAX : time_in(usec));
}

void service_feed_watchdog(Service *service) {
        if (service->watchdog_usec > 0 && service->watchdog_usec != TIME_SPAN_INFINITY)
                source_set(service, &service->watchdog, time_in(service->watchdog_usec), on_watchdog);
}

void service_stop_watchdog(Service *service) {
        source_set(service, &service->watchdog, UINT64_MAX, on_watchdog);
}

/* 0 is said for "never". */
static uint64_t timeout_of(const Duration *own, const Duration *both, uint64_t otherwise) {
        const Duration *const said = own->set ? own : both;
        const uint64_t usec = said->set ? said->usec : otherwise;

        return usec == 0 ? TIME_SPAN_INFINITY : usec;
}

uint64_t service_start_timeout(const Service *service) {
        const UnitSettings *const settings = service_settings_of(service);

        /* What does its work while it starts may take as long as that takes. */
        return timeout_of(&settings->timeout_start, &settings->timeout_both,
                          settings->type == SERVICE_ONESHOT ? TIME_SPAN_INFINITY : TIMEOUT_DEFAULT);
}

uint64_t service_stop_timeout(const Service *service) {
        const UnitSettings *const settings = service_settings_of(service);

        return timeout_of(&settings->timeout_stop, &settings->timeout_both, TIMEOUT_DEFAULT);
}
