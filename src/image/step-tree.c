/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filling the tree: packages by the distribution, then what the project adds. */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/tree.h"
#include "format/unpack.h"
#include "image/failure.h"
#include "image/package-cache.h"
#include "image/plan.h"

static int lock_cache(Image *image) {
        if (!image->config->cache || image->cache.lock_fd >= 0)
                return 0;
        return package_cache_lock(image->config->cache, !image->config->no_chown, &image->cache);
}

int step_bootstrap(Image *image) {
        const Installation installation = image_installation(image);

        int r = lock_cache(image);
        if (r < 0)
                return r;
        r = image->distro->manager->bootstrap(&installation);
        /* A shell that is opened now may be there for hours. */
        if (r < 0)
                package_cache_unlock(&image->cache);
        return failure_of_tool(image, r);
}

static int install(Image *image, const char *const *packages) {
        const Installation installation = image_installation(image);

        int r = lock_cache(image);
        if (r < 0)
                return r;
        r = image->distro->manager->install(&installation, packages);
        package_cache_unlock(&image->cache);
        return failure_of_tool(image, r);
}

int step_packages(Image *image) {
        _cleanup_(strv_freep) char **packages = NULL;

        const int r = distro_packages(image->distro, image->config, &packages);
        if (r < 0)
                return log_error(r, "Cannot list the packages: %m");
        return install(image, STRV(packages));
}

int step_build_packages(Image *image) {
        return install(image, STRV(image->config->build_packages));
}

/* Archives are unpacked first, where nothing is that their links could lead to. */
static int unpack(Image *image, const char *archive, char **ret, Reason *reason) {
        _cleanup_(fd_closep) int archive_fd = open(archive, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
                                 directory_fd = -EBADF;
        _cleanup_(freep) char *path = NULL;

        if (archive_fd < 0)
                return -errno;
        int r = path_join(image->workspace->path, "unpacked", &path);
        if (r >= 0)
                r = tree_remove(AT_FDCWD, path);
        if (r < 0)
                return r;
        if (mkdir(path, 0755) < 0)
                return -errno;
        directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory_fd < 0)
                return -errno;
        r = unpack_archive(archive_fd, directory_fd, image->progress, reason);
        if (r >= 0)
                *ret = TAKE_PTR(path);
        return r;
}

/* What a directory has belongs to root, what an archive has to whom the archive says. */
static int copy_one(Image *image, const char *path, Reason *reason) {
        CopyTreeOptions options = { .flags = COPY_TREE_INTO_LINKS, .progress = image->progress };
        _cleanup_(freep) char *unpacked = NULL;
        struct stat status;

        if (stat(path, &status) < 0)
                return -errno;
        if (!S_ISDIR(status.st_mode)) {
                const int r = unpack(image, path, &unpacked, reason);
                if (r < 0)
                        return r;
                options.flags |= COPY_TREE_OWNERS;
        }
        return copy_tree(AT_FDCWD, unpacked ?: path, image->root_path, &options, reason);
}

static int copy_trees(Image *image, char *const *trees, const char *kind) {
        for (char *const *tree = trees; tree && *tree; tree++) {
                _cleanup_(reason_done) Reason reason = {};

                const int r = copy_one(image, *tree, &reason);
                if (r == -EINTR)
                        return r;
                if (r < 0)
                        return log_error(r, "Cannot copy the %s tree %s into the image: %s", kind, *tree,
                                         reason_text(&reason, r));
        }
        return 0;
}

int step_skeleton_trees(Image *image) {
        return copy_trees(image, image->config->skeleton_trees, "skeleton");
}

int step_extra_trees(Image *image) {
        return copy_trees(image, image->config->extra_trees, "extra");
}

int step_clean(Image *image) {
        const Installation installation = image_installation(image);

        return failure_of_tool(image, image->distro->manager->clean(&installation));
}
