/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/path-walk.h"
#include "base/text.h"

#define LINKS_MAX 40 /* as the kernel has it, path_resolution(7) */

/* Where the walk is. */
typedef struct Step {
        int fd, above_fd;   /* what was come to, and the directory that has it; -EBADF above "/" */
        struct stat status; /* of what led here last: a link too */
        char *rest;         /* still to be gone */
        unsigned n_links;
        bool is_trusted;
} Step;

static void step_done(Step *step) {
        (void)fd_close(step->fd);
        (void)fd_close(step->above_fd);
        free(step->rest);
}

void path_walk_done(PathWalk *walk) {
        walk->fd = walk->fd >= 0 ? fd_close(walk->fd) : -EBADF;
        walk->directory_fd = fd_close(walk->directory_fd);
}

static int open_root(int *ret_fd, struct stat *ret_status) {
        _cleanup_(fd_closep) int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fstat(fd, ret_status) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Takes the next component off the path; NULL in the end. */
static int next_component(Step *step, char **ret) {
        const char *at = step->rest + strspn(step->rest, "/");
        _cleanup_(freep) char *rest = NULL, *name = NULL;
        const size_t length = strcspn(at, "/");

        if (length > 0) {
                name = strndup(at, length);
                rest = strdup(at + length);
                if (!name || !rest)
                        return -ENOMEM;
                free(step->rest);
                step->rest = TAKE_PTR(rest);
        }
        *ret = TAKE_PTR(name);
        return 0;
}

/* Whoever owns the one must not lead us to what he does not own. */
static bool is_unsafe(const struct stat *from, const struct stat *to) {
        return from->st_uid != 0 && from->st_uid != to->st_uid;
}

/* What the link says comes before the rest of the path. An answer that is negative ends the walk. */
static int follow_link(Step *step, int link_fd, const struct stat *status) {
        char target[PATH_MAX];
        char *rest;

        if (++step->n_links > LINKS_MAX)
                return -ELOOP;
        const ssize_t n = readlinkat(link_fd, "", target, sizeof(target));
        if (n < 0)
                return -errno;
        if (n == 0 || (size_t)n >= sizeof(target))
                return -ENOENT;
        target[n] = '\0';
        int r = text_format(&rest, "%s/%s", target, step->rest);
        if (r < 0)
                return r;
        free(step->rest);
        step->rest = rest;
        step->status = *status;
        if (target[0] != '/')
                return 0;

        int root_fd;
        r = open_root(&root_fd, &step->status);
        if (r < 0)
                return r;
        (void)fd_close(step->fd);
        step->fd = root_fd;
        step->above_fd = fd_close(step->above_fd);
        return is_unsafe(status, &step->status) ? -ENOLINK : 0;
}

static void enter(Step *step, int fd, const struct stat *status) {
        (void)fd_close(step->above_fd);
        step->above_fd = step->fd;
        step->fd = fd;
        step->status = *status;
}

/* One component further. */
static int walk_on(Step *step, const char *name) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat status;

        fd = openat(step->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        if (is_unsafe(&step->status, &status)) {
                if (S_ISLNK(step->status.st_mode) || S_ISLNK(status.st_mode))
                        return -ENOLINK;
                step->is_trusted = false;
        }
        if (S_ISLNK(status.st_mode))
                return follow_link(step, fd, &status);
        enter(step, TAKE_FD(fd), &status);
        return 0;
}

/* What the path is to blame for, and not the machine. */
static bool is_answer(int r) {
        return r == -ENOENT || r == -ENOLINK || r == -ELOOP || r == -ENOTDIR || r == -EACCES;
}

int path_walk(const char *path, PathWalk *ret) {
        _cleanup_(step_done) Step step = { .fd = -EBADF, .above_fd = -EBADF, .is_trusted = true };

        assert(path[0] == '/' && ret);
        int r = text_copy(path, &step.rest);
        if (r >= 0)
                r = open_root(&step.fd, &step.status);
        while (r >= 0) {
                _cleanup_(freep) char *name = NULL;

                r = next_component(&step, &name);
                if (r < 0 || !name)
                        break;
                r = walk_on(&step, name);
        }
        if (r < 0 && !is_answer(r))
                return r;
        *ret = (PathWalk){
                .fd = r < 0 ? r : TAKE_FD(step.fd),
                .directory_fd = r < 0 ? TAKE_FD(step.fd) : TAKE_FD(step.above_fd),
                .is_trusted = step.is_trusted,
        };
        return 0;
}
