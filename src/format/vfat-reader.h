/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A FAT file system that somebody made, read strictly: FAT12, FAT16 and FAT32, with long names (Microsoft "FAT: General
 * Overview of On-Disk Format" 1.03). What it says is believed only as far as it was checked: every directory is read, every
 * chain of clusters is followed to its end, and no two may meet. */

#include "base/macro.h"
#include "base/reason.h"

/* The root directory, where an index among the files is meant. */
#define VFAT_ROOT SIZE_MAX

typedef struct VfatFile {
        char *path;    /* "EFI/BOOT/BOOTX64.EFI", in UTF-8 */
        size_t parent; /* index of the directory that it is in, or VFAT_ROOT */
        bool directory;
        uint32_t cluster; /* the first one; 0: none, it is empty */
        uint32_t size;    /* in bytes; of directories 0 */
} VfatFile;

typedef struct VfatReader {
        int fd; /* not owned */
        uint64_t offset;
        unsigned bits; /* of a number in the file allocation table: 12, 16 or 32 */
        uint32_t sector_size, cluster_size;
        uint32_t n_clusters;
        uint64_t size;           /* what the file system takes, in bytes; its partition may be larger */
        uint64_t data_offset;    /* of the first cluster, in the file system */
        uint64_t root_offset;    /* of the root directory of FAT12 and FAT16, which is no chain */
        uint32_t n_root_entries; /* of that one */
        uint32_t root_cluster;   /* of FAT32 */
        uint8_t label[11];       /* of the root directory, with blanks at its end */
        bool has_label;
        uint32_t *next;  /* index: cluster; the one behind it, or VFAT_CLUSTER_… */
        VfatFile *files; /* a directory before what lies in it; the root is none of them */
        size_t n_files;
} VfatReader;

/* Where a piece of a file lies in the file system, in bytes. */
typedef struct VfatExtent {
        uint64_t offset, size;
} VfatExtent;

/* Reads the file system at the offset of the file, which may be up to size bytes long, but for the content of files.
 * -EBADMSG with a reason when it is none, or not in order: when tables, labels, counts or names contradict each other, chains
 * are broken, too long or too short for their files, or meet, or clusters are taken by nobody; or when two files of a
 * directory answer to one name, be it long or short. */
int vfat_reader_new(int fd, uint64_t offset, uint64_t size, VfatReader **ret, Reason *reason);
void vfat_reader_free(VfatReader *reader);
DEFINE_CLEANUP(VfatReader, vfat_reader_free)

/* The file or directory at the path, whose letters may be large or small; NULL: there is none. */
const VfatFile *vfat_reader_find(const VfatReader *reader, const char *path);

/* The pieces of a file in their order; adjoining ones are one. What is left of the last cluster is not in them. */
int vfat_reader_locate(const VfatReader *reader, const VfatFile *file, VfatExtent **ret, size_t *ret_n);

/* Writes the content of a file to another, at the position of that. */
int vfat_reader_copy(const VfatReader *reader, const VfatFile *file, int to_fd);
