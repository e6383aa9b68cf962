/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "run/scratch.h"
#include "sandbox/cgroup.h"

#define NAME_PREFIX "mkosi-run-"
#define CGROUP_NAME "cgroup" /* a link to where it is */

/* Whether what is open still has the name, and is ours: in a directory like /var/tmp, anybody makes names. */
static bool is_ours(int parent_fd, const char *name, int fd) {
        struct stat ours, current;

        return fstat(fd, &ours) == 0 && ours.st_uid == geteuid() &&
               fstatat(parent_fd, name, &current, AT_SYMLINK_NOFOLLOW) == 0 &&
               current.st_dev == ours.st_dev && current.st_ino == ours.st_ino;
}

/* Nobody else may have the lock. */
static void remove_locked(int parent_fd, const char *name, int fd) {
        char cgroup[PATH_MAX];

        const ssize_t size = readlinkat(fd, CGROUP_NAME, cgroup, sizeof(cgroup) - 1);
        if (size > 0) {
                cgroup[size] = '\0';
                if (cgroup_remove(cgroup) < 0)
                        return; /* somebody who cannot be killed yet: the next one tries again */
        }
        (void)tree_remove(parent_fd, name);
}

static void remove_stale(int parent_fd, const char *name) {
        _cleanup_(fd_closep) int fd =
                openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        pid_t holder;

        if (fd >= 0 && is_ours(parent_fd, name, fd) && file_lock(fd, FILE_LOCK_EXCLUSIVE, &holder) > 0 &&
            is_ours(parent_fd, name, fd))
                remove_locked(parent_fd, name, fd);
}

static int remove_all_stale(const char *parent) {
        _cleanup_(directory_closep) DIR *directory = opendir(parent);
        const struct dirent *entry;

        if (!directory)
                return -errno;
        while ((entry = readdir(directory)))
                if (text_after_prefix(entry->d_name, NAME_PREFIX))
                        remove_stale(dirfd(directory), entry->d_name);
        return 0;
}

/* 0 when somebody took it for a stale one before it was locked. */
static int make(const char *parent, char **ret_path, int *ret_fd) {
        _cleanup_(freep) char *path = NULL;
        pid_t holder;

        int r = path_join(parent, NAME_PREFIX "XXXXXX", &path);
        if (r < 0)
                return r;
        if (!mkdtemp(path))
                return -errno;
        r = file_lock_path(path, FILE_LOCK_EXCLUSIVE, ret_fd, &holder);
        if (r <= 0)
                return r == -ENOENT ? 0 : r;
        *ret_path = TAKE_PTR(path);
        return 1;
}

int scratch_new(const char *parent, Scratch **ret) {
        _cleanup_(freep) Scratch *scratch = calloc(1, sizeof(*scratch));

        if (!scratch)
                return -ENOMEM;
        int r = remove_all_stale(parent);
        if (r < 0)
                return r;
        do
                r = make(parent, &scratch->path, &scratch->fd);
        while (r == 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(scratch);
        return 0;
}

int scratch_note_cgroup(const Scratch *scratch, const char *cgroup) {
        if (unlinkat(scratch->fd, CGROUP_NAME, 0) < 0 && errno != ENOENT)
                return -errno;
        return symlinkat(cgroup, scratch->fd, CGROUP_NAME) < 0 ? -errno : 0;
}

void scratch_free(Scratch *scratch) {
        if (!scratch)
                return;
        remove_locked(AT_FDCWD, scratch->path, scratch->fd);
        (void)fd_close(scratch->fd);
        free(scratch->path);
        free(scratch);
}
