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

/* Returns 1 when something has the name already. File systems without flags for rename(), as NFS is one, say EINVAL: then
 * a look beforehand has to do. */
static int rename_new(const char *from, const char *output) {
        struct stat status;

        if (renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno == EEXIST)
                return 1;
        if (errno != EINVAL)
                return -errno;
        if (lstat(output, &status) == 0)
                return 1;
        return errno != ENOENT || rename(from, output) < 0 ? -errno : 0;
}

/* The same in steps: a file takes the name from a file in one of them, and where directories are in the way the old
 * output gets its name back if the new one cannot have it. */
static int exchange_in_steps(const char *from, const char *output) {
        _cleanup_(freep) char *aside = NULL;
        struct stat status;

        int r = text_format(&aside, "%s.old", from);
        if (r < 0)
                return r;
        if (lstat(from, &status) < 0)
                return -errno;
        if ((S_ISDIR(status.st_mode) || link(output, aside) < 0) && rename(output, aside) < 0)
                return -errno;
        if (rename(from, output) < 0) {
                r = -errno;
                (void)rename(aside, output);
                return r;
        }
        (void)rename(aside, from);
        return 0;
}

int output_publish(const char *from, const char *output, bool replace) {
        int r = rename_new(from, output);
        if (r > 0 && !replace)
                return -EEXIST;
        if (r > 0 && renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_EXCHANGE) < 0)
                r = errno == EINVAL ? exchange_in_steps(from, output) : -errno;
        return r < 0 ? r : sync_parent(output);
}

/* What cannot be renamed or removed, however much it is wished for. */
static bool is_mount_point(const char *path) {
        struct statx status;

        return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
               (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int output_check(const Config *config, char ***problems) {
        _cleanup_(strv_freep) char **existing = NULL;

        int r = output_existing(config, &existing);
        for (char **path = existing; path && *path && r >= 0; path++)
                if (is_mount_point(*path))
                        r = strv_append_format(problems,
                                               "%s is a mount point: unmount it, or name another output",
                                               *path);
                else if (config->force == 0)
                        r = strv_append_format(problems, "%s exists already: use --force to replace it",
                                               *path);
        return r;
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
                if (is_mount_point(*path))
                        return log_error(-EBUSY, "Cannot remove %s: It is a mount point, unmount it first",
                                         *path);
                log_info("Removing %s", *path);
                r = tree_remove(AT_FDCWD, *path);
                if (r < 0)
                        return log_error(r, "Cannot remove %s: %m", *path);
        }
        return config->force >= 2 ? output_clean_package_cache(config) : 0;
}
