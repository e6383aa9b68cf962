/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "sandbox/sandbox-channel.h"
#include "sandbox/sandbox-target.h"

#define LINKS_MAX 40 /* as in the kernel */

/* A path on its way through the tree: what is resolved has no links, and is there. */
typedef struct Walk {
        int root_fd, channel_fd;
        char resolved[PATH_MAX]; /* "" for the root, else "/etc" */
        char rest[PATH_MAX];
        unsigned n_links;
} Walk;

/* Announces and makes a missing component. The directory is announced by a mount of its own, because the one in the
 * tree may become read-only before the time comes to remove what was made. */
static int walk_make(const Walk *walk, const char *path, SandboxTargetKind kind) {
        _cleanup_(fd_closep) int parent_fd = -EBADF, alias_fd = -EBADF, file_fd = -EBADF;
        const char *name = path_base_name(path);
        const bool directory = kind == SANDBOX_TARGET_DIRECTORY;

        parent_fd = path_open_below(walk->root_fd, walk->resolved, O_PATH | O_DIRECTORY, 0);
        if (parent_fd < 0)
                return parent_fd;
        alias_fd = open_tree(parent_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (alias_fd < 0)
                return -errno;
        int r = sandbox_channel_send(walk->channel_fd,
                                     directory ? SANDBOX_MESSAGE_MAKING_DIRECTORY
                                               : SANDBOX_MESSAGE_MAKING_FILE,
                                     0, name, alias_fd);
        if (r < 0)
                return r;

        if (directory)
                return mkdirat(parent_fd, name, 0755) < 0 ? -errno : 0;
        file_fd = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        return file_fd < 0 ? -errno : 0;
}

/* Puts a link's text in front of what is left to walk. */
static int walk_follow(Walk *walk, int link_fd) {
        char text[PATH_MAX], joined[PATH_MAX];

        if (++walk->n_links > LINKS_MAX)
                return -ELOOP;
        const ssize_t n = readlinkat(link_fd, "", text, sizeof(text));
        if (n < 0)
                return -errno;
        if ((size_t)n == sizeof(text))
                return -ENAMETOOLONG;

        const int length = snprintf(joined, sizeof(joined), "%.*s/%s", (int)n, text, walk->rest);
        if (length < 0 || (size_t)length >= sizeof(joined))
                return -ENAMETOOLONG;
        memcpy(walk->rest, joined, (size_t)length + 1);
        if (text[0] == '/')
                walk->resolved[0] = '\0';
        return 0;
}

/* Cuts the next component off the rest: 1, or 0 when nothing is left. */
static int walk_next(Walk *walk, char name[static NAME_MAX + 1]) {
        const size_t start = strspn(walk->rest, "/");
        const size_t length = strcspn(walk->rest + start, "/");

        if (length > NAME_MAX)
                return -ENAMETOOLONG;
        memcpy(name, walk->rest + start, length);
        name[length] = '\0';
        memmove(walk->rest, walk->rest + start + length, strlen(walk->rest + start + length) + 1);
        return length > 0;
}

static int walk_step(Walk *walk, const char *name, SandboxTargetKind kind) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char path[PATH_MAX];
        struct stat status;

        if (text_equal(name, "."))
                return 0;
        if (text_equal(name, "..")) {
                /* Nothing changes the tree while we walk, and what is resolved has no links: the text is the truth. */
                char *slash = strrchr(walk->resolved, '/');
                if (slash)
                        *slash = '\0';
                return 0;
        }

        const int length = snprintf(path, sizeof(path), "%s/%s", walk->resolved, name);
        if (length < 0 || (size_t)length >= sizeof(path))
                return -ENAMETOOLONG;
        fd = path_open_below(walk->root_fd, path, O_PATH | O_NOFOLLOW, 0);
        if (fd == -ENOENT) {
                const bool is_last = walk->rest[strspn(walk->rest, "/")] == '\0';

                int r = walk_make(walk, path, is_last ? kind : SANDBOX_TARGET_DIRECTORY);
                if (r < 0)
                        return r;
        } else if (fd < 0) {
                return fd;
        } else {
                if (fstat(fd, &status) < 0)
                        return -errno;
                if (S_ISLNK(status.st_mode))
                        return walk_follow(walk, fd);
        }
        memcpy(walk->resolved, path, (size_t)length + 1);
        return 0;
}

int sandbox_target_make(int root_fd, const char *path, SandboxTargetKind kind, int channel_fd, int *ret_fd) {
        Walk walk = { .root_fd = root_fd, .channel_fd = channel_fd };
        char name[NAME_MAX + 1];

        /* Nothing is missing as a rule; then the kernel does it all. */
        int fd = path_open_below(root_fd, path, O_PATH, 0);
        if (fd == -ENOENT) {
                const int length = snprintf(walk.rest, sizeof(walk.rest), "%s", path);
                if (length < 0 || (size_t)length >= sizeof(walk.rest))
                        return -ENAMETOOLONG;

                int r;
                while ((r = walk_next(&walk, name)) > 0) {
                        r = walk_step(&walk, name, kind);
                        if (r < 0)
                                return r;
                }
                if (r < 0)
                        return r;
                fd = path_open_below(root_fd, walk.resolved, O_PATH, 0);
        }
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}
