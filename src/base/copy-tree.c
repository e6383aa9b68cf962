/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/text.h"

typedef struct Copy {
        Tree *tree;
        CopyTreeFlags flags;
        Progress *progress;
        int to_fd;

        bool *made; /* for each node: a directory that was not there before */

        const TreeNode *parent; /* the directory that parent_fd refers to in the target */
        int parent_fd;
} Copy;

static void copy_done(Copy *copy) {
        tree_free(copy->tree);
        free(copy->made);
        (void)fd_close(copy->to_fd);
        (void)fd_close(copy->parent_fd);
}

/* Opens the directory of the target that answers to the node's. All directories on the way were made or checked before, so
 * that none of them is a symbolic link, unless those are to be followed. */
static int open_directory(const Copy *copy, const TreeNode *node) {
        const int no_follow = copy->flags & COPY_TREE_INTO_LINKS ? 0 : O_NOFOLLOW;
        _cleanup_(freep) char *path = NULL;

        const int r = tree_node_path(node, &path);
        if (r < 0)
                return r;
        return path_open_below(copy->to_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC | no_follow, 0);
}

/* Enters the node's parent in the target, unless it is open already. */
static int copy_enter_parent(Copy *copy, const TreeNode *node) {
        if (copy->parent == node->parent && copy->parent_fd >= 0)
                return 0;

        const int fd = open_directory(copy, node->parent);
        if (fd < 0)
                return fd;
        (void)fd_close(copy->parent_fd);
        copy->parent_fd = fd;
        copy->parent = node->parent;
        return 0;
}

static int copy_attributes(const Copy *copy, const TreeNode *node, int dir_fd, const char *name) {
        _cleanup_(tree_attributes_done) TreeAttributes attributes = {};
        _cleanup_(freep) char *path = NULL;

        int r = tree_read_attributes(copy->tree, node, &attributes);
        if (r < 0 || attributes.n_items == 0)
                return r;
        r = text_format(&path, "/proc/self/fd/%d/%s", dir_fd, name);
        if (r < 0)
                return r;

        for (size_t i = 0; i < attributes.n_items; i++) {
                const TreeAttribute *item = &attributes.items[i];
                const bool user = text_after_prefix(item->name, "user.");

                if (!user && !(copy->flags & COPY_TREE_OWNERS))
                        continue;
                if (lsetxattr(path, item->name, item->value, item->size, 0) < 0 &&
                    (!user || errno != EOPNOTSUPP))
                        return -errno;
        }
        return 0;
}

/* Gives what was just made its owner, attributes, mode and times, in this order: a change of the owner takes set-user-ID
 * bits and capabilities away, and attributes want a writable file. */
static int copy_status(const Copy *copy, const TreeNode *node, int dir_fd, const char *name) {
        const struct stat *status = &node->status;
        const bool owners = copy->flags & COPY_TREE_OWNERS;
        const struct timespec times[] = { status->st_atim, status->st_mtim };

        if (fchownat(dir_fd, name, owners ? status->st_uid : geteuid(), owners ? status->st_gid : getegid(),
                     AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        int r = copy_attributes(copy, node, dir_fd, name);
        if (r < 0)
                return r;
        if (!S_ISLNK(status->st_mode) && fchmodat(dir_fd, name, status->st_mode & 07777, 0) < 0)
                return -errno;
        if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

static int copy_data(const Copy *copy, const TreeNode *node) {
        _cleanup_(fd_closep) int from_fd = tree_open(copy->tree, node), to_fd = -EBADF;
        const uint64_t size = (uint64_t)node->status.st_size;

        if (from_fd < 0)
                return from_fd;
        to_fd = openat(copy->parent_fd, node->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0600);
        if (to_fd < 0)
                return -errno;
        if (ftruncate(to_fd, (off_t)size) < 0)
                return -errno;
        const int r = fd_copy_range(from_fd, 0, to_fd, 0, size);
        if (r >= 0)
                progress_advance(copy->progress, size);
        return r;
}

/* The work is what files hold. */
static void expect_work(const Copy *copy) {
        uint64_t total = 0;

        for (size_t i = 0; i < copy->tree->n_nodes; i++)
                if (S_ISREG(copy->tree->nodes[i]->status.st_mode) && !copy->tree->nodes[i]->original)
                        total += (uint64_t)copy->tree->nodes[i]->status.st_size;
        progress_expect(copy->progress, PROGRESS_BYTES, total);
}

static int copy_link(const Copy *copy, const TreeNode *node) {
        _cleanup_(fd_closep) int original_fd = open_directory(copy, node->original->parent);

        if (original_fd < 0)
                return original_fd;
        return linkat(original_fd, node->original->name, copy->parent_fd, node->name, 0) < 0 ? -errno : 0;
}

/* Copies anything but a directory, in the place of whatever but a directory has the name. */
static int copy_other(Copy *copy, const TreeNode *node) {
        const mode_t mode = node->status.st_mode;
        int r;

        if (unlinkat(copy->parent_fd, node->name, 0) < 0 && errno != ENOENT)
                return -errno;
        if (node->original)
                return copy_link(copy, node);

        if (S_ISREG(mode))
                r = copy_data(copy, node);
        else if (S_ISLNK(mode))
                r = symlinkat(node->target, copy->parent_fd, node->name) < 0 ? -errno : 0;
        else
                r = mknodat(copy->parent_fd, node->name, (mode & S_IFMT) | 0600, node->status.st_rdev) < 0
                            ? -errno
                            : 0;
        if (r < 0)
                return r;
        return copy_status(copy, node, copy->parent_fd, node->name);
}

/* Makes the directory, or sees that it is one. Its status follows when all that lies in it is there. Returns 1 when it
 * was made. */
static int make_directory(int dir_fd, const char *name) {
        struct stat status;

        if (mkdirat(dir_fd, name, 0700) == 0)
                return 1;
        if (errno != EEXIST)
                return -errno;
        if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

static int copy_directory(const Copy *copy, const TreeNode *node) {
        const int r = make_directory(copy->parent_fd, node->name);

        if (r != -ENOTDIR || !(copy->flags & COPY_TREE_INTO_LINKS))
                return r;
        _cleanup_(fd_closep) int fd = open_directory(copy, node);
        return fd < 0 ? -ENOTDIR : 0;
}

static int copy_node(Copy *copy, const TreeNode *node) {
        int r = interrupt_check();
        if (r < 0)
                return r;
        r = copy_enter_parent(copy, node);
        if (r < 0)
                return r;
        if (!S_ISDIR(node->status.st_mode))
                return copy_other(copy, node);

        r = copy_directory(copy, node);
        if (r < 0)
                return r;
        copy->made[node->index] = r > 0;
        return 0;
}

static int node_reason(const TreeNode *node, Reason *reason, int r) {
        _cleanup_(freep) char *path = NULL;

        if (r == -EINTR || tree_node_path(node, &path) < 0)
                return r;
        if (r == -ENOTDIR)
                return reason_set(
                        reason, r,
                        "Cannot copy the directory '%s': the target has a link or a file of that name", path);
        return reason_set(reason, r, "Cannot copy '%s': %m", path);
}

static int copy_nodes(Copy *copy, Reason *reason) {
        const Tree *tree = copy->tree;
        int r;

        for (size_t i = 1; i < tree->n_nodes; i++) {
                r = copy_node(copy, tree->nodes[i]);
                if (r < 0)
                        return node_reason(tree->nodes[i], reason, r);
        }

        /* Backwards, so that a directory is finished after what lies in it. */
        for (size_t i = tree->n_nodes; i-- > 0;) {
                const TreeNode *node = tree->nodes[i];

                if (!copy->made[i])
                        continue;
                r = i > 0 ? copy_enter_parent(copy, node) : 0;
                if (r == 0)
                        r = i > 0 ? copy_status(copy, node, copy->parent_fd, node->name)
                                  : copy_status(copy, node, copy->to_fd, ".");
                if (r < 0)
                        return node_reason(node, reason, r);
        }
        return 0;
}

int copy_tree(int dir_fd, const char *from, const char *to, const CopyTreeOptions *options, Reason *reason) {
        _cleanup_(copy_done) Copy copy = {
                .flags = options->flags, .progress = options->progress, .to_fd = -EBADF, .parent_fd = -EBADF
        };

        assert(from && to);

        int r = tree_load_filtered(dir_fd, from, options->filter, &copy.tree, reason);
        if (r < 0)
                return r;
        expect_work(&copy);
        copy.made = calloc(copy.tree->n_nodes, sizeof(bool));
        if (!copy.made)
                return -ENOMEM;

        r = make_directory(dir_fd, to);
        if (r < 0)
                return reason_set(reason, r, "Cannot make the directory '%s': %m", to);
        copy.made[0] = r > 0;
        copy.to_fd = openat(dir_fd, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (copy.to_fd < 0)
                return reason_set(reason, -errno, "Cannot open the directory '%s': %m", to);
        return copy_nodes(&copy, reason);
}
