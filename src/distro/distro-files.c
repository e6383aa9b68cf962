/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "distro/distro-files.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int distro_open_root(const char *root) {
        const int fd = open(root, DIRECTORY_FLAGS | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

/* Every missing directory is made in a parent that was opened below the root, so no link leads a mkdir() astray. */
int distro_make_directory(int root_fd, const char *path, mode_t mode) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int parent_fd = -EBADF, fd = path_open_below(root_fd, path, DIRECTORY_FLAGS, 0);

        if (fd != -ENOENT)
                return fd < 0 ? fd : TAKE_FD(fd);

        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        if (text_equal(parent, path))
                return -ENOENT;
        parent_fd = distro_make_directory(root_fd, parent, 0755);
        if (parent_fd < 0)
                return parent_fd;
        if (mkdirat(parent_fd, path_base_name(path), mode) < 0)
                return -errno;
        fd = openat(parent_fd, path_base_name(path), DIRECTORY_FLAGS | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        r = fchmod(fd, mode) < 0 ? -errno : 0;
        return r < 0 ? r : TAKE_FD(fd);
}

int distro_write_text(int root_fd, const char *path, const char *text, mode_t mode) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int parent_fd = -EBADF;

        const int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        parent_fd = distro_make_directory(root_fd, parent, 0755);
        if (parent_fd < 0)
                return parent_fd;
        return file_write_text(parent_fd, path_base_name(path), text, mode);
}

static int read_names(DIR *directory, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;
        struct dirent *entry;

        while (errno = 0, (entry = readdir(directory))) {
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;
                const int r = strv_append(&names, entry->d_name);
                if (r < 0)
                        return r;
        }
        if (errno != 0)
                return -errno;
        if (names)
                strv_sort(names);

        *ret = TAKE_PTR(names);
        return 0;
}

int distro_list(int root_fd, const char *directory, char ***ret) {
        _cleanup_(directory_closep) DIR *stream = NULL;
        _cleanup_(fd_closep) int fd = path_open_below(root_fd, directory, DIRECTORY_FLAGS, 0);

        if (fd == -ENOENT || fd == -ENOTDIR) {
                *ret = NULL;
                return 0;
        }
        if (fd < 0)
                return fd;
        stream = fdopendir(fd);
        if (!stream)
                return -errno;
        fd = -EBADF; /* the stream owns it */
        return read_names(stream, ret);
}

int distro_remove_matching(int root_fd, const char *directory, const char *pattern) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = distro_list(root_fd, directory, &names);
        if (r < 0 || !names)
                return r;
        fd = path_open_below(root_fd, directory, DIRECTORY_FLAGS, 0);
        if (fd < 0)
                return fd;
        for (size_t i = 0; r >= 0 && names[i]; i++)
                if (fnmatch(pattern, names[i], FNM_EXTMATCH) == 0)
                        r = tree_remove(fd, names[i]);
        return r;
}

int distro_remove_all(int root_fd, const DistroLeftover *leftovers, size_t n_leftovers) {
        for (size_t i = 0; i < n_leftovers; i++) {
                const int r = distro_remove_matching(root_fd, leftovers[i].directory, leftovers[i].pattern);
                if (r < 0)
                        return r;
        }
        return 0;
}
