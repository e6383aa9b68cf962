/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trees that are kept for later builds, and what is built above them. */

#include <fcntl.h>

#include "base/copy-tree.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "image/plan.h"
#include "image/root-tree.h"

static int store(Image *image, KeptKind kind, const char *content, bool changes) {
        const int r = kept_tree_store(image->config, kind, &image->kept[kind], content, changes,
                                      image->workspace->path);
        if (r < 0)
                return log_error(r, "Cannot keep the %s: %m", kept_kind_title(kind));
        image->kept[kind].usable = true;
        return 0;
}

int step_keep_base(Image *image) {
        return store(image, KEPT_BASE, image->root_path, false);
}

/* What is kept is the first thing that the development tree consists of; what follows must not change it. */
int step_keep_development(Image *image) {
        _cleanup_(freep) char *content = NULL;
        const bool changes = image->development->overlay;

        int r = layer_detach(image->development, &content);
        if (r < 0)
                return log_error(r, "Cannot keep the development tree: %m");
        r = store(image, KEPT_DEVELOPMENT, content, changes);
        if (r < 0)
                return r;
        layer_free(TAKE_PTR(image->development));
        return image_lay_development(image);
}

/* What becomes a directory, in the end, is a copy: it is moved to its name. */
static int copy_base(Image *image, const char *base, Reason *reason) {
        const int r = root_tree_make(image->workspace->fd, "root", image->config, image->format, reason);
        if (r < 0)
                return r;
        return copy_tree(AT_FDCWD, base, image->root_path,
                         &(CopyTreeOptions){ .flags = COPY_TREE_OWNERS, .progress = image->progress },
                         reason);
}

static int lay_above_base(Image *image, const char *base, Reason *reason) {
        _cleanup_(freep) char *directory = NULL, *path = NULL;

        int r = path_join(image->workspace->path, "final", &directory);
        if (r < 0)
                return r;
        r = layer_new(&(LayerOptions){ .below = (const char *const[]){ base, NULL },
                                       .directory = directory,
                                       .progress = image->progress },
                      &image->final, reason);
        if (r >= 0)
                r = text_copy(image->final->path, &path);
        if (r < 0)
                return r;
        free(image->root_path);
        image->root_path = TAKE_PTR(path);
        return 0;
}

int step_final_tree(Image *image) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *base = NULL;
        bool changes;

        int r = kept_tree_content(image->config, KEPT_BASE, &base, &changes);
        if (r >= 0)
                r = image->format->shape == IMAGE_TREE ? copy_base(image, base, &reason)
                                                       : lay_above_base(image, base, &reason);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot make the final tree of what is kept: %s",
                                 reason_text(&reason, r));
        return r;
}
