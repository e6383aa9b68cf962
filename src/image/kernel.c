/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/kernel.h"

#define MODULES_DEP_SIZE_MAX (16 * MIB)

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

int kernel_has_module(int root_fd, const char *version, const char *module) {
        _cleanup_(freep) char *path = NULL, *text = NULL, *name = NULL;
        _cleanup_(fd_closep) int directory_fd = -EBADF;
        int r;

        r = text_format(&path, "usr/lib/modules/%s", version);
        if (r >= 0)
                r = text_format(&name, "/%s.ko", module);
        if (r < 0)
                return r;
        directory_fd = path_open_below(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
        if (directory_fd < 0)
                return directory_fd;
        r = file_read(directory_fd, "modules.dep", MODULES_DEP_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;

        /* modules.dep(5): a line for every module, "kernel/…/NAME.ko[.xz]: …". */
        for (const char *line = text; line && *line; line = strchr(line, '\n')) {
                line += *line == '\n';
                const size_t length = strcspn(line, ":\n");
                const char *found = memmem(line, length, name, strlen(name));

                if (found && (found[strlen(name)] == ':' || found[strlen(name)] == '.'))
                        return 1;
        }
        return 0;
}
