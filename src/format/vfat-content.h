/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a FAT32 file system is going to hold: a tree whose names, types and sizes were found fit for it, and the clusters
 * that each file and directory gets. */

#include "format/filesystem.h"
#include "format/vfat-geometry.h"
#include "format/vfat-name.h"

#define VFAT_ENTRY_SIZE 32

typedef struct VfatItem {
        VfatName *names;        /* directories: names[i] is that of children[i] */
        uint32_t n_entries;     /* directories: all, those of names, of the label, "." and ".." */
        uint32_t first_cluster; /* 0: none */
        uint32_t n_clusters;
} VfatItem;

typedef struct VfatContent {
        const Tree *tree;
        const FilesystemOptions *options;
        bool has_label;
        uint8_t label[VFAT_ALIAS_SIZE];
        uint64_t reserve_size; /* kept free */
        VfatItem items[];      /* items[i] answers tree->nodes[i] */
} VfatContent;

/* Symbolic links, devices, pipes and sockets are refused with -EOPNOTSUPP, files of 4 GiB and more and overfull
 * directories with -EFBIG, labels that are none with -EINVAL. Tree and options must outlive the content. */
int vfat_content_new(const Tree *tree, const FilesystemOptions *options, uint64_t reserve_size,
                     VfatContent **ret, Reason *reason);
void vfat_content_free(VfatContent *content);
DEFINE_CLEANUP(VfatContent, vfat_content_free)

/* The clusters that a const VfatContent needs: a VfatCount. */
uint64_t vfat_content_count(const void *content, uint64_t cluster_size);

/* Gives out clusters in tree order, each file and directory in one piece. Returns the first that is left. */
uint32_t vfat_content_place(VfatContent *content, uint64_t cluster_size);
