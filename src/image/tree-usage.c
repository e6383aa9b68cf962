/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/parse.h"
#include "base/strv.h"
#include "image/tree-usage.h"

#define DEPTH_MAX  3 /* of directories that are named */
#define LARGE_PART 4 /* more than this part of the tree is a large one */

static uint64_t node_usage(const TreeNode *node) {
        return S_ISREG(node->status.st_mode) && !node->original
                       ? MIN((uint64_t)node->status.st_blocks * 512,
                             align_up((uint64_t)node->status.st_size, 512))
                       : 0;
}

uint64_t tree_usage_total(const Tree *tree) {
        uint64_t total = 0;

        for (size_t i = 0; i < tree->n_nodes; i++)
                total += node_usage(tree->nodes[i]);
        return total;
}

typedef struct Usage {
        const TreeNode *node;
        uint64_t size;
} Usage;

/* The directories that are named, while they are collected. */
typedef struct Usages {
        Usage *items;
        size_t n_items;
        const uint64_t *sizes; /* of all nodes with what lies below, by TreeNode.index */
        uint64_t total;
} Usages;

static bool has_directories(const TreeNode *node) {
        for (size_t i = 0; i < node->n_children; i++)
                if (S_ISDIR(node->children[i]->status.st_mode))
                        return true;
        return false;
}

/* A directory that holds a large part of the tree says little: those in it are named instead. */
static int collect(Usages *usages, const TreeNode *node, unsigned depth) {
        for (size_t i = 0; i < node->n_children; i++) {
                const TreeNode *child = node->children[i];
                const uint64_t size = usages->sizes[child->index];

                if (!S_ISDIR(child->status.st_mode) || size == 0)
                        continue;
                if (size > usages->total / LARGE_PART && depth < DEPTH_MAX && has_directories(child)) {
                        const int r = collect(usages, child, depth + 1);
                        if (r < 0)
                                return r;
                        continue;
                }
                Usage *more = reallocarray(usages->items, usages->n_items + 1, sizeof(Usage));
                if (!more)
                        return -ENOMEM;
                usages->items = more;
                more[usages->n_items++] = (Usage){ .node = child, .size = size };
        }
        return 0;
}

/* The biggest first; of two alike, the one that comes first in the tree. */
static int compare_usages(const void *a, const void *b) {
        const Usage *x = a, *y = b;

        if (x->size != y->size)
                return x->size > y->size ? -1 : 1;
        return x->node->index < y->node->index ? -1 : 1;
}

static int join_usages(const Usages *usages, size_t n_max, char **ret) {
        _cleanup_(strv_freep) char **names = NULL;

        for (size_t i = 0; i < MIN(usages->n_items, n_max); i++) {
                _cleanup_(freep) char *path = NULL;
                char size[24];

                int r = tree_node_path(usages->items[i].node, &path);
                if (r < 0)
                        return r;
                size_format_rounded(usages->items[i].size, size);
                r = strv_append_format(&names, "%s (%s)", path, size);
                if (r < 0)
                        return r;
        }
        return strv_join(STRV(names), ", ", ret);
}

int tree_usage_describe(const Tree *tree, size_t n_max, char **ret) {
        _cleanup_(freep) uint64_t *sizes = calloc(tree->n_nodes, sizeof(uint64_t));
        Usages usages = { .sizes = sizes };

        if (!sizes)
                return -ENOMEM;
        /* Children come behind their parents. */
        for (size_t i = tree->n_nodes; i-- > 0;) {
                const TreeNode *node = tree->nodes[i];

                sizes[i] += node_usage(node);
                if (node->parent)
                        sizes[node->parent->index] += sizes[i];
        }
        usages.total = sizes[0];

        int r = collect(&usages, tree->nodes[0], 1);
        if (r >= 0) {
                if (usages.n_items > 1)
                        qsort(usages.items, usages.n_items, sizeof(Usage), compare_usages);
                r = join_usages(&usages, n_max, ret);
        }
        free(usages.items);
        return r;
}
