/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "manager/service-cgroup.h"
#include "manager/unit-state.h"
#include "user/dynamic-user.h"

/* 1 when the group of the unit has been found, and processes in it that are no other manager's. */
static int find_group(const Manager *manager, const char *name, char **ret) {
        _cleanup_(strv_freep) char **paths = NULL;

        const int r = service_cgroup_list(manager->base, &paths);
        for (char **path = paths; r >= 0 && path && *path; path++)
                if (text_equal(path_base_name(*path), name) &&
                    service_cgroup_use(manager->base, *path) == CGROUP_ABANDONED) {
                        const int copied = text_copy(*path, ret);
                        return copied < 0 ? copied : 1;
                }
        return r;
}

/* The one with a number of the registry is the dynamic user of the service; what runs as root is so beside that. The number
 * is let go of again for whoever locks all of them. */
static int find_user(const Manager *manager, const pid_t *pids, size_t n_pids, UnitFound *found) {
        for (size_t i = 0; i < n_pids; i++) {
                _cleanup_(dynamic_user_done) DynamicUser user = { .lock_fd = -EBADF };
                struct stat status;
                char path[64];

                (void)snprintf(path, sizeof(path), "/proc/%d", (int)pids[i]);
                if (stat(path, &status) < 0)
                        continue;
                const int r = dynamic_user_adopt(manager->registry_fd, status.st_uid, &user);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 && found->has_identity)
                        continue;
                found->has_identity = true;
                found->uid = status.st_uid;
                found->gid = status.st_gid;
                if (r >= 0) {
                        found->dynamic_user = TAKE_PTR(user.name);
                        return 0;
                }
        }
        return 0;
}

int unit_state_guess(const Manager *manager, int units_fd, const char *name, UnitFound *ret) {
        _cleanup_(private_tmp_done) PrivateTmp tmp = {};
        _cleanup_(unit_found_done) UnitFound found = {};
        _cleanup_(freep) pid_t *pids = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t n_pids;

        int r = find_group(manager, name, &found.cgroup);
        if (r <= 0)
                return r;
        fd = service_cgroup_open(manager->base, found.cgroup);
        r = fd < 0 ? fd : service_cgroup_processes(fd, &pids, &n_pids);
        if (r >= 0)
                r = find_user(manager, pids, n_pids, &found);
        if (r >= 0)
                r = text_copy("", &found.invocation);
        if (r < 0)
                return r;
        if (unit_state_read_tmp(units_fd, name, &tmp) >= 0) {
                found.tmp = TAKE_PTR(tmp.tmp);
                found.var_tmp = TAKE_PTR(tmp.var_tmp);
        }
        found.is_service = found.is_unknown = true;
        found.active = UNIT_FAILED;
        found.state = SERVICE_STATE_FAILED;
        found.result = SERVICE_FAILURE_RESOURCES;
        found.kind = SERVICE_COMMANDS;
        found.job = JOB_TYPES;
        found.deadline = UINT64_MAX;
        found.state_changed = found.inactive_since = time_realtime();
        *ret = found;
        found = (UnitFound){};
        return 1;
}
