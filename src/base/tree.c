/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"

static void node_free(TreeNode *node) {
        if (!node)
                return;
        for (size_t i = 0; i < node->n_children; i++)
                node_free(node->children[i]);
        free(node->children);
        free(node->target);
        free(node);
}
DEFINE_CLEANUP(TreeNode, node_free)

void tree_free(Tree *tree) {
        if (!tree)
                return;
        if (tree->n_nodes > 0)
                node_free(tree->nodes[0]); /* which owns all others */
        free(tree->nodes);
        (void)fd_close(tree->root_fd);
        free(tree);
}

/* Appends a node to an array that doubles whenever its length is a power of two. */
static int nodes_append(TreeNode ***nodes, size_t *n_nodes, TreeNode *node) {
        if ((*n_nodes & (*n_nodes - 1)) == 0) {
                TreeNode **more = reallocarray(*nodes, *n_nodes == 0 ? 1 : 2 * *n_nodes, sizeof(TreeNode *));
                if (!more)
                        return -ENOMEM;
                *nodes = more;
        }
        (*nodes)[(*n_nodes)++] = node;
        return 0;
}

static int tree_append(Tree *tree, TreeNode *node) {
        node->index = tree->n_nodes;
        return nodes_append(&tree->nodes, &tree->n_nodes, node);
}

static int node_new(const char *name, TreeNode *parent, TreeNode **ret) {
        const size_t size = strlen(name) + 1;

        /* The name lives behind the node: one allocation for both. */
        TreeNode *node = calloc(1, sizeof(TreeNode) + size);
        if (!node)
                return -ENOMEM;
        node->name = memcpy(node + 1, name, size);
        node->parent = parent;
        *ret = node;
        return 0;
}

static int node_read_target(TreeNode *node, int dir_fd) {
        /* Not every file system tells a link's length in st_size, so there is room for the longest. */
        char target[PATH_MAX];

        const ssize_t n = readlinkat(dir_fd, node->name, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        node->status.st_size = n;
        return text_copy(target, &node->target);
}

static int node_add_child(TreeNode *node, int dir_fd, const char *name) {
        _cleanup_(node_freep) TreeNode *child = NULL;

        int r = node_new(name, node, &child);
        if (r < 0)
                return r;
        if (fstatat(dir_fd, name, &child->status, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISLNK(child->status.st_mode)) {
                r = node_read_target(child, dir_fd);
                if (r < 0)
                        return r;
        }

        r = nodes_append(&node->children, &node->n_children, child);
        if (r < 0)
                return r;
        (void)TAKE_PTR(child);
        return 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp((*(TreeNode *const *)a)->name, (*(TreeNode *const *)b)->name);
}

static int node_read_children(TreeNode *node, DIR *dir) {
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(dir);
                if (!entry) {
                        if (errno != 0)
                                return -errno;
                        break;
                }
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;

                int r = node_add_child(node, dirfd(dir), entry->d_name);
                if (r < 0)
                        return r;
        }

        if (node->n_children > 1)
                qsort(node->children, node->n_children, sizeof(TreeNode *), compare_names);
        return 0;
}

static int node_reason(const TreeNode *node, Reason *reason, int r) {
        _cleanup_(freep) char *path = NULL;

        if (tree_node_path(node, &path) < 0)
                return r;
        return reason_set(reason, r, "Cannot read '%s': %m", path);
}

int tree_open_directory(int dir_fd, const char *name) {
        const struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_NO_XDEV,
        };

        const long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
        if (fd < 0)
                return -errno;
        return (int)fd;
}

static int refuse_depth(const TreeNode *node, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        const int r = tree_node_path(node, &path);
        if (r < 0)
                return r;
        return reason_set(reason, -ELOOP, "The directory '%s' is nested deeper than %d levels", path,
                          TREE_DEPTH_MAX);
}

/* Takes the children out that are not wanted. */
static int node_filter_children(TreeNode *node, const TreeFilter *filter) {
        size_t n_kept = 0;
        int r = 0;

        for (size_t i = 0; i < node->n_children; i++) {
                TreeNode *child = node->children[i];
                _cleanup_(freep) char *path = NULL;

                r = r < 0 ? r : tree_node_path(child, &path);
                if (r >= 0 && filter->wanted(path, &child->status, filter->userdata))
                        node->children[n_kept++] = child;
                else
                        node_free(child);
        }
        node->n_children = n_kept;
        return r;
}

/* Reads the directory that fd, which it takes over, refers to, and all that lies below. */
static int load_directory(Tree *tree, TreeNode *node, int fd, unsigned depth, const TreeFilter *filter,
                          Reason *reason) {
        _cleanup_(directory_closep) DIR *dir = fdopendir(fd);
        if (!dir) {
                const int r = -errno;
                (void)fd_close(fd);
                return r;
        }
        if (depth > TREE_DEPTH_MAX)
                return refuse_depth(node, reason);

        int r = interrupt_check();
        if (r < 0)
                return r;
        r = node_read_children(node, dir);
        if (r < 0)
                return node_reason(node, reason, r);
        r = filter ? node_filter_children(node, filter) : 0;
        if (r < 0)
                return r;

        for (size_t i = 0; i < node->n_children; i++) {
                TreeNode *child = node->children[i];

                r = tree_append(tree, child);
                if (r < 0)
                        return r;
                if (!S_ISDIR(child->status.st_mode))
                        continue;

                fd = tree_open_directory(dirfd(dir), child->name);
                if (fd == -EXDEV)
                        continue; /* something is mounted here, and none of our business */
                if (fd < 0)
                        return node_reason(child, reason, fd);
                r = load_directory(tree, child, fd, depth + 1, filter, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_inodes(const void *a, const void *b) {
        const TreeNode *x = *(TreeNode *const *)a, *y = *(TreeNode *const *)b;

        if (x->status.st_dev != y->status.st_dev)
                return x->status.st_dev < y->status.st_dev ? -1 : 1;
        if (x->status.st_ino != y->status.st_ino)
                return x->status.st_ino < y->status.st_ino ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

/* Brings the names of each inode together, in tree order, and points them at the first. */
static int tree_find_links(Tree *tree) {
        _cleanup_(freep) TreeNode **linked = NULL;
        TreeNode *first = NULL;
        size_t n_linked = 0;

        for (size_t i = 0; i < tree->n_nodes; i++) {
                TreeNode *node = tree->nodes[i];

                node->n_links = 1;
                if (S_ISDIR(node->status.st_mode) || node->status.st_nlink <= 1)
                        continue;
                int r = nodes_append(&linked, &n_linked, node);
                if (r < 0)
                        return r;
        }
        if (n_linked > 1)
                qsort(linked, n_linked, sizeof(TreeNode *), compare_inodes);

        for (size_t i = 0; i < n_linked; i++) {
                TreeNode *node = linked[i];

                if (!first || first->status.st_dev != node->status.st_dev ||
                    first->status.st_ino != node->status.st_ino) {
                        first = node;
                        continue;
                }
                node->original = first;
                node->n_links = 0;
                first->n_links++;
        }
        return 0;
}

int tree_load_filtered(int dir_fd, const char *path, const TreeFilter *filter, Tree **ret, Reason *reason) {
        _cleanup_(tree_freep) Tree *tree = calloc(1, sizeof(Tree));
        _cleanup_(node_freep) TreeNode *root = NULL;

        assert(path && ret);

        if (!tree)
                return -ENOMEM;
        tree->root_fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (tree->root_fd < 0)
                return reason_set(reason, -errno, "Cannot open '%s': %m", path);

        int r = node_new("", NULL, &root);
        if (r < 0)
                return r;
        if (fstat(tree->root_fd, &root->status) < 0)
                return -errno;
        r = tree_append(tree, root);
        if (r < 0)
                return r;
        TreeNode *node = TAKE_PTR(root);

        /* A descriptor of its own, since a duplicate would share its position with root_fd. */
        const int fd = tree_open_directory(tree->root_fd, ".");
        if (fd < 0)
                return node_reason(node, reason, fd);
        r = load_directory(tree, node, fd, 0, filter, reason);
        if (r < 0)
                return r;
        r = tree_find_links(tree);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(tree);
        return 0;
}

int tree_load(int dir_fd, const char *path, Tree **ret, Reason *reason) {
        return tree_load_filtered(dir_fd, path, NULL, ret, reason);
}

static const TreeNode *node_find_child(const TreeNode *node, const char *name, size_t length) {
        size_t low = 0, high = node->n_children;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;
                const TreeNode *child = node->children[middle];
                int order = strncmp(name, child->name, length);

                if (order == 0 && child->name[length] != '\0')
                        order = -1;
                if (order == 0)
                        return child;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

const TreeNode *tree_find(const Tree *tree, const char *path) {
        const TreeNode *node = tree->nodes[0];

        assert(tree && path);

        for (;;) {
                path += strspn(path, "/");
                if (!node || path[0] == '\0')
                        return node;
                const size_t length = strcspn(path, "/");
                if (length != 1 || path[0] != '.')
                        node = node_find_child(node, path, length);
                path += length;
        }
}

int tree_node_path(const TreeNode *node, char **ret) {
        size_t size = 0;

        assert(node && ret);

        if (!node->parent)
                return text_copy(".", ret);

        /* Each name with a slash before it, but for the first, whose place the final NUL takes. */
        for (const TreeNode *n = node; n->parent; n = n->parent)
                size += strlen(n->name) + 1;
        char *path = malloc(size);
        if (!path)
                return -ENOMEM;

        char *end = path + size - 1;
        *end = '\0';
        for (const TreeNode *n = node; n->parent; n = n->parent) {
                const size_t length = strlen(n->name);

                end -= length;
                memcpy(end, n->name, length);
                if (end > path)
                        *--end = '/';
        }
        *ret = path;
        return 0;
}

/* Opens a path below the root that may be longer than system calls take: then in parts. */
static int open_long_path(int root_fd, char *path, int flags) {
        _cleanup_(fd_closep) int fd = -EBADF;

        while (strlen(path) >= PATH_MAX) {
                char *slash = memrchr(path, '/', PATH_MAX - 1);
                if (!slash)
                        return -ENAMETOOLONG;
                *slash = '\0';
                const int next = path_open_below(fd >= 0 ? fd : root_fd, path,
                                                 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
                if (next < 0)
                        return next;
                (void)fd_close(fd);
                fd = next;
                path = slash + 1;
        }
        return path_open_below(fd >= 0 ? fd : root_fd, path, flags, 0);
}

int tree_node_verify(const TreeNode *node, int fd) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (status.st_dev != node->status.st_dev || status.st_ino != node->status.st_ino ||
            ((status.st_mode ^ node->status.st_mode) & S_IFMT) != 0)
                return -ESTALE;
        return 0;
}

static int open_node(const Tree *tree, const TreeNode *node, int flags) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = tree_node_path(node, &path);
        if (r < 0)
                return r;
        fd = open_long_path(tree->root_fd, path, flags | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return fd;
        r = tree_node_verify(node, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

int tree_open(const Tree *tree, const TreeNode *node) {
        assert(S_ISREG(node->status.st_mode) || S_ISDIR(node->status.st_mode));

        /* Should a pipe stand there by now, opening it must not wait for a writer. */
        return open_node(tree, node, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

/* Lists the node and all below it anew, in tree order. */
static int tree_append_all(Tree *tree, TreeNode *node) {
        node->original = NULL;
        int r = tree_append(tree, node);
        for (size_t i = 0; i < node->n_children && r >= 0; i++)
                r = tree_append_all(tree, node->children[i]);
        return r;
}

static int tree_renumber(Tree *tree, TreeNode *root) {
        _cleanup_(freep) TreeNode **nodes = tree->nodes;

        tree->nodes = NULL;
        tree->n_nodes = 0;
        const int r = tree_append_all(tree, root);
        if (r < 0) {
                /* What begins the old list holds all nodes. */
                free(tree->nodes);
                tree->nodes = TAKE_PTR(nodes);
                tree->n_nodes = 1;
                return r;
        }
        return tree_find_links(tree);
}

int tree_split(Tree *tree, const char *path, Tree **ret) {
        _cleanup_(tree_freep) Tree *part = calloc(1, sizeof(Tree));
        _cleanup_(node_freep) TreeNode *root = NULL;

        assert(tree && path && ret);

        /* Found in what is ours to change. */
        TreeNode *node = (TreeNode *)tree_find(tree, path);
        if (!node || !S_ISDIR(node->status.st_mode))
                return node ? -ENOTDIR : -ENOENT;
        if (!part)
                return -ENOMEM;
        part->root_fd = open_node(tree, node, O_RDONLY | O_DIRECTORY);
        if (part->root_fd < 0)
                return part->root_fd;

        int r = node_new("", NULL, &root);
        if (r < 0)
                return r;
        root->status = node->status;
        r = tree_append(part, root);
        if (r < 0)
                return r;
        TreeNode *top = TAKE_PTR(root);
        top->children = TAKE_PTR(node->children);
        top->n_children = node->n_children;
        node->n_children = 0;
        for (size_t i = 0; i < top->n_children; i++)
                top->children[i]->parent = top;

        r = tree_renumber(part, top);
        if (r >= 0)
                r = tree_renumber(tree, tree->nodes[0]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(part);
        return 0;
}

void tree_attributes_done(TreeAttributes *attributes) {
        for (size_t i = 0; i < attributes->n_items; i++) {
                free(attributes->items[i].name);
                free(attributes->items[i].value);
        }
        free(attributes->items);
        *attributes = (TreeAttributes){};
}

/* Reads names, or the value of the name, of the extended attributes of what lies at path. */
static ssize_t attribute_get(const char *path, const char *name, void *buffer, size_t size) {
        const ssize_t n = name ? getxattr(path, name, buffer, size) : listxattr(path, buffer, size);

        return n < 0 ? -errno : n;
}

static int attribute_read(const char *path, const char *name, void **ret, size_t *ret_size) {
        for (;;) {
                ssize_t n = attribute_get(path, name, NULL, 0);
                if (n < 0)
                        return (int)n;

                _cleanup_(freep) void *buffer = malloc((size_t)n + 1);
                if (!buffer)
                        return -ENOMEM;
                if (n > 0)
                        n = attribute_get(path, name, buffer, (size_t)n);
                if (n == -ERANGE)
                        continue; /* it grew meanwhile */
                if (n < 0)
                        return (int)n;

                *ret = TAKE_PTR(buffer);
                *ret_size = (size_t)n;
                return 0;
        }
}

static int attribute_compare(const void *a, const void *b) {
        return strcmp(((const TreeAttribute *)a)->name, ((const TreeAttribute *)b)->name);
}

static int attributes_add(TreeAttributes *attributes, const char *path, const char *name) {
        TreeAttribute *more = reallocarray(attributes->items, attributes->n_items + 1, sizeof(*more));
        TreeAttribute item = {};

        if (!more)
                return -ENOMEM;
        attributes->items = more;

        int r = attribute_read(path, name, &item.value, &item.size);
        if (r == -ENODATA)
                return 0; /* taken away since it was listed */
        if (r < 0)
                return r;
        r = text_copy(name, &item.name);
        if (r < 0) {
                free(item.value);
                return r;
        }
        more[attributes->n_items++] = item;
        return 0;
}

/* Reads the attributes of what a descriptor of any kind refers to. One for a link, a socket or what we may not read serves
 * no f*xattr() call, but its name under /proc does: the way there ends at the object itself and follows nothing further. */
static int read_attributes(int fd, TreeAttributes *ret) {
        _cleanup_(tree_attributes_done) TreeAttributes attributes = {};
        _cleanup_(freep) void *names = NULL;
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        size_t size;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        int r = attribute_read(path, NULL, &names, &size);
        if (r == -EOPNOTSUPP || (r == 0 && size == 0)) {
                *ret = (TreeAttributes){};
                return 0;
        }
        if (r < 0)
                return r;

        for (const char *name = names; name < (const char *)names + size; name += strlen(name) + 1) {
                r = attributes_add(&attributes, path, name);
                if (r < 0)
                        return r;
        }
        if (attributes.n_items > 1)
                qsort(attributes.items, attributes.n_items, sizeof(TreeAttribute), attribute_compare);

        *ret = attributes;
        attributes = (TreeAttributes){};
        return 0;
}

int tree_read_attributes(const Tree *tree, const TreeNode *node, TreeAttributes *ret) {
        _cleanup_(fd_closep) int fd = open_node(tree, node, O_PATH);

        if (fd < 0)
                return fd;
        return read_attributes(fd, ret);
}

int tree_read_open_attributes(int fd, TreeAttributes *ret) {
        /* Most files have none, and are done with here. */
        if (flistxattr(fd, NULL, 0) == 0) {
                *ret = (TreeAttributes){};
                return 0;
        }
        return read_attributes(fd, ret);
}
