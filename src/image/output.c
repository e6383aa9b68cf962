/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/output.h"
#include "image/workspace.h"

static int sync_parent(const char *path) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        const int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

int output_publish(const char *from, const char *output, bool replace) {
        if (renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_NOREPLACE) < 0) {
                if (errno != EEXIST || !replace)
                        return -errno;
                /* Where a file system cannot exchange, a plain rename still replaces a file in one step. */
                if (renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_EXCHANGE) < 0 &&
                    (errno != EINVAL || rename(from, output) < 0))
                        return -errno;
        }
        return sync_parent(output);
}

int output_existing(const Config *config, char ***paths) {
        struct stat status;

        if (lstat(config->output, &status) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        return strv_append(paths, config->output);
}

int output_clean_package_cache(const Config *config) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        struct dirent *entry;

        if (!config->cache)
                return 0;
        directory = opendir(config->cache);
        if (!directory)
                return errno == ENOENT
                               ? 0
                               : log_error(-errno, "Cannot read the package cache %s: %m", config->cache);

        log_info("Emptying the package cache %s", config->cache);
        while ((entry = readdir(directory))) {
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;
                const int r = tree_remove(dirfd(directory), entry->d_name);
                if (r < 0)
                        return log_error(r, "Cannot remove %s/%s: %m", config->cache, entry->d_name);
        }
        return 0;
}

int output_clean(const Config *config) {
        _cleanup_(strv_freep) char **paths = NULL;

        int r = workspace_remove_stale(config->output);
        if (r < 0)
                return r == -EBUSY
                               ? log_error(r, "A build of %s is under way: stop it first", config->output)
                               : log_error(r, "Cannot remove what an interrupted build left beside %s: %m",
                                           config->output);
        r = output_existing(config, &paths);
        if (r < 0)
                return log_error(r, "Cannot look for %s: %m", config->output);

        for (char **path = paths; path && *path; path++) {
                log_info("Removing %s", *path);
                r = tree_remove(AT_FDCWD, *path);
                if (r < 0)
                        return log_error(r, "Cannot remove %s: %m", *path);
        }
        return config->force >= 2 ? output_clean_package_cache(config) : 0;
}
