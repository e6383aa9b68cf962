/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "exec/exec-directories-place.h"
#include "exec/exec-directories.h"
#include "exec/exec-owner.h"
#include "sandbox/view.h"
#include "unit/exec-status.h"
#include "user/dynamic-user.h"

#define BOUNDARY_MODE 0700

/* One directory under way. */
typedef struct Making {
        const ExecDirectories *all;
        ExecDirectory *directory;
        uid_t uid;
        gid_t gid;
        bool dynamic;
        bool is_new; /* made here */
} Making;

static const char *last_name(const Making *making) {
        return path_base_name(making->directory->name);
}

/* "/var/lib/private/a" of "a" in /var/lib, also of a user who is not dynamic. */
static int private_path(const ExecDirectory *directory, char **ret) {
        const int prefix_length = (int)(strlen(directory->public) - strlen(directory->name));

        return text_format(ret, "%.*s" EXEC_BOUNDARY "/%s", prefix_length, directory->public,
                           directory->name);
}

/* Where the link leads that stands at the public place: "../private/a/b" of "a/b". */
static int link_target(const ExecDirectory *directory, char **ret) {
        _cleanup_(freep) char *target = NULL;

        int r = text_format(&target, EXEC_BOUNDARY "/%s", directory->name);
        for (const char *slash = directory->name; r >= 0 && (slash = strchr(slash, '/')); slash++) {
                char *longer;

                r = text_format(&longer, "../%s", target);
                if (r >= 0) {
                        free(target);
                        target = longer;
                }
        }
        if (r >= 0)
                *ret = TAKE_PTR(target);
        return r;
}

/* 1 when this is a link that leads there, 0 when it is one that leads elsewhere, -EINVAL when it is no link. */
static int link_check(int parent_fd, const char *name, const char *target) {
        char text[PATH_MAX];

        const ssize_t n = readlinkat(parent_fd, name, text, sizeof(text) - 1);
        if (n < 0)
                return -errno;
        text[n] = '\0';
        return text_equal(text, target);
}

/* Without it, whoever gets the number of a user that is gone could reach what that left behind. One that is open is not
 * closed here: who could get in may have taken anything out already, or in. */
static int check_boundary(const Making *making, Reason *reason) {
        _cleanup_(freep) char *path = NULL;
        struct stat status;

        const int fd = exec_directory_open_prefix(making->directory, making->directory->public, true);
        if (fd < 0)
                return fd;
        int r = mkdirat(fd, EXEC_BOUNDARY, BOUNDARY_MODE) < 0 && errno != EEXIST ? -errno : 0;
        if (r >= 0 && fstatat(fd, EXEC_BOUNDARY, &status, AT_SYMLINK_NOFOLLOW) < 0)
                r = -errno;
        (void)fd_close(fd);
        if (r >= 0)
                r = text_format(&path, "%.*s" EXEC_BOUNDARY,
                                (int)(strlen(making->directory->public) - strlen(making->directory->name)),
                                making->directory->public);
        if (r < 0)
                return r;
        if (!S_ISDIR(status.st_mode) || status.st_uid != 0 || status.st_gid != 0 ||
            (status.st_mode & 07777) != BOUNDARY_MODE)
                return reason_set(
                        reason, -EPERM,
                        "%s is not a directory that only root may enter; see what is in it, then run: "
                        "chown root:root %s && chmod 0700 %s",
                        path, path, path);
        return 0;
}

/* Moves the directory between both places, if it is only where it is not to be. */
static int move_directory(const Making *making, const char *from, const char *to) {
        _cleanup_(fd_closep) int from_fd = -EBADF, to_fd = -EBADF;

        from_fd = exec_directory_open_parent(making->directory, from, false);
        if (from_fd < 0)
                return from_fd;
        to_fd = exec_directory_open_parent(making->directory, to, true);
        if (to_fd < 0)
                return to_fd;
        return renameat2(from_fd, last_name(making), to_fd, last_name(making), RENAME_NOREPLACE) < 0 ? -errno
                                                                                                     : 0;
}

/* What another user of this service, who was not dynamic, has left at the public place. */
static int migrate_in(const Making *making, int public_fd, Reason *reason) {
        const ExecDirectory *const directory = making->directory;
        struct stat status;

        if (fstatat(public_fd, last_name(making), &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(status.st_mode))
                return 0;
        const int r = move_directory(making, directory->public, directory->private);
        if (r != -EEXIST)
                return r < 0 ? reason_set(reason, r, "Cannot move %s to %s: %m", directory->public,
                                          directory->private)
                             : 0;
        if (unlinkat(public_fd, last_name(making), AT_REMOVEDIR) == 0)
                return 0;
        return reason_set(reason, -EEXIST, "There are both %s and %s; leave one of them", directory->public,
                          directory->private);
}

static int make_link(int public_fd, const Making *making, Reason *reason) {
        _cleanup_(freep) char *target = NULL;

        int r = link_target(making->directory, &target);
        if (r < 0)
                return r;
        if (symlinkat(target, public_fd, last_name(making)) == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        r = link_check(public_fd, last_name(making), target);
        return r > 0 ? 0
                     : reason_set(reason, -EEXIST, "%s is in the way of the link to %s; remove it",
                                  making->directory->public, making->directory->private);
}

/* Another of the same type in whose place this one lies: the link there leads to this one as well. */
static bool parent_is_listed(const Making *making) {
        for (size_t i = 0; i < making->all->n_items; i++) {
                const ExecDirectory *const other = &making->all->items[i];

                if (other != making->directory && other->type == making->directory->type &&
                    path_is_below(making->directory->public, other->public))
                        return true;
        }
        return false;
}

/* The directory in the parent, made if it is not there. */
static int make_directory(Making *making, int parent_fd) {
        if (mkdirat(parent_fd, last_name(making), making->directory->mode & 0700) == 0)
                making->is_new = true;
        else if (errno != EEXIST)
                return -errno;
        const int fd = openat(parent_fd, last_name(making), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int open_private(Making *making, int *ret, Reason *reason) {
        _cleanup_(fd_closep) int public_fd = -EBADF, parent_fd = -EBADF, fd = -EBADF;
        const bool linked = !parent_is_listed(making);

        int r = check_boundary(making, reason);
        if (r < 0)
                return r;
        if (linked) {
                public_fd = exec_directory_open_parent(making->directory, making->directory->public, true);
                if (public_fd < 0)
                        return public_fd;
                r = migrate_in(making, public_fd, reason);
                if (r < 0)
                        return r;
        }
        parent_fd = exec_directory_open_parent(making->directory, making->directory->private, true);
        if (parent_fd < 0)
                return parent_fd;
        fd = make_directory(making, parent_fd);
        if (fd < 0)
                return fd;
        r = linked ? make_link(public_fd, making, reason) : 0;
        if (r >= 0)
                *ret = TAKE_FD(fd);
        return r;
}

/* A link that the administrator made, in a place that only root can write to, leads where he wants it. */
static int open_behind_link(int parent_fd, const Making *making, Reason *reason) {
        struct stat status;

        if (fstat(parent_fd, &status) < 0)
                return -errno;
        if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)))
                return reason_set(reason, -ELOOP,
                                  "%s is a link that others than root may have made; remove it",
                                  making->directory->public);
        const int fd = openat(parent_fd, last_name(making), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* What a dynamic user of this service has left. */
static int migrate_out(const Making *making, int parent_fd, const char *private) {
        _cleanup_(freep) char *target = NULL;

        int r = link_target(making->directory, &target);
        if (r >= 0)
                r = link_check(parent_fd, last_name(making), target);
        if (r <= 0)
                return r == -ENOENT || r == -EINVAL ? 0 : r;
        if (unlinkat(parent_fd, last_name(making), 0) < 0)
                return -errno;
        r = move_directory(making, private, making->directory->public);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                (void)symlinkat(target, parent_fd, last_name(making));
        return r;
}

static int open_public(Making *making, int *ret, Reason *reason) {
        _cleanup_(fd_closep) int parent_fd = -EBADF;
        _cleanup_(freep) char *private = NULL;

        parent_fd = exec_directory_open_parent(making->directory, making->directory->public, true);
        if (parent_fd < 0)
                return parent_fd;
        int r = private_path(making->directory, &private);
        if (r >= 0)
                r = migrate_out(making, parent_fd, private);
        if (r < 0)
                return reason_set(reason, r, "Cannot move %s to %s: %m", private ?: "it",
                                  making->directory->public);
        int fd = make_directory(making, parent_fd);
        if (fd == -ENOTDIR || fd == -ELOOP)
                fd = open_behind_link(parent_fd, making, reason);
        if (fd < 0)
                return fd;
        *ret = fd;
        return 0;
}

/* A directory of a dynamic user whose number was another one: shown with this one's where that can be done, as then
 * nothing has to be changed. Only of numbers that cannot be anybody else's. */
static int can_be_shown(const Making *making, int fd, const struct stat *status) {
        if (!making->dynamic || !making->directory->private || status->st_uid < DYNAMIC_USER_FIRST ||
            status->st_uid > DYNAMIC_USER_LAST || status->st_gid != status->st_uid)
                return 0;
        const int r = view_can_map_owners(fd);
        return r <= 0 ? r : owner_is_one(fd);
}

/* A directory that was made just now is given away as any other: nobody has put anything into it yet. */
static int set_owner(const Making *making, int fd) {
        const OwnerChange change = {
                .uid = making->uid,
                .gid = making->gid,
                .mode_mask = making->dynamic ? 01777 : 07777,
        };
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (status.st_uid == making->uid && status.st_gid == making->gid &&
            !(making->dynamic && (status.st_mode & (S_ISUID | S_ISGID))))
                return 0;
        const int r = can_be_shown(making, fd, &status);
        if (r < 0)
                return r;
        if (r > 0) {
                making->directory->disk_uid = status.st_uid;
                return 0;
        }
        return owner_change(fd, &change);
}

/* What is right already is not touched: not even the time of its last change moves. */
static int set_mode(const Making *making, int fd) {
        const mode_t mode = making->directory->mode & (making->dynamic ? 01777 : 07777);
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        return (status.st_mode & 07777) == mode || fchmod(fd, mode) == 0 ? 0 : -errno;
}

/* Configuration is the administrator's, and so are owner and mode of what is there. */
static int make_one(Making *making, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const bool is_configuration = making->directory->type == EXEC_DIRECTORY_CONFIGURATION;

        making->directory->disk_uid = making->uid;
        int r = making->directory->private ? open_private(making, &fd, reason)
                                           : open_public(making, &fd, reason);
        if (r < 0)
                return r;
        if (is_configuration)
                return making->is_new ? set_mode(making, fd) : 0;
        r = set_owner(making, fd);
        return r < 0 ? r : set_mode(making, fd);
}

int exec_directories_make(ExecDirectories *directories, uid_t uid, gid_t gid, bool dynamic, int *ret_exit,
                          Reason *reason) {
        for (size_t i = 0; i < directories->n_items; i++) {
                Making making = {
                        .all = directories,
                        .directory = &directories->items[i],
                        .uid = uid,
                        .gid = gid,
                        .dynamic = dynamic,
                };

                const int r = make_one(&making, reason);
                if (r < 0) {
                        *ret_exit = exec_directory_exit(making.directory->type);
                        return reason_set(reason, r, "Cannot make the directory %s: %m",
                                          making.directory->public);
                }
        }
        return 0;
}
