/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mount-namespace.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/layer.h"

/* The parts of an overlay, in the layer's directory; "tree" is also where a copy goes. */
#define TREE_NAME    "tree"
#define CHANGES_NAME "changes"
#define WORK_NAME    "work"

static int open_directory(int dir_fd, const char *path) {
        const int fd = openat(dir_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

#define LAYERS_MAX 4 /* below one */

/* "/proc/self/fd/7:/proc/self/fd/8" */
static int list_below(const int *fds, size_t n_fds, char **ret) {
        _cleanup_(strv_freep) char **list = NULL;
        int r = 0;

        for (size_t i = 0; i < n_fds && r >= 0; i++)
                r = strv_append_format(&list, "/proc/self/fd/%d", fds[i]);
        return r < 0 ? r : strv_join(STRV(list), ":", ret);
}

/* Directories are named by descriptors: paths would have to be quoted, and the list of them has the length of a page at most.
 * Links between files of the tree below hold when one of them is changed (index), and directories can be renamed
 * (redirect_dir). */
static int mount_overlay(const Layer *layer, const int *below_fds, size_t n_below, int directory_fd) {
        _cleanup_(fd_closep) int changes_fd = open_directory(directory_fd, CHANGES_NAME),
                                 work_fd = open_directory(directory_fd, WORK_NAME);
        _cleanup_(freep) char *below = NULL, *options = NULL;

        int r = changes_fd < 0 ? changes_fd : MIN(work_fd, 0);
        if (r >= 0)
                r = list_below(below_fds, n_below, &below);
        if (r >= 0)
                r = text_format(&options,
                                "lowerdir=%s,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,"
                                "index=on,redirect_dir=on,metacopy=off",
                                below, changes_fd, work_fd);
        if (r < 0)
                return r;
        return mount("overlay", layer->path, "overlay", 0, options) < 0 ? -errno : 0;
}

/* The root of the tree looks as that below does; all else follows from that. */
static int make_parts(int directory_fd, int below_fd) {
        struct stat status;

        if (fstat(below_fd, &status) < 0)
                return -errno;
        if (mkdirat(directory_fd, TREE_NAME, 0755) < 0 || mkdirat(directory_fd, CHANGES_NAME, 0700) < 0 ||
            mkdirat(directory_fd, WORK_NAME, 0700) < 0)
                return -errno;
        if (fchownat(directory_fd, CHANGES_NAME, status.st_uid, status.st_gid, 0) < 0 ||
            fchmodat(directory_fd, CHANGES_NAME, status.st_mode & 07777, 0) < 0)
                return -errno;
        return 0;
}

static int copy_below(const LayerOptions *options, const Layer *layer, int directory_fd, Reason *reason) {
        if (options->below[1])
                return -EXDEV;
        /* A directory that is there would keep its own status. */
        if (unlinkat(directory_fd, TREE_NAME, AT_REMOVEDIR) < 0)
                return -errno;
        return copy_tree(AT_FDCWD, options->below[0], layer->path,
                         &(CopyTreeOptions){ .flags = COPY_TREE_OWNERS, .progress = options->progress },
                         reason);
}

static int fill(const LayerOptions *options, Layer *layer, const int *below_fds, size_t n_below,
                Reason *reason) {
        _cleanup_(fd_closep) int directory_fd = -EBADF;

        if (mkdir(layer->directory, 0700) < 0)
                return -errno;
        directory_fd = open(layer->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory_fd < 0)
                return -errno;
        int r = make_parts(directory_fd, below_fds[0]);
        if (r < 0)
                return r;

        r = mount_overlay(layer, below_fds, n_below, directory_fd);
        if (r == 0) {
                layer->mounted = layer->overlay = true;
                return 0;
        }
        log_debug("An overlay above %s cannot be mounted (%s): it is copied", options->below[0],
                  strerror(-r));
        return copy_below(options, layer, directory_fd, reason);
}

static int open_and_fill(const LayerOptions *options, Layer *layer, Reason *reason) {
        int below_fds[LAYERS_MAX];
        size_t n_below = 0;

        /* First of all: what is opened before belongs to the old namespace, and cannot be mounted in the new one. Without a
         * namespace there is no overlay, but a copy does not need one. */
        int r = mount_namespace_leave();
        if (r < 0)
                log_debug("Cannot leave the mount namespace: %s", strerror(-r));
        r = 0;

        for (; options->below[n_below] && r >= 0; n_below += r >= 0) {
                assert(n_below < LAYERS_MAX);
                r = below_fds[n_below] = open_directory(AT_FDCWD, options->below[n_below]);
        }
        if (r >= 0)
                r = fill(options, layer, below_fds, n_below, reason);
        while (n_below-- > 0)
                (void)fd_close(below_fds[n_below]);
        return r;
}

int layer_new(const LayerOptions *options, Layer **ret, Reason *reason) {
        _cleanup_(layer_freep) Layer *layer = calloc(1, sizeof(*layer));

        assert(options && options->below && options->below[0] && options->directory && ret);

        if (!layer)
                return -ENOMEM;
        int r = text_copy(options->directory, &layer->directory);
        if (r >= 0)
                r = path_join(layer->directory, TREE_NAME, &layer->path);
        if (r >= 0)
                r = open_and_fill(options, layer, reason);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(layer);
        return 0;
}

/* Should something still have a file of it open, it keeps that, and no more. */
static int unmount(Layer *layer) {
        if (layer->mounted && umount2(layer->path, UMOUNT_NOFOLLOW) < 0 &&
            (errno != EBUSY || umount2(layer->path, UMOUNT_NOFOLLOW | MNT_DETACH) < 0))
                return -errno;
        layer->mounted = false;
        return 0;
}

int layer_detach(Layer *layer, char **ret_content) {
        _cleanup_(freep) char *work = NULL;

        int r = unmount(layer);
        if (r >= 0)
                r = path_join(layer->directory, WORK_NAME, &work);
        /* What has several names has one more there: who takes it away later would change it. */
        if (r >= 0)
                r = tree_remove(AT_FDCWD, work);
        if (r < 0)
                return r;
        return layer->overlay ? path_join(layer->directory, CHANGES_NAME, ret_content)
                              : text_copy(layer->path, ret_content);
}

int layer_remove(Layer *layer) {
        const int r = unmount(layer);

        return r < 0 ? r : tree_remove(AT_FDCWD, layer->directory);
}

void layer_free(Layer *layer) {
        if (!layer)
                return;
        if (layer->directory)
                (void)layer_remove(layer);
        free(layer->directory);
        free(layer->path);
        free(layer);
}
