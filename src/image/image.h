/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The build under way. What was asked stays in the Config; what the steps find out and open is here. */

#include "base/hash.h"
#include "base/secret.h"
#include "base/tree.h"
#include "base/uuid.h"
#include "config/config-load.h"
#include "distro/distro.h"
#include "format/image-format.h"
#include "image/artefact.h"
#include "image/kept-output.h"
#include "image/kept-tree.h"
#include "image/layer.h"
#include "image/package-cache.h"
#include "image/partition-row.h"
#include "image/signer.h"
#include "image/workspace.h"

/* The disk as it was laid out. */
typedef struct ImageDisk {
        Partition partitions[PARTITION_ROWS_MAX];
        PartitionTable table; /* of these partitions */
        PartitionLayout *layout;
} ImageDisk;

typedef struct Image {
        const LoadedConfig *loaded;
        const Config *config; /* of loaded */
        const Distro *distro;
        const ImageFormat *format;
        Uuid seed;
        int64_t time; /* no time in the image is later: SOURCE_DATE_EPOCH, else the start of the assembly */
        bool time_given; /* SOURCE_DATE_EPOCH was set */
        mode_t umask;    /* the caller's */

        Secret *passphrase; /* of encrypted partitions; NULL: there are none, or it is not needed any more */
        Workspace *workspace;
        PackageCache cache;            /* locked while packages are installed */
        char *root_path;               /* the tree under way: the image's, or the development tree */
        const KeptOutput *kept_output; /* not owned; what the output is made of, if that is to be kept */
        KeptTree kept[KEPT_MAX];
        Layer *development; /* above the base tree; NULL: there is none at the moment */
        Layer *final; /* the image's tree above a base tree that is kept; NULL: it is a tree of its own */
        char *image_root_path;  /* root_path of the image while that is the development tree */
        char *sources_path;     /* what the build script sees as its sources; NULL: not there yet */
        char *destination_path; /* what the build script installed; NULL: there is none */
        char *boot_path;        /* what goes on the EFI system partition; NULL: nothing */
        char *raw_path;         /* the assembled disk image or file system; NULL: not yet, or there is none */
        char *packed_path; /* what becomes of it before it is compressed: raw_path again, or QCOW2; NULL: as above */
        ImageDisk disk;
        Sha256Digest root_hash; /* of dm-verity */
        bool has_root_hash;
        Artefacts artefacts;
        Signer *signers[SIGNER_ROLE_MAX]; /* with their keys until everything is signed; NULL: nothing is */
        Progress *progress;               /* not owned; may be NULL */
} Image;

/* Progress, which may be NULL, is told of the steps; like the configuration it lives longer than the image. Reads the
 * environment (SOURCE_DATE_EPOCH) and checks that host, distribution and format can do what the configuration asks for: all
 * reasons against it are logged at once, before anything is written or downloaded. Then the passphrase is read, or asked
 * for, if one is needed. */
int image_new(const LoadedConfig *loaded, mode_t caller_umask, const KeptOutput *kept_output,
              Progress *progress, Image **ret);
void image_free(Image *image);
DEFINE_CLEANUP(Image, image_free)

/* What the distribution's functions want to know. */
Installation image_installation(const Image *image);

/* The bound of all times: from the first call on, the same. */
int64_t image_time(Image *image);

/* Puts the development tree where root_path is from then on, see step-build.c. */
int image_lay_development(Image *image);

/* Reads a tree of the build; what it is the tree of is named when that fails. */
int image_load_tree(const char *path, const char *what, Tree **ret);

/* Runs all steps of the plan that the configuration wants. When it fails, nothing is left but what was there before. */
int image_build(Image *image);
