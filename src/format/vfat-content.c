/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "format/vfat-content.h"

#define FILE_SIZE_MAX UINT32_MAX

static int refuse(const TreeNode *node, int r, const char *why, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        if (tree_node_path(node, &path) < 0)
                return -ENOMEM;
        return reason_set(reason, r, "FAT cannot store '%s': %s", path, why);
}

static int add_directory(VfatContent *content, const TreeNode *node, Reason *reason) {
        VfatItem *item = &content->items[node->index];
        uint64_t n_entries = node->parent ? 2 : content->has_label; /* the root knows neither "." nor ".." */

        const int r = vfat_names_new(node, &item->names, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < node->n_children; i++)
                n_entries += vfat_name_count_entries(&item->names[i]);
        if (n_entries > VFAT_DIRECTORY_ENTRIES_MAX)
                return refuse(node, -EFBIG, "it has too many names", reason);

        item->n_entries = (uint32_t)n_entries;
        return 0;
}

static int add_node(VfatContent *content, const TreeNode *node, Reason *reason) {
        switch (node->status.st_mode & S_IFMT) {
        case S_IFDIR:
                return add_directory(content, node, reason);
        case S_IFREG:
                if ((uint64_t)node->status.st_size > FILE_SIZE_MAX)
                        return refuse(node, -EFBIG, "it has 4 GiB or more", reason);
                return 0;
        case S_IFLNK:
                return refuse(node, -EOPNOTSUPP, "it is a symbolic link", reason);
        default:
                return refuse(node, -EOPNOTSUPP, "it is neither file nor directory", reason);
        }
}

void vfat_content_free(VfatContent *content) {
        if (!content)
                return;
        for (size_t i = 0; i < content->tree->n_nodes; i++)
                vfat_names_free(content->items[i].names, content->tree->nodes[i]->n_children);
        free(content);
}

int vfat_content_new(const Tree *tree, const FilesystemOptions *options, uint64_t reserve_size,
                     VfatContent **ret, Reason *reason) {
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;

        assert(tree && options && ret);

        content = calloc(1, sizeof(VfatContent) + tree->n_nodes * sizeof(VfatItem));
        if (!content)
                return -ENOMEM;
        content->tree = tree;
        content->options = options;
        content->reserve_size = reserve_size;

        if (options->label) {
                const int r = vfat_label_encode(options->label, content->label);
                if (r < 0)
                        return reason_set(reason, r, "'%s' is no label for FAT", options->label);
                content->has_label = true;
        }
        for (size_t i = 0; i < tree->n_nodes; i++) {
                const int r = add_node(content, tree->nodes[i], reason);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(content);
        return 0;
}

/* A directory always has a cluster, a file only if it is not empty. */
static uint64_t count_item(const VfatContent *content, size_t i, uint64_t cluster_size) {
        const TreeNode *node = content->tree->nodes[i];

        if (!S_ISDIR(node->status.st_mode))
                return divide_round_up((uint64_t)node->status.st_size, cluster_size);
        return MAX(divide_round_up((uint64_t)content->items[i].n_entries * VFAT_ENTRY_SIZE, cluster_size),
                   UINT64_C(1));
}

uint64_t vfat_content_count(const void *pointer, uint64_t cluster_size) {
        const VfatContent *content = pointer;
        uint64_t n = divide_round_up(content->reserve_size, cluster_size);

        for (size_t i = 0; i < content->tree->n_nodes; i++)
                n += count_item(content, i, cluster_size);
        return n;
}

uint32_t vfat_content_place(VfatContent *content, uint64_t cluster_size) {
        uint32_t next = VFAT_CLUSTER_FIRST;

        for (size_t i = 0; i < content->tree->n_nodes; i++) {
                VfatItem *item = &content->items[i];

                item->n_clusters = (uint32_t)count_item(content, i, cluster_size);
                item->first_cluster = item->n_clusters > 0 ? next : 0;
                next += item->n_clusters;
        }
        return next;
}
