/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/deep-walk.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "base/tree.h"

/* Whether anything was removed since a directory was gone through again: one that changes while it is read may hide an entry. */
typedef struct Removal {
        bool removed;
} Removal;

/* A subvolume goes away at once, unless others are nested in it; then it goes like any directory, if it can be written
 * to. Returns 1 when it is gone. */
static int remove_subvolume(int fd, int parent_fd, const char *name) {
        int r = subvolume_is(fd);
        if (r <= 0)
                return r;
        r = subvolume_get_read_only(fd);
        if (r > 0)
                r = subvolume_set_read_only(fd, false);
        if (r < 0)
                return r;
        return subvolume_remove(parent_fd, name) == 0;
}

static int enter_directory(const DeepNode *node, void *userdata) {
        Removal *const removal = userdata;

        const int r = remove_subvolume(node->fd, node->parent_fd, node->name);
        if (r <= 0)
                return r;
        removal->removed = true;
        return DEEP_SKIP;
}

static int remove_node(const DeepNode *node, void *userdata) {
        Removal *const removal = userdata;

        if (unlinkat(node->parent_fd, node->name, node->fd >= 0 ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT) {
                removal->removed = true;
                return DEEP_GO_ON;
        }
        if (errno != ENOTEMPTY || !removal->removed)
                return -errno;
        removal->removed = false;
        return DEEP_AGAIN;
}

static int refuse_mounted(const DeepNode *node, void *userdata) {
        return -EXDEV;
}

/* What is in the directory, and then itself. */
static int remove_directory(int parent_fd, const char *name) {
        _cleanup_(fd_closep) int fd = tree_open_directory(parent_fd, name);
        Removal removal = {};
        const DeepNode top = { .parent_fd = parent_fd, .name = name, .fd = fd };
        const DeepWalk walk = {
                .enter = enter_directory,
                .visit = remove_node,
                .mounted = refuse_mounted,
                .userdata = &removal,
        };

        if (fd < 0)
                return fd;
        int r = enter_directory(&top, &removal);
        if (r != DEEP_GO_ON)
                return MIN(r, 0);
        do {
                r = deep_walk(fd, &walk);
                if (r >= 0)
                        r = remove_node(&top, &removal);
        } while (r == DEEP_AGAIN);
        return r;
}

int tree_remove(int dir_fd, const char *path) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int parent_fd = -EBADF;

        assert(path);

        const char *name = path_base_name(path);
        if (name[0] == '\0' || text_equal(name, ".") || text_equal(name, ".."))
                return -EINVAL;

        if (unlinkat(dir_fd, path, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return -errno;

        /* Mounts on the way there are fine, so the parent is opened like any file. */
        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        parent_fd = openat(dir_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent_fd < 0)
                return -errno;
        return remove_directory(parent_fd, name);
}
