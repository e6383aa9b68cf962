/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/clean.h"
#include "image/failure.h"
#include "image/kept-output.h"
#include "image/kept-tree.h"
#include "image/output-lock.h"
#include "image/output.h"
#include "image/package-cache.h"
#include "image/workspace.h"

static int remove_logged(const char *path) {
        struct stat status;

        if (lstat(path, &status) < 0)
                return 0;
        if (output_is_mount_point(path))
                return log_error(-EBUSY, "Cannot remove %s: It is a mount point, unmount it first", path);
        log_info("Removing %s", path);
        const int r = tree_remove(AT_FDCWD, path);
        return r < 0 ? log_error(r, "Cannot remove %s: %m", path) : 0;
}

static int empty_build_directory(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        const struct dirent *entry;
        int r = 0;

        if (!directory)
                return errno == ENOENT ? 0
                                       : log_error(-errno, "Cannot read the build directory %s: %m", path);
        log_info("Emptying the build directory %s", path);
        while (r >= 0 && (entry = readdir(directory)))
                if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
                        r = tree_remove(dirfd(directory), entry->d_name);
        return r < 0 ? log_error(r, "Cannot empty the build directory %s: %m", path) : 0;
}

int clean_kept(const Config *config, unsigned force) {
        _cleanup_(freep) char *record = NULL;
        int r = 0;

        if (force < 2)
                return 0;
        for (KeptKind kind = 0; kind < KEPT_MAX && r >= 0; kind++) {
                _cleanup_(freep) char *path = NULL;

                r = kept_tree_directory(config, kind, &path);
                if (r >= 0)
                        r = remove_logged(path);
        }
        if (r >= 0)
                r = kept_output_path(config, &record);
        if (r >= 0)
                r = remove_logged(record);
        if (r >= 0 && config->build_directory)
                r = empty_build_directory(config->build_directory);
        if (r >= 0 && force >= 3 && config->cache)
                r = package_cache_empty(config->cache);
        return r;
}

/* Keeps builds out while all of it is removed, and takes what a build that was killed has left. Where no directory can be made
 * there was no build either. */
static int keep_builds_out(const Config *config, Workspace **ret) {
        pid_t holder = 0;

        const int r = workspace_new(config->output, ret, &holder);
        switch (r) {
        case -ENOENT:
        case -ENOTDIR:
        case -EACCES:
        case -EROFS:
        case -ENOSPC:
        case -EDQUOT:
                if (!workspace_exists(config->output))
                        return 0;
                break;
        case -EBUSY:
                return log_error(r, "A build of %s is under way (process %d): stop it first", config->output,
                                 (int)holder);
        case -EINTR:
                return r;
        }
        return r < 0 ? log_error(r, "Cannot remove what an interrupted build left beside %s: %m",
                                 config->output)
                     : 0;
}

/* Check sums of another image of the directory stay. */
static int remove_output(const Config *config) {
        _cleanup_(strv_freep) char **paths = NULL;
        _cleanup_(freep) char *checksums = NULL;

        int r = output_existing(config, true, &paths);
        if (r < 0)
                return log_error(r, "Cannot look for %s: %m", config->output);
        r = artefact_output(config, ARTEFACT_CHECKSUMS, &checksums);
        if (r < 0)
                return r;
        const bool others =
                access(checksums, F_OK) == 0 && !output_checksums_are_about(checksums, config->output);

        for (char **path = paths; path && *path && r >= 0; path++)
                /* SHA256SUMS, and SHA256SUMS.gpg */
                if (!others || !text_after_prefix(*path, checksums))
                        r = remove_logged(*path);
        return r;
}

int clean_output(const Config *config) {
        _cleanup_(workspace_freep) Workspace *workspace = NULL;
        _cleanup_(fd_closep) int lock_fd = -EBADF;
        _cleanup_(freep) char *failed = NULL;

        /* In the order in which a build takes them. */
        int r = keep_builds_out(config, &workspace);
        if (r >= 0)
                r = output_lock(config->output, false, &lock_fd);
        if (r >= 0)
                r = remove_output(config);
        if (r >= 0)
                r = failure_tree_path(config, &failed);
        if (r >= 0)
                r = remove_logged(failed);
        return r < 0 ? r : clean_kept(config, config->force + 1);
}
