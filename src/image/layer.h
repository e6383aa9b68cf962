/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A tree above another one: what is changed in it does not change the one below. Where the kernel and the file system allow,
 * it is an overlay (overlayfs), which costs nothing; elsewhere, such as inside of a container whose root is an overlay
 * itself, it is a copy that shares blocks where the file system can. Overlays are mounted in a mount namespace that this
 * process makes for itself: nobody else sees them, and they are gone with the process, however that ends. */

#include "base/macro.h"
#include "base/progress.h"
#include "base/reason.h"

typedef struct Layer {
        char *path;      /* the tree, absolute */
        char *directory; /* what it consists of; deleted with it */
        bool mounted;    /* an overlay; otherwise a copy */
        bool overlay;    /* the same, also when it is not mounted any more */
} Layer;

typedef struct LayerOptions {
        /* Trees that stay as they are, and must not change while the layer is there, the uppermost first; NULL-terminated. The
         * last one is whole, those above are what layers kept as their changes. */
        const char *const *below;
        const char *
                directory; /* does not exist; becomes the layer's, on the file system where the changes are to lie */
        Progress *progress; /* of copying */
} LayerOptions;

/* Puts a layer above the trees. The reason names what could not be copied. -EXDEV when that takes an overlay that cannot
 * be mounted. */
int layer_new(const LayerOptions *options, Layer **ret, Reason *reason);

/* Takes the layer off, and gives the path of what it consisted of: of an overlay the changes, else the tree. It can be
 * moved. */
int layer_detach(Layer *layer, char **ret_content);

/* Takes the layer away, with all that was changed in it. */
int layer_remove(Layer *layer);
/* The same, silently, and frees. */
void layer_free(Layer *layer);
DEFINE_CLEANUP(Layer, layer_free)
