/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/workspace.h"

#define LOCK_NAME "lock"

#define RETRY_MILLISECONDS 20
#define SAID_AFTER_MS      1000
#define PATIENCE_MS        30000 /* with what the kernel has been told to kill */

/* Returns -EINTR when a signal came meanwhile. */
static int wait_a_moment(void) {
        struct pollfd signal = { .fd = interrupt_fd(), .events = POLLIN };

        (void)poll(&signal, 1, RETRY_MILLISECONDS);
        return interrupt_check();
}

/* Makes the directory if need be and takes its lock. -EBUSY: somebody has it. -ESTALE: the directory went away meanwhile,
 * try again. */
static int lock_directory(const char *path, int *ret_fd, int *ret_lock_fd, pid_t *ret_holder) {
        _cleanup_(fd_closep) int fd = -EBADF, lock_fd = -EBADF;
        struct stat ours, current;

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESTALE : -errno;
        lock_fd = openat(fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (lock_fd < 0) {
                const int r = errno == ENOENT ? -ESTALE : -errno;
                /* One that could get no lock is empty, and nobody's. */
                (void)rmdir(path);
                return r;
        }
        const int r = file_lock(lock_fd, FILE_LOCK_EXCLUSIVE, ret_holder);
        if (r <= 0)
                return r < 0 ? r : -EBUSY;

        /* Between mkdir() and flock() its owner may have ended and removed it. */
        if (fstat(lock_fd, &ours) < 0)
                return -errno;
        if (fstatat(AT_FDCWD, path, &current, AT_SYMLINK_NOFOLLOW) < 0 || ours.st_nlink == 0)
                return -ESTALE;

        *ret_fd = TAKE_FD(fd);
        *ret_lock_fd = TAKE_FD(lock_fd);
        return 0;
}

/* Empties the directory but for the lock, which keeps others out meanwhile. */
static int remove_leftovers(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        struct dirent *entry;

        if (!directory)
                return -errno;

        while ((entry = readdir(directory))) {
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..") ||
                    text_equal(entry->d_name, LOCK_NAME))
                        continue;

                const int r = tree_remove(dirfd(directory), entry->d_name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The same until it stays empty: what is being killed may put something there to the last. */
static int remove_leftovers_of_dead(const char *path) {
        int r;

        for (unsigned waited = 0; (r = remove_leftovers(path)) == -ENOTEMPTY && waited < PATIENCE_MS;
             waited += RETRY_MILLISECONDS) {
                const int waiting = wait_a_moment();
                if (waiting < 0)
                        return waiting;
        }
        return r;
}

/* Takes the lock. A build that was killed is gone, but the processes that it had started, which the kernel kills with it, are
 * not gone at the same moment, and they have the lock as well: when nobody is left of those that took it, it is waited for. */
static int lock(const char *path, int *ret_fd, int *ret_lock_fd, pid_t *ret_holder) {
        unsigned waited = 0;

        for (;;) {
                int r = lock_directory(path, ret_fd, ret_lock_fd, ret_holder);
                if (r == -ESTALE)
                        continue;
                if (r != -EBUSY || *ret_holder != 0 || waited >= PATIENCE_MS)
                        return r;
                r = wait_a_moment();
                if (r < 0)
                        return r;
                waited += RETRY_MILLISECONDS;
                if (waited == SAID_AFTER_MS)
                        log_info("Waiting for what a build that was killed has left running: %s is locked",
                                 path);
        }
}

static int output_workspace_path(const char *output, char **ret) {
        _cleanup_(freep) char *parent = NULL;

        const int r = path_parent(output, &parent);
        if (r < 0)
                return r;
        return text_format(ret, "%s/.mkosi-%s", text_equal(parent, "/") ? "" : parent,
                           path_base_name(output));
}

int workspace_new(const char *output, Workspace **ret, pid_t *ret_holder) {
        _cleanup_(freep) Workspace *workspace = calloc(1, sizeof(*workspace));
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF, lock_fd = -EBADF;
        int r;

        if (!workspace)
                return -ENOMEM;
        r = output_workspace_path(output, &path);
        if (r < 0)
                return r;

        r = lock(path, &fd, &lock_fd, ret_holder);
        if (r < 0)
                return r;

        r = remove_leftovers_of_dead(path);
        if (r < 0)
                return r;

        *workspace = (Workspace){ .path = TAKE_PTR(path), .fd = TAKE_FD(fd), .lock_fd = TAKE_FD(lock_fd) };
        *ret = TAKE_PTR(workspace);
        return 0;
}

bool workspace_exists(const char *output) {
        _cleanup_(freep) char *path = NULL;

        return output_workspace_path(output, &path) >= 0 && access(path, F_OK) == 0;
}

int workspace_remove(Workspace *workspace) {
        int r;

        if (!workspace->path)
                return 0;
        r = remove_leftovers(workspace->path);
        if (r < 0)
                return r;

        /* The lock goes last. Whoever comes between these two calls makes a lock of his own, and keeps the directory. */
        if (unlinkat(workspace->fd, LOCK_NAME, 0) < 0)
                return -errno;
        if (rmdir(workspace->path) < 0 && errno != ENOTEMPTY && errno != ENOENT)
                return -errno;
        free(TAKE_PTR(workspace->path));
        return 0;
}

void workspace_free(Workspace *workspace) {
        if (!workspace)
                return;
        (void)workspace_remove(workspace);
        (void)fd_close(workspace->fd);
        (void)fd_close(workspace->lock_fd);
        free(workspace->path);
        free(workspace);
}
