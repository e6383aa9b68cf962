/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/package-cache.h"

#define RETRY_MILLISECONDS 200

/* Returns -EWOULDBLOCK when somebody else has it. */
static int try_lock(int fd) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                return 0;
        /* Some network file systems lock no directories. */
        return errno == EBADF || errno == ENOLCK || errno == EOPNOTSUPP ? 0 : -errno;
}

/* A signal ends the waiting at once. */
static int wait_for_lock(int fd, const char *path) {
        struct pollfd signal = { .fd = interrupt_fd(), .events = POLLIN };
        bool said = false;
        int r;

        while ((r = try_lock(fd)) == -EWOULDBLOCK) {
                r = interrupt_check();
                if (r < 0)
                        return r;
                if (!said)
                        log_info("Waiting for another build that uses the package cache %s", path);
                said = true;
                (void)poll(&signal, 1, RETRY_MILLISECONDS);
        }
        return r;
}

static int lock_directory(const char *path, int *ret_fd) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        const int r = wait_for_lock(fd, path);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int package_cache_lock(const char *path, bool give, PackageCache *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;

        int r = caller_make_directories(path, 0755, give);
        if (r < 0)
                return log_error(r, "Cannot create the package cache %s: %m", path);
        r = lock_directory(path, &fd);
        if (r >= 0 && fstat(fd, &status) < 0)
                r = -errno;
        if (r < 0)
                return r != -EINTR ? log_error(r, "Cannot lock the package cache %s: %m", path) : r;
        *ret = (PackageCache){ .lock_fd = TAKE_FD(fd), .uid = status.st_uid, .gid = status.st_gid };
        return 0;
}

void package_cache_unlock(PackageCache *cache) {
        struct stat status;

        if (cache->lock_fd >= 0 && fstat(cache->lock_fd, &status) == 0 &&
            (status.st_uid != cache->uid || status.st_gid != cache->gid) &&
            fchown(cache->lock_fd, cache->uid, cache->gid) < 0)
                log_debug("Cannot give the package cache back to user %u: %m", (unsigned)cache->uid);
        cache->lock_fd = fd_close(cache->lock_fd);
}

static int remove_entries(int fd, const char *path) {
        _cleanup_(directory_closep) DIR *directory = fdopendir(fd);
        struct dirent *entry;

        if (!directory) {
                (void)close(fd);
                return log_error(-errno, "Cannot read the package cache %s: %m", path);
        }
        log_info("Emptying the package cache %s", path);
        while ((entry = readdir(directory))) {
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;
                const int r = tree_remove(dirfd(directory), entry->d_name);
                if (r < 0)
                        return log_error(r, "Cannot remove %s/%s: %m", path, entry->d_name);
        }
        return 0;
}

int package_cache_empty(const char *path) {
        int fd;

        const int r = lock_directory(path, &fd);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r != -EINTR ? log_error(r, "Cannot lock the package cache %s: %m", path) : r;
        return remove_entries(fd, path);
}
