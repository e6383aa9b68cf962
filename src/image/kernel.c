/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/kernel.h"

int kernel_open(int root_fd, const char *version) {
        static const char *const formats[][2] = { { "usr/lib/modules/", "/vmlinuz" },
                                                  { "boot/vmlinuz-", "" } };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_(freep) char *path = NULL;

                int r = text_format(&path, "%s%s%s", formats[i][0], version, formats[i][1]);
                if (r < 0)
                        return r;
                r = path_open_below(root_fd, path, O_RDONLY, 0);
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}

static inline void directory_closep(DIR **directory) {
        if (*directory)
                (void)closedir(*directory);
}

int kernel_versions(int root_fd, char ***ret) {
        _cleanup_(strv_freep) char **versions = NULL;
        _cleanup_(directory_closep) DIR *directory = NULL;
        struct dirent *entry;

        const int modules_fd = path_open_below(root_fd, "usr/lib/modules", O_RDONLY | O_DIRECTORY, 0);
        if (modules_fd == -ENOENT) {
                *ret = NULL;
                return 0;
        }
        if (modules_fd < 0)
                return modules_fd;
        directory = fdopendir(modules_fd);
        if (!directory) {
                const int r = -errno;
                (void)fd_close(modules_fd);
                return r;
        }

        while ((entry = readdir(directory))) {
                if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
                        continue;

                /* A directory of modules alone is what an old kernel leaves behind. */
                _cleanup_(fd_closep) int fd = kernel_open(root_fd, entry->d_name);
                if (fd == -ENOENT)
                        continue;
                if (fd < 0)
                        return fd;
                const int r = strv_append(&versions, entry->d_name);
                if (r < 0)
                        return r;
        }

        strv_sort(versions);
        *ret = TAKE_PTR(versions);
        return 0;
}
