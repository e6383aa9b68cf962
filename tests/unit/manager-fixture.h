/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A manager of units in a directory of its own, for units that need no process: everything but a cgroup can be had by anybody. */

#include <stdio.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/managed-unit.h"
#include "manager/service-cgroup.h"
#include "temporary-directory.h"

typedef struct ManagerFixture {
        sd_event *event;
        Manager *manager;
        char *cgroup;
} ManagerFixture;

static inline void fixture_unit(const char *name, const char *text) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(path_join("units", name, &path), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, "units", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

/* False where it may not make a cgroup. */
static inline bool fixture_begin(ManagerFixture *fixture, const char *directory) {
        _cleanup_(freep) char *units = NULL;
        const char *unit_paths[] = { NULL, NULL };
        _cleanup_(reason_done) Reason reason = {};
        ManagerOptions options = { .unit_paths = unit_paths, .no_log_store = true, .helper = "/bin/false" };

        *fixture = (ManagerFixture){};
        assert_int_equal(text_format(&fixture->cgroup, "mkosi-unit-test-%d", (int)getpid()), 0);
        options.cgroup = fixture->cgroup;
        assert_int_equal(path_make_directories(AT_FDCWD, "units", 0755), 0);
        assert_int_equal(path_join(directory, "units", &units), 0);
        unit_paths[0] = units;
        assert_int_equal(runtime_paths_new("run", "config", &options.paths), 0);
        free(options.paths.registry);
        free(options.paths.user_records);
        assert_int_equal(path_join(directory, "run/registry", &options.paths.registry), 0);
        assert_int_equal(path_join(directory, "run/userdb", &options.paths.user_records), 0);
        assert_int_equal(sd_event_new(&fixture->event), 0);
        const int r = manager_new(fixture->event, &options, &fixture->manager, &reason);
        runtime_paths_done(&options.paths);
        return r >= 0;
}

static inline void fixture_end(ManagerFixture *fixture) {
        if (fixture->manager)
                (void)rmdir(fixture->manager->base);
        manager_free(fixture->manager);
        sd_event_unref(fixture->event);
        free(fixture->cgroup);
}

/* Until there is nothing to do. */
static inline void fixture_run(ManagerFixture *fixture) {
        while (sd_event_run(fixture->event, 0) > 0)
                ;
}

static inline ManagedUnit *fixture_find(ManagerFixture *fixture, const char *name) {
        ManagedUnit *unit = NULL;

        assert_int_equal(manager_find_unit(fixture->manager, name, &unit), 0);
        return unit;
}

static inline int fixture_job(ManagerFixture *fixture, const char *name, JobType type, Reason *reason) {
        uint32_t id;

        const int r = manager_start_job(fixture->manager, fixture_find(fixture, name), type, JOB_REPLACE, &id,
                                        reason);
        fixture_run(fixture);
        return r;
}

static inline UnitActiveState fixture_state(ManagerFixture *fixture, const char *name) {
        ManagedUnit *const unit = manager_known_unit(fixture->manager, name);

        return unit ? unit->active : UNIT_INACTIVE;
}
