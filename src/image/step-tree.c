/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filling the tree: packages by the distribution, then what the project adds. */

#include <fcntl.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "image/package-cache.h"
#include "image/plan.h"

int step_bootstrap(Image *image) {
        const Installation installation = image_installation(image);

        if (image->config->cache) {
                const int r = package_cache_lock(image->config->cache, &image->cache_fd);
                if (r < 0)
                        return r;
        }
        return image->distro->manager->bootstrap(&installation);
}

int step_packages(Image *image) {
        _cleanup_(strv_freep) char **packages = NULL;
        const Installation installation = image_installation(image);

        int r = distro_packages(image->distro, image->config, &packages);
        if (r < 0)
                return log_error(r, "Cannot list the packages: %m");
        r = image->distro->manager->install(&installation, STRV(packages));
        image->cache_fd = fd_close(image->cache_fd);
        return r;
}

int step_extra_trees(Image *image) {
        for (char **tree = image->config->extra_trees; tree && *tree; tree++) {
                _cleanup_(reason_done) Reason reason = {};

                const int r = copy_tree(AT_FDCWD, *tree, image->root_path,
                                        &(CopyTreeOptions){ .progress = image->progress }, &reason);
                if (r == -EINTR)
                        return r;
                if (r < 0)
                        return log_error(r, "Cannot copy the extra tree %s into the image: %s", *tree,
                                         reason_text(&reason, r));
        }
        return 0;
}

int step_clean(Image *image) {
        const Installation installation = image_installation(image);

        return image->distro->manager->clean(&installation);
}
