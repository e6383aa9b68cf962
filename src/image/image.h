/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The build under way. What was asked stays in the Config; what the steps find out and open is here. */

#include "base/uuid.h"
#include "config/config-load.h"
#include "distro/distro.h"
#include "format/image-format.h"
#include "image/workspace.h"

typedef struct Image {
        const Config *config;
        const Distro *distro;
        const ImageFormat *format;
        Uuid seed;
        int64_t time; /* no time in the image is later: SOURCE_DATE_EPOCH, else the start of the assembly */
        bool time_given; /* SOURCE_DATE_EPOCH was set */
        mode_t umask;    /* the caller's */

        Workspace *workspace;
        char *root_path;    /* the tree */
        char *boot_path;    /* what goes on the EFI system partition; NULL: nothing */
        char *disk_path;    /* the assembled disk image; NULL: not yet */
        Progress *progress; /* of the running step */
} Image;

/* Reads the environment (SOURCE_DATE_EPOCH) and checks that host, distribution and format can do what the configuration
 * asks for: all reasons against it are logged at once, before anything is written or downloaded. */
int image_new(const Config *config, mode_t caller_umask, Image **ret);
void image_free(Image *image);
DEFINE_CLEANUP(Image, image_free)

/* What the distribution's functions want to know. */
Installation image_installation(const Image *image);

/* Runs all steps of the plan that the configuration wants. When it fails, nothing is left but what was there before. */
int image_build(Image *image);
