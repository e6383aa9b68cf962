/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "base/parse.h"
#include "base/text.h"
#include "bus/bus-internal.h"

/* Jobs as objects, for as long as there is something to do. */

int bus_job_path(uint32_t id, char **ret) {
        return text_format(ret, BUS_JOB_PATH "/%" PRIu32, id);
}

int bus_job_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                 sd_bus_error *error) {
        BusServer *const server = ((BusConnection *)userdata)->server;
        const char *const text = text_after_prefix(path, BUS_JOB_PATH "/");
        uint64_t id;

        if (!text || parse_uint64(text, &id) < 0 || id > UINT32_MAX ||
            !manager_find_job(server->manager, (uint32_t)id, &server->asked_job))
                return 0;
        *ret_found = &server->asked_job;
        return 1;
}

#define GETTER(name)                                                                                \
        static int name(sd_bus *bus, const char *path, const char *interface, const char *property, \
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)

GETTER(get_id) {
        return sd_bus_message_append(reply, "u", ((const JobStatus *)userdata)->id);
}

GETTER(get_unit) {
        const JobStatus *const job = userdata;
        _cleanup_(freep) char *unit_path = NULL;
        UnitStatus status;

        managed_unit_status(job->unit, &status);
        const int r = bus_unit_path(status.unit->name, &unit_path);
        return r < 0 ? r : sd_bus_message_append(reply, "(so)", status.unit->name, unit_path);
}

GETTER(get_type) {
        return sd_bus_message_append(reply, "s", job_type_words[((const JobStatus *)userdata)->type]);
}

GETTER(get_state) {
        return sd_bus_message_append(reply, "s", job_state_words[((const JobStatus *)userdata)->running]);
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        managed_unit_cancel_job(((const JobStatus *)userdata)->unit);
        return sd_bus_reply_method_return(message, "");
}

/* What the manager is asked about them. */

static int append_job(sd_bus_message *reply, const JobStatus *job) {
        _cleanup_(freep) char *path = NULL, *unit_path = NULL;
        UnitStatus status;

        managed_unit_status(job->unit, &status);
        int r = bus_job_path(job->id, &path);
        if (r >= 0)
                r = bus_unit_path(status.unit->name, &unit_path);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "(usssoo)", job->id, status.unit->name, job_type_words[job->type],
                                     job_state_words[job->running], path, unit_path);
}

static int method_list(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const BusConnection *const connection = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) JobStatus *jobs = NULL;
        size_t n_jobs = 0;

        int r = manager_list_jobs(connection->server->manager, &jobs, &n_jobs);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(usssoo)");
        for (size_t i = 0; r >= 0 && i < n_jobs; i++)
                r = append_job(reply, &jobs[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int read_job(sd_bus_message *message, const BusConnection *connection, JobStatus *ret,
                    sd_bus_error *error) {
        uint32_t id;

        const int r = sd_bus_message_read(message, "u", &id);
        if (r < 0)
                return r;
        if (!manager_find_job(connection->server->manager, id, ret))
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_JOB, "Job %" PRIu32 " does not exist.", id);
        return 0;
}

static int method_get(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(freep) char *path = NULL;
        JobStatus job;

        int r = read_job(message, userdata, &job, error);
        if (r >= 0)
                r = bus_job_path(job.id, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static int method_cancel_one(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        JobStatus job;

        const int r = read_job(message, userdata, &job, error);
        if (r < 0)
                return r;
        managed_unit_cancel_job(job.unit);
        return sd_bus_reply_method_return(message, "");
}

static int method_clear(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const BusConnection *const connection = userdata;
        _cleanup_(freep) JobStatus *jobs = NULL;
        size_t n_jobs;

        const int r = manager_list_jobs(connection->server->manager, &jobs, &n_jobs);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_jobs; i++)
                managed_unit_cancel_job(jobs[i].unit);
        return sd_bus_reply_method_return(message, "");
}

#define METHOD(name, in, out, function) SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "u", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Unit", "(so)", get_unit, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("JobType", "s", get_type, 0, 0),
        SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        METHOD("Cancel", "", "", method_cancel),
        SD_BUS_VTABLE_END,
};

const sd_bus_vtable bus_manager_job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHOD("ListJobs", "", "a(usssoo)", method_list),
        METHOD("GetJob", "u", "o", method_get),
        METHOD("CancelJob", "u", "", method_cancel_one),
        METHOD("ClearJobs", "", "", method_clear),
        SD_BUS_VTABLE_END,
};
