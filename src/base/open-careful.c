/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/open-careful.h"
#include "base/text.h"

#define LINKS_MAX 40 /* as in the kernel */

typedef struct CarefulWalk {
        int fd;              /* the directory that was reached */
        char rest[PATH_MAX]; /* what is to be walked from there */
        uid_t planter;       /* whose link was followed; 0: none, or only what is root's or ours */
        unsigned n_links;
        Reason *reason;
} CarefulWalk;

static bool is_trusted(uid_t uid) {
        return uid == 0 || uid == geteuid();
}

static int walk_open_root(CarefulWalk *walk) {
        (void)fd_close(walk->fd);
        walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return walk->fd < 0 ? -errno : 0;
}

/* Cuts the next component off the rest; "" when nothing is left. */
static void walk_next(CarefulWalk *walk, char name[static PATH_MAX]) {
        const size_t start = strspn(walk->rest, "/");
        const size_t length = strcspn(walk->rest + start, "/");

        memcpy(name, walk->rest + start, length);
        name[length] = '\0';
        memmove(walk->rest, walk->rest + start + length, strlen(walk->rest + start + length) + 1);
}

static bool walk_is_over(const CarefulWalk *walk) {
        return walk->rest[strspn(walk->rest, "/")] == '\0';
}

/* A directory is opened as one, so that what is mounted on demand is there; what is none is as it lies there. */
static int open_component(const CarefulWalk *walk, const char *name) {
        int fd = openat(walk->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
                fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int note_planter(CarefulWalk *walk, const char *name, uid_t owner) {
        if (is_trusted(owner))
                return 0;
        if (walk->planter != 0 && walk->planter != owner)
                return reason_set(walk->reason, -EPERM,
                                  "links of user %u and of user %u (\"%s\") are on the way",
                                  (unsigned)walk->planter, (unsigned)owner, name);
        walk->planter = owner;
        return 0;
}

/* What the kernel links to (/proc/self/fd/1) has no path; users make no links there. 1: *fd is what it leads to. */
static int follow_magic(const CarefulWalk *walk, const char *name, int *fd) {
        struct statfs system;

        if (fstatfs(*fd, &system) < 0)
                return -errno;
        if (system.f_type != PROC_SUPER_MAGIC)
                return 0;
        const int target = openat(walk->fd, name, O_PATH | O_CLOEXEC);
        if (target < 0)
                return -errno;
        (void)fd_close(*fd);
        *fd = target;
        return 1;
}

/* Puts the link's text in front of what is left. 1: it was followed already, and *fd is what it leads to. */
static int walk_follow(CarefulWalk *walk, const char *name, uid_t owner, int *fd) {
        char text[PATH_MAX], joined[PATH_MAX];

        if (++walk->n_links > LINKS_MAX)
                return -ELOOP;
        int r = note_planter(walk, name, owner);
        if (r >= 0)
                r = follow_magic(walk, name, fd);
        if (r != 0)
                return r;
        const ssize_t length = readlinkat(*fd, "", text, sizeof(text));
        if (length < 0)
                return -errno;
        const int n = snprintf(joined, sizeof(joined), "%.*s/%s", (int)length, text, walk->rest);
        if (n < 0 || (size_t)n >= sizeof(joined))
                return -ENAMETOOLONG;
        memcpy(walk->rest, joined, (size_t)n + 1);
        return text[0] == '/' ? walk_open_root(walk) : 0;
}

/* Whether what a user has put on the way leads to what is theirs, or may be made where it leads. */
static int check_planter(const CarefulWalk *walk, const char *name, const struct stat *directory,
                         const struct stat *file) {
        if (walk->planter == 0 || directory->st_uid == walk->planter ||
            (file && file->st_uid == walk->planter))
                return 0;
        return reason_set(
                walk->reason, -EPERM,
                "a link of user %u leads to \"%s\", which is not theirs: name the file itself, or give the "
                "link to root",
                (unsigned)walk->planter, name);
}

static int check_names(const CarefulWalk *walk, const char *name, const struct stat *directory,
                       const struct stat *file) {
        const bool shared = !is_trusted(directory->st_uid) || (directory->st_mode & (S_IWGRP | S_IWOTH));

        if (!S_ISREG(file->st_mode) || file->st_nlink <= 1 || !shared ||
            (!is_trusted(directory->st_uid) && file->st_uid == directory->st_uid))
                return 0;
        return reason_set(walk->reason, -EPERM,
                          "\"%s\" has other names, and others than root can have made this one: remove it",
                          name);
}

static int reopen(int fd, int flags) {
        char path[64];

        if (flags & O_PATH)
                return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path, (flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC);
}

/* The end of the way: *fd is there, but no link. */
static int open_found(const CarefulWalk *walk, const char *name, int fd, int flags) {
        struct stat directory, file;

        if (fstat(walk->fd, &directory) < 0 || fstat(fd, &file) < 0)
                return -errno;
        int r = check_planter(walk, name, &directory, &file);
        if (r >= 0)
                r = check_names(walk, name, &directory, &file);
        if (r < 0)
                return r;
        r = reopen(fd, flags);
        return r < 0 ? -errno : r;
}

/* -EEXIST when something has come there meanwhile. */
static int open_new(const CarefulWalk *walk, const char *name, int flags, mode_t mode) {
        struct stat directory;

        if (fstat(walk->fd, &directory) < 0)
                return -errno;
        const int r = check_planter(walk, name, &directory, NULL);
        if (r < 0)
                return r;
        const int fd = openat(walk->fd, name, flags | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
}

/* It is there now, and looked at once more. */
static int walk_again(CarefulWalk *walk, const char *name) {
        if (++walk->n_links > LINKS_MAX)
                return -ELOOP;
        memcpy(walk->rest, name, strlen(name) + 1);
        return 0;
}

/* One component: 1 when it is the last one and was opened, as *ret; 0 when the walk goes on. */
static int walk_step(CarefulWalk *walk, const char *name, int flags, mode_t mode, int *ret) {
        _cleanup_(fd_closep) int fd = open_component(walk, name);
        struct stat status;
        int r = 0;

        if (fd == -ENOENT && walk_is_over(walk) && (flags & O_CREAT)) {
                r = open_new(walk, name, flags, mode);
                if (r == -EEXIST)
                        return walk_again(walk, name);
                if (r >= 0)
                        *ret = r;
                return r < 0 ? r : 1;
        }
        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISLNK(status.st_mode)) {
                r = walk_follow(walk, name, status.st_uid, &fd);
                if (r <= 0)
                        return r;
        }
        if (walk_is_over(walk)) {
                r = open_found(walk, name, fd, flags);
                if (r >= 0)
                        *ret = r;
                return r < 0 ? r : 1;
        }
        (void)fd_close(walk->fd);
        walk->fd = TAKE_FD(fd);
        return 0;
}

int open_careful(const char *path, int flags, mode_t mode, Reason *reason) {
        CarefulWalk walk = { .fd = -EBADF, .reason = reason };
        char name[PATH_MAX];
        int fd = -EBADF;

        if (path[0] != '/')
                return -EINVAL;
        const int n = snprintf(walk.rest, sizeof(walk.rest), "%s", path);
        if (n < 0 || (size_t)n >= sizeof(walk.rest))
                return -ENAMETOOLONG;
        int r = walk_open_root(&walk);
        while (r == 0) {
                walk_next(&walk, name);
                r = walk_step(&walk, name[0] ? name : ".", flags, mode, &fd);
        }
        (void)fd_close(walk.fd);
        return r < 0 ? r : fd;
}
