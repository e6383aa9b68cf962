/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "unit/runtime-paths.h"

#define SYSTEMD_RUNTIME  "/run/systemd/system"      /* there when systemd is process 1: sd_booted(3) */
#define SYSTEMD_REGISTRY "/run/systemd/dynamic-uid" /* whoever numbers users has to share this one then */
#define USER_RECORDS     "/run/userdb"
#define DIRECTORY_MODE   0755

/* What lies below the runtime directory and has to be there. */
static const char *const runtime_directories[] = {
        "", "units", "netns", "transient", "system.control", "log"
};

void runtime_paths_done(RuntimePaths *paths) {
        free(paths->runtime);
        free(paths->config);
        free(paths->registry);
        free(paths->user_records);
        *paths = (RuntimePaths){};
}

int runtime_paths_new(const char *runtime, const char *config, RuntimePaths *ret) {
        RuntimePaths paths = {};
        struct stat status;

        int r = path_absolute(runtime ?: RUNTIME_DIRECTORY, &paths.runtime);
        if (r >= 0)
                r = path_absolute(config ?: CONFIG_DIRECTORY, &paths.config);
        if (r >= 0)
                r = lstat(SYSTEMD_RUNTIME, &status) == 0 && S_ISDIR(status.st_mode)
                            ? text_copy(SYSTEMD_REGISTRY, &paths.registry)
                            : path_join(paths.runtime, "dynamic-uid", &paths.registry);
        if (r >= 0)
                r = text_copy(USER_RECORDS, &paths.user_records);
        if (r < 0) {
                runtime_paths_done(&paths);
                return r;
        }
        *ret = paths;
        return 0;
}

/* The directory, with its owner and mode: whoever else could write to it could have root do anything. */
static int directory_make(const char *path) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;

        const int r = path_make_directories(AT_FDCWD, path, DIRECTORY_MODE);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        return status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? -EPERM : 0;
}

int runtime_paths_make(const RuntimePaths *paths) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(runtime_directories); i++) {
                _cleanup_(freep) char *path = NULL;

                r = path_join(paths->runtime, runtime_directories[i], &path);
                if (r >= 0)
                        r = directory_make(path);
        }
        if (r >= 0)
                r = directory_make(paths->registry);
        return r < 0 ? r : directory_make(paths->user_records);
}
