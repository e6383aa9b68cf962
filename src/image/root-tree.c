/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/partition-row.h"
#include "image/root-tree.h"

#define HOME         "home"
#define SRV          "srv"
#define VAR          "var"
#define VAR_TMP      "var/tmp"
#define VAR_LIB      "var/lib"
#define VAR_MACHINES "var/lib/machines"

const char *const root_tree_subvolumes[] = { HOME, SRV, VAR, VAR_TMP, VAR_MACHINES, NULL };

static const struct {
        const char *path;
        mode_t mode;
        bool subvolume;
} directories[] = {
        { HOME, 0755, true },     { SRV, 0755, true },      { VAR, 0755, true },
        { VAR_TMP, 01777, true }, { VAR_LIB, 0755, false }, { VAR_MACHINES, 0700, true },
};

/* The mode is exactly this, whatever the umask. */
static int make_directory(int dir_fd, const char *name, mode_t mode, bool subvolume) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (subvolume)
                return subvolume_create(dir_fd, name, mode);
        if (mkdirat(dir_fd, name, mode) < 0)
                return errno == EEXIST ? 0 : -errno;
        fd = tree_open_directory(dir_fd, name);
        if (fd < 0)
                return fd;
        return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int make_below(int root_fd, const char *path, mode_t mode, bool subvolume) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int parent_fd = -EBADF;

        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        parent_fd = path_open_below(root_fd, parent, O_RDONLY | O_DIRECTORY, 0);
        if (parent_fd < 0)
                return parent_fd;
        return make_directory(parent_fd, path_base_name(path), mode, subvolume);
}

/* Where the partitions that the configuration wants are mounted. */
static int make_mount_points(int root_fd, const Config *config, Reason *reason) {
        for (size_t i = 0; i < n_partition_rows; i++) {
                const PartitionRow *row = &partition_rows[i];

                if (!row->directory || !partition_row_wanted(row, config))
                        continue;
                const int r = make_below(root_fd, row->directory, 0755, false);
                if (r < 0)
                        return reason_set(reason, r, "Cannot create /%s in the tree: %m", row->directory);
        }
        return 0;
}

int root_tree_make(int dir_fd, const char *name, const Config *config, const ImageFormat *format,
                   Reason *reason) {
        const bool subvolumes = format->subvolumes && format->shape == IMAGE_TREE;
        _cleanup_(fd_closep) int root_fd = -EBADF;

        int r = make_directory(dir_fd, name, 0755, subvolumes);
        if (r < 0)
                return reason_set(reason, r, "Cannot create the tree: %m");
        root_fd = tree_open_directory(dir_fd, name);
        if (root_fd < 0)
                return root_fd;

        for (size_t i = 0; format->subvolumes && i < ELEMENTSOF(directories); i++) {
                r = make_below(root_fd, directories[i].path, directories[i].mode,
                               subvolumes && directories[i].subvolume);
                if (r < 0)
                        return reason_set(reason, r, "Cannot create /%s in the tree: %m",
                                          directories[i].path);
        }
        return format->shape == IMAGE_DISK ? make_mount_points(root_fd, config, reason) : 0;
}

int root_tree_freeze_nested(const char *path) {
        _cleanup_(fd_closep) int root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (root_fd < 0)
                return -errno;
        for (size_t i = ELEMENTSOF(root_tree_subvolumes) - 1; i-- > 0;) {
                _cleanup_(fd_closep) int fd =
                        path_open_below(root_fd, root_tree_subvolumes[i], O_RDONLY | O_DIRECTORY, 0);

                /* What was installed may have put something else in its place. */
                if (fd < 0 || subvolume_is(fd) <= 0)
                        continue;
                const int r = subvolume_set_read_only(fd, true);
                if (r < 0)
                        return r;
        }
        return 0;
}

int root_tree_subvolumes_possible(const Config *config) {
        _cleanup_(freep) char *path = NULL;

        int r = text_copy(config->output_directory, &path);
        /* The directory is made when the build begins: what counts is the nearest one that is there. */
        while (r >= 0) {
                _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                char *parent = NULL;

                if (fd >= 0)
                        return subvolume_supported(fd);
                if (errno != ENOENT || text_equal(path, "/"))
                        return -errno;
                r = path_parent(path, &parent);
                if (r >= 0) {
                        free(path);
                        path = parent;
                }
        }
        return r;
}
