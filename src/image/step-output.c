/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a build begins and ends: the workspace, and the move of what is finished to its name. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/clean.h"
#include "image/output-lock.h"
#include "image/output.h"
#include "image/plan.h"
#include "image/root-tree.h"

static int make_parent(const char *path, bool give) {
        _cleanup_(freep) char *parent = NULL;

        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        r = caller_make_directories(parent, 0755, give);
        if (r < 0)
                return log_error(r, "Cannot create the directory %s: %m", parent);
        return 0;
}

int step_workspace(Image *image) {
        const Config *config = image->config;
        _cleanup_(reason_done) Reason reason = {};
        pid_t holder = 0;
        int r;

        r = make_parent(config->output, !config->no_chown);
        if (r < 0)
                return r;
        r = workspace_new(config->output, &image->workspace, &holder);
        if (r == -EBUSY)
                return log_error(r, "Another build of %s is under way (process %d): wait for it, or stop it",
                                 config->output, (int)holder);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot make a workspace beside %s: %m", config->output);

        r = path_join(image->workspace->path, "root", &image->root_path);
        if (r >= 0)
                r = clean_kept(config, config->force);
        if (r < 0)
                return r;
        r = kept_tree_look(image->loaded, image->distro, KEPT_BASE, NULL, &image->kept[KEPT_BASE]);
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot look for a base tree that is kept: %m");
        kept_tree_say(&image->kept[KEPT_BASE], KEPT_BASE);
        if (image->kept[KEPT_BASE].usable)
                return 0;
        r = root_tree_make(image->workspace->fd, "root", config, image->format, &reason);
        if (r < 0)
                return log_error(r, "Cannot create %s: %s", image->root_path, reason_text(&reason, r));
        return 0;
}

/* A directory keeps the times that its files have; with SOURCE_DATE_EPOCH set they are bounded as those in a file system
 * image are. */
static int clamp_times(const Image *image) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        const struct timespec bound = { .tv_sec = image->time };

        int r = image_load_tree(image->root_path, "the image", &tree);
        if (r < 0)
                return r;

        for (size_t i = 0; i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i];
                _cleanup_(freep) char *path = NULL;

                if (node->status.st_mtim.tv_sec < image->time)
                        continue;
                r = interrupt_check();
                if (r >= 0)
                        r = tree_node_path(node, &path);
                if (r < 0)
                        return r;
                if (utimensat(tree->root_fd, path, (const struct timespec[]){ bound, bound },
                              AT_SYMLINK_NOFOLLOW) < 0)
                        return log_error(-errno, "Cannot set the time of %s: %m", path);
        }
        return 0;
}

/* All of the file system, since a tree is many files; a result that was announced is on disk. */
static int sync_tree(const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || syncfs(fd) < 0 ? -errno : 0;
}

/* A tree that is put into place as it is: with the times that images have where they are to be the same every time. */
int step_tree(Image *image) {
        _cleanup_(freep) char *path = NULL;
        const bool freeze = image->format->subvolumes && image->config->read_only;

        int r = image->time_given ? clamp_times(image) : 0;
        if (r < 0)
                return r;
        if (freeze) {
                r = root_tree_freeze_nested(image->root_path);
                if (r < 0)
                        return log_error(r, "Cannot make the subvolumes read-only: %m");
        }
        r = sync_tree(image->root_path);
        if (r < 0)
                return log_error(r, "Cannot write the tree to disk: %m");
        r = text_copy(image->root_path, &path);
        if (r < 0)
                return r;
        r = artefacts_add(&image->artefacts, image->config, ARTEFACT_IMAGE, TAKE_PTR(path), NULL);
        if (r < 0)
                return log_error(r, "Cannot look at the tree: %m");
        return 0;
}

/* The outermost subvolume last, and when it has its name: one that is read-only cannot be renamed. */
static int freeze_root(const Image *image) {
        _cleanup_(fd_closep) int fd =
                open(image->config->output, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        const int r = fd < 0 ? -errno : subvolume_set_read_only(fd, true);
        if (r < 0)
                return log_error(r, "%s is complete, but it cannot be made read-only: %m",
                                 image->config->output);
        return 0;
}

int step_publish(Image *image) {
        const Config *config = image->config;
        _cleanup_(fd_closep) int lock_fd = -EBADF;

        assert(artefacts_find(&image->artefacts, ARTEFACT_IMAGE));

        /* When the old image gave way, nobody finds it any more who could run it. From here on it is done: a signal
         * that comes now comes too late. */
        int r = interrupt_check();
        if (r >= 0 && config->force > 0)
                r = output_lock(config->output, true, &lock_fd);
        if (r < 0)
                return r;
        r = output_publish_all(config, &image->artefacts, image->workspace->path, config->force > 0);
        if (r < 0)
                return r;
        return image->format->shape == IMAGE_TREE && image->format->subvolumes && config->read_only
                       ? freeze_root(image)
                       : 0;
}
