/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a build begins and ends: the workspace, and the move of what is finished to its name. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/output.h"
#include "image/plan.h"

static int make_parent(const char *path) {
        _cleanup_(freep) char *parent = NULL;

        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        r = path_make_directories(AT_FDCWD, parent, 0755);
        if (r < 0)
                return log_error(r, "Cannot create the directory %s: %m", parent);
        return 0;
}

int step_workspace(Image *image) {
        const Config *config = image->config;
        pid_t holder = 0;
        int r;

        r = make_parent(config->output);
        if (r < 0)
                return r;
        r = workspace_new(config->output, &image->workspace, &holder);
        if (r == -EBUSY)
                return log_error(r, "Another build of %s is under way (process %d): wait for it, or stop it",
                                 config->output, (int)holder);
        if (r < 0)
                return log_error(r, "Cannot make a workspace beside %s: %m", config->output);

        r = path_join(image->workspace->path, "root", &image->root_path);
        if (r < 0)
                return r;
        if (mkdir(image->root_path, 0755) < 0)
                return log_error(-errno, "Cannot create %s: %m", image->root_path);

        if (config->cache) {
                r = path_make_directories(AT_FDCWD, config->cache, 0755);
                if (r < 0)
                        return log_error(r, "Cannot create the package cache %s: %m", config->cache);
        }
        return 0;
}

/* A directory keeps the times that its files have; with SOURCE_DATE_EPOCH set they are bounded as those in a file system
 * image are. */
static int clamp_times(const Image *image) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(reason_done) Reason reason = {};
        const struct timespec bound = { .tv_sec = image->time };

        int r = tree_load(AT_FDCWD, image->root_path, &tree, &reason);
        if (r < 0)
                return log_error(r, "Cannot read the tree: %s", reason_text(&reason, r));

        for (size_t i = 0; i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i];
                _cleanup_(freep) char *path = NULL;

                if (node->status.st_mtim.tv_sec < image->time)
                        continue;
                r = tree_node_path(node, &path);
                if (r < 0)
                        return r;
                if (utimensat(tree->root_fd, path, (const struct timespec[]){ bound, bound },
                              AT_SYMLINK_NOFOLLOW) < 0)
                        return log_error(-errno, "Cannot set the time of %s: %m", path);
        }
        return 0;
}

/* What was built under sudo belongs to who called it. */
static int give_to_caller(const Image *image, int fd) {
        const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
        uint64_t uid, gid;

        if (image->config->no_chown || !uid_text || !gid_text)
                return 0;
        if (parse_uint64(uid_text, &uid) < 0 || parse_uint64(gid_text, &gid) < 0 || uid >= UINT32_MAX ||
            gid >= UINT32_MAX)
                return 0;
        if (fchown(fd, (uid_t)uid, (gid_t)gid) < 0)
                return log_error(-errno,
                                 "Cannot give the result to user %s: %m (--no-chown leaves it to root)",
                                 uid_text);
        return 0;
}

static int finish_disk(const Image *image) {
        _cleanup_(fd_closep) int fd = open(image->disk_path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return log_error(-errno, "Cannot open %s: %m", image->disk_path);
        if (fchmod(fd, 0666 & ~image->umask) < 0)
                return log_error(-errno, "Cannot set the mode of %s: %m", image->disk_path);
        return give_to_caller(image, fd);
}

static void report(const Image *image) {
        struct stat status;
        char apparent[24], consumed[24];

        if (!image->disk_path || stat(image->config->output, &status) < 0) {
                log_info("Result: %s", image->config->output);
                return;
        }
        size_format_rounded((uint64_t)status.st_size, apparent);
        size_format_rounded((uint64_t)status.st_blocks * 512, consumed);
        log_info("Result: %s, %s, of which %s are on disk", image->config->output, apparent, consumed);
}

int step_publish(Image *image) {
        const Config *config = image->config;
        int r;

        if (image->disk_path)
                r = finish_disk(image);
        else
                r = image->time_given ? clamp_times(image) : 0;
        if (r < 0)
                return r;

        /* From here on it is done: a signal that comes now comes too late. */
        r = interrupt_check();
        if (r < 0)
                return r;
        r = output_publish(image->disk_path ? image->disk_path : image->root_path, config->output,
                           config->force > 0);
        if (r == -EEXIST)
                return log_error(r, "%s exists already: use --force to replace it", config->output);
        if (r < 0)
                return log_error(r, "Cannot put the result at %s: %m", config->output);

        report(image);
        return 0;
}
