/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <syslog.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "manager/service-cgroup.h"
#include "manager/service.h"
#include "manager/task-limit.h"
#include "manager/unit-log.h"

/* A unit on the way from a service up to the root of all slices. */
typedef struct GroupLevel {
        char *name, *path;       /* of its group */
        const ManagedUnit *unit; /* NULL: nobody has loaded it */
} GroupLevel;

static void level_done(GroupLevel *level) {
        free(level->name);
        free(level->path);
        *level = (GroupLevel){};
}

static int level_of(const ManagedUnit *unit, GroupLevel *ret) {
        GroupLevel level = { .unit = unit };

        int r = text_copy(unit->name, &level.name);
        if (r >= 0)
                r = text_copy(unit->service->cgroup, &level.path);
        if (r < 0)
                level_done(&level);
        else
                *ret = level;
        return r;
}

/* To the slice that it is in; 0 when it is in none. */
static int level_up(Manager *manager, GroupLevel *level) {
        _cleanup_(level_done) GroupLevel above = {};

        int r = service_cgroup_slice(level->name, level->unit ? level->unit->slice : NULL, &above.name);
        if (r < 0 || !above.name)
                return r;
        r = service_cgroup_path(above.name, NULL, &above.path);
        if (r < 0)
                return r;
        above.unit = manager_known_unit(manager, above.name);
        level_done(level);
        *level = above;
        above = (GroupLevel){};
        return 1;
}

/* Whether anybody knows which limit it has. */
static bool is_known(const GroupLevel *level) {
        return level->unit && level->unit->unit->state == UNIT_LOADED;
}

static uint64_t limit_of(const GroupLevel *level) {
        return is_known(level) ? task_limit(managed_unit_settings(level->unit)->tasks_max) : UINT64_MAX;
}

/* 1 when something on the way up has a limit. */
static int is_limited(const Service *service) {
        _cleanup_(level_done) GroupLevel level = {};
        bool limited = false;

        int r = level_of(service->unit, &level);
        if (r >= 0)
                r = 1;
        while (r > 0 && !limited) {
                limited = limit_of(&level) != UINT64_MAX;
                r = level_up(service->unit->manager, &level);
        }
        return r < 0 ? r : limited;
}

static int limit_level(const Controller *controller, const GroupLevel *level, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const uint64_t limit = limit_of(level);

        /* The root of slices may be somebody else's, who has limited all of us. What was not read, or is bad by now, takes
         * no limit away. */
        if (!is_known(level) || (level->path[0] == '\0' && limit == UINT64_MAX))
                return 0;
        fd = controller_open(controller, level->path);
        const int r = fd < 0 ? fd : controller_limit(controller, fd, limit);
        return r < 0 ? reason_set(reason, r, "Cannot limit the tasks of %s: %m", level->name) : 0;
}

/* Those who run already as well. */
static int move_processes(const Service *service, const Controller *controller, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = service_cgroup_open(service->unit->manager->base, service->cgroup);
        const int r = fd < 0 ? fd : controller_move(controller, service->cgroup, fd);
        return r < 0 ? reason_set(reason, r,
                                  "Cannot put its processes into the group of the controller %s: %m",
                                  controller_name(controller->kind))
                     : 0;
}

static int limit_tasks(const Service *service, Reason *reason) {
        const Controller *const controller = &service->unit->manager->controllers[CONTROLLER_PIDS];
        _cleanup_(level_done) GroupLevel level = {};
        _cleanup_(fd_closep) int before_fd = -EBADF;

        int r = is_limited(service);
        if (r < 0)
                return r;
        if (r == 0) {
                /* There may have been a limit. */
                before_fd = controller_open(controller, service->cgroup);
                if (before_fd < 0)
                        return 0;
        }
        r = controller_give(controller, service->cgroup, reason);
        if (r >= 0)
                r = level_of(service->unit, &level);
        if (r >= 0)
                r = 1;
        while (r > 0) {
                r = limit_level(controller, &level, reason);
                if (r >= 0)
                        r = level_up(service->unit->manager, &level);
        }
        return r < 0 ? r : move_processes(service, controller, reason);
}

static int count_memory(const Service *service, Reason *reason) {
        const Controller *const controller = &service->unit->manager->controllers[CONTROLLER_MEMORY];

        if (service_settings_of(service)->memory_accounting != TRUTH_YES || !controller->base)
                return 0;
        const int r = controller_give(controller, service->cgroup, reason);
        return r < 0 ? r : move_processes(service, controller, reason);
}

static void warn(const Service *service, const char *setting, int r, const Reason *reason) {
        unit_log(service->unit, LOG_WARNING, "%s: %s: %s", service->unit->name, setting,
                 reason_text(reason, r));
}

/* Of DefaultTasksMax=, it is said of all units together. */
static bool is_default(const Service *service) {
        const Unit *const unit = service->unit->unit;
        const Setting *const setting = setting_find(&unit_settings, offsetof(UnitSettings, tasks_max));

        return !service->unit->manager->controllers[CONTROLLER_PIDS].base &&
               setting_source(unit->store, setting) == SETTING_DERIVED;
}

void service_limit(Service *service) {
        _cleanup_(reason_done) Reason tasks = {}, memory = {};

        int r = limit_tasks(service, &tasks);
        if (r < 0 && !is_default(service))
                warn(service, "TasksMax= is not kept to", r, &tasks);
        r = count_memory(service, &memory);
        if (r < 0)
                warn(service, "MemoryAccounting= has no effect", r, &memory);
}

int service_limit_slice(ManagedUnit *slice) {
        _cleanup_(freep) ManagedUnit **units = NULL;
        _cleanup_(freep) char *path = NULL;
        size_t n_units;

        int r = service_cgroup_path(slice->name, NULL, &path);
        if (r >= 0)
                r = manager_list_units(slice->manager, &units, &n_units);
        for (size_t i = 0; r >= 0 && i < n_units; i++) {
                Service *const service = units[i]->service;

                if (service && service->cgroup && (path[0] == '\0' || path_is_below(service->cgroup, path)))
                        service_limit(service);
        }
        return r;
}
