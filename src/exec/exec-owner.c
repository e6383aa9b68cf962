/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/access-list.h"
#include "base/deep-walk.h"
#include "base/fd.h"
#include "exec/exec-owner.h"

#define ACCESS_LIST_SIZE_MAX 65536

/* What is done with everything below a directory; fd is O_PATH but of directories, also of a link, which is not followed. A
 * positive answer ends the walk. */
typedef int (*VisitNode)(int fd, const struct stat *status, void *userdata);

typedef struct OwnerWalk {
        VisitNode visit;
        void *userdata;
} OwnerWalk;

static int open_node(int directory_fd, const char *name) {
        const struct open_how how = {
                .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
        };
        const long fd = syscall(SYS_openat2, directory_fd, name, &how, sizeof(how));

        return fd < 0 ? -errno : (int)fd;
}

static int visit_deep_node(const DeepNode *node, void *userdata) {
        const OwnerWalk *const walk = userdata;
        _cleanup_(fd_closep) int fd = node->fd >= 0 ? -EBADF : open_node(node->parent_fd, node->name);
        const int node_fd = node->fd >= 0 ? node->fd : fd;
        struct stat status;

        /* A mount is somebody else's, and what is gone is nobody's. */
        if (node_fd < 0)
                return node_fd == -EXDEV || node_fd == -ENOENT ? 0 : node_fd;
        if (fstat(node_fd, &status) < 0)
                return -errno;
        return walk->visit(node_fd, &status, walk->userdata);
}

/* All that is in the directory, but not itself; what lies in a directory before it. */
static int walk_directory(int fd, VisitNode visit, void *userdata) {
        OwnerWalk walk = { .visit = visit, .userdata = userdata };

        return deep_walk(fd, &(DeepWalk){ .visit = visit_deep_node, .userdata = &walk });
}

/* The way to what a descriptor stands for, also one with O_PATH, for calls that take paths alone. */
typedef struct NodePath {
        char text[32];
} NodePath;

static NodePath node_path(int fd) {
        NodePath path;

        (void)snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
        return path;
}

/* One owner */

static bool has_access_list(int fd, const struct stat *status) {
        const NodePath path = node_path(fd);

        return !S_ISLNK(status->st_mode) && (getxattr(path.text, ACCESS_LIST_ATTRIBUTE, NULL, 0) > 0 ||
                                             getxattr(path.text, ACCESS_LIST_DEFAULT_ATTRIBUTE, NULL, 0) > 0);
}

static int visit_foreign(int fd, const struct stat *status, void *userdata) {
        const uid_t uid = *(const uid_t *)userdata;

        return status->st_uid != uid || status->st_gid != uid || (status->st_mode & (S_ISUID | S_ISGID)) ||
               has_access_list(fd, status);
}

int owner_is_one(int directory_fd) {
        struct stat status;

        if (fstat(directory_fd, &status) < 0)
                return -errno;
        uid_t uid = status.st_uid;
        int r = visit_foreign(directory_fd, &status, &uid);
        if (r == 0)
                r = walk_directory(directory_fd, visit_foreign, &uid);
        return r < 0 ? r : r == 0;
}

/* Files with several names */

typedef struct LinkedFile {
        dev_t device;
        ino_t inode;
        nlink_t n_seen;
} LinkedFile;

typedef struct OwnerState {
        const OwnerChange *change;
        uid_t former; /* owner of the top directory */
        LinkedFile *links;
        size_t n_links, n_allocated;
} OwnerState;

static void owner_state_done(OwnerState *state) {
        free(state->links);
}

static bool has_names(const struct stat *status) {
        return !S_ISDIR(status->st_mode) && status->st_nlink > 1;
}

static int visit_count(int fd, const struct stat *status, void *userdata) {
        OwnerState *const state = userdata;

        if (!has_names(status))
                return 0;
        if (state->n_links == state->n_allocated) {
                const size_t n = state->n_allocated ? 2 * state->n_allocated : 64;
                LinkedFile *const grown = reallocarray(state->links, n, sizeof(LinkedFile));

                if (!grown)
                        return -ENOMEM;
                state->links = grown;
                state->n_allocated = n;
        }
        state->links[state->n_links++] =
                (LinkedFile){ .device = status->st_dev, .inode = status->st_ino, .n_seen = 1 };
        return 0;
}

static int compare_files(const void *a, const void *b) {
        const LinkedFile *const x = a, *const y = b;

        if (x->device != y->device)
                return x->device < y->device ? -1 : 1;
        return x->inode == y->inode ? 0 : x->inode < y->inode ? -1 : 1;
}

/* One entry for each file, with the number of its names in the tree. */
static void sum_up_links(OwnerState *state) {
        size_t n = 0;

        if (state->n_links == 0)
                return;
        qsort(state->links, state->n_links, sizeof(LinkedFile), compare_files);
        for (size_t i = 1; i < state->n_links; i++)
                if (compare_files(&state->links[n], &state->links[i]) == 0)
                        state->links[n].n_seen++;
                else
                        state->links[++n] = state->links[i];
        state->n_links = n + 1;
}

static bool is_outside(const OwnerState *state, const struct stat *status) {
        const LinkedFile key = { .device = status->st_dev, .inode = status->st_ino };

        if (!has_names(status) || (status->st_uid == state->former && state->former != 0))
                return false;
        const LinkedFile *const found = state->n_links == 0 ? NULL
                                                            : bsearch(&key, state->links, state->n_links,
                                                                      sizeof(LinkedFile), compare_files);
        return !found || found->n_seen != status->st_nlink;
}

/* The change */

/* Permission bits that are right without the list. */
static int drop_access_lists(int fd, mode_t *mode) {
        const NodePath path = node_path(fd);
        _cleanup_(freep) char *value = NULL;

        const ssize_t size = getxattr(path.text, ACCESS_LIST_ATTRIBUTE, NULL, 0);
        if (size > 0 && size <= ACCESS_LIST_SIZE_MAX) {
                value = malloc((size_t)size);
                if (!value)
                        return -ENOMEM;
                if (getxattr(path.text, ACCESS_LIST_ATTRIBUTE, value, (size_t)size) == size &&
                    access_list_strip(value, (size_t)size, *mode, mode) < 0)
                        *mode &= ~(mode_t)S_IRWXG;
        }
        if (size > 0 && removexattr(path.text, ACCESS_LIST_ATTRIBUTE) < 0 && errno != ENODATA)
                return -errno;
        if (removexattr(path.text, ACCESS_LIST_DEFAULT_ATTRIBUTE) < 0 && errno != ENODATA &&
            errno != EOPNOTSUPP && errno != EACCES)
                return -errno;
        return 0;
}

/* The bits go first: there is no moment at which a file of the new owner has those that the former one set. */
static int change_node(int fd, const struct stat *status, const OwnerChange *change) {
        if (!S_ISLNK(status->st_mode)) {
                mode_t mode = status->st_mode & 07777;

                const int r = drop_access_lists(fd, &mode);
                if (r < 0)
                        return r;
                /* Of files the kernel takes the set-id bits with the owner, whoever keeps them. */
                mode &= S_ISDIR(status->st_mode) ? change->mode_mask : change->mode_mask & 01777;
                if (mode != (status->st_mode & 07777) && chmod(node_path(fd).text, mode) < 0)
                        return -errno;
        }
        if (status->st_uid == change->uid && status->st_gid == change->gid)
                return 0;
        return fchownat(fd, "", change->uid, change->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int visit_change(int fd, const struct stat *status, void *userdata) {
        const OwnerState *const state = userdata;

        return is_outside(state, status) ? 0 : change_node(fd, status, state->change);
}

int owner_change(int directory_fd, const OwnerChange *change) {
        _cleanup_(owner_state_done) OwnerState state = { .change = change };
        struct stat status;

        if (fstat(directory_fd, &status) < 0)
                return -errno;
        state.former = status.st_uid;
        int r = walk_directory(directory_fd, visit_count, &state);
        if (r >= 0) {
                sum_up_links(&state);
                r = walk_directory(directory_fd, visit_change, &state);
        }
        return r < 0 ? r : change_node(directory_fd, &status, change);
}
