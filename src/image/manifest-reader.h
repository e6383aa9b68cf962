/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A manifest, as manifest.h describes it, that somebody wrote: what of it can be compared with an image. */

#include "base/hash.h"
#include "base/reason.h"
#include "base/uuid.h"

#define MANIFEST_VERSION 1

typedef struct ManifestFile {
        char *name; /* one that a file of a directory may have */
        char *kind; /* "image", "root-hash", … */
        uint64_t size;
        bool hashed; /* the two others are there: it is a file */
        Sha256Digest digest;
} ManifestFile;

typedef struct ManifestPartition {
        Uuid type, uuid;
        char *name;
        uint64_t offset, size; /* bytes */
        uint64_t attributes;
        bool encrypted;
} ManifestPartition;

typedef struct Manifest {
        uint64_t version;
        ManifestFile *files;
        size_t n_files;
        bool has_root_hash;
        Sha256Digest root_hash;
        bool has_disk; /* the image is a disk, which the others are of */
        Uuid disk_uuid;
        uint64_t disk_size; /* bytes */
        ManifestPartition *partitions;
        size_t n_partitions;
} Manifest;

/* Reads the text, all of it. Into ret, which is empty in the beginning, and is to be freed whether or not this fails. -EBADMSG
 * with a reason when members are missing, or of another kind; of another version than MANIFEST_VERSION, nothing is read but
 * that. */
int manifest_read(const char *text, size_t size, Manifest *ret, Reason *reason);
void manifest_done(Manifest *manifest);
