/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/view-target.h"

static int part_make(int directory_fd, const char *name, bool directory) {
        const int r = directory ? mkdirat(directory_fd, name, 0755)
                                : mknodat(directory_fd, name, S_IFREG | 0644, 0);

        return r < 0 && errno != EEXIST ? -errno : 0;
}

/* Opens what is in the directory, or makes it. */
static int part_open(int directory_fd, const char *name, bool directory) {
        _cleanup_(fd_closep) int fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;

        if (fd < 0 && errno == ENOENT) {
                const int r = part_make(directory_fd, name, directory);

                if (r < 0)
                        return r;
                fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        return S_ISLNK(status.st_mode) ? -ELOOP : TAKE_FD(fd);
}

static int target_make(int root_fd, const char *path, bool directory, int *ret_fd) {
        _cleanup_(fd_closep) int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        for (const char *rest = path + strspn(path, "/"); rest[0];) {
                const size_t length = strcspn(rest, "/");
                char name[NAME_MAX + 1];

                if (length > NAME_MAX)
                        return -ENAMETOOLONG;
                memcpy(name, rest, length);
                name[length] = '\0';
                rest += length + strspn(rest + length, "/");
                const int next = part_open(fd, name, rest[0] || directory);
                if (next < 0)
                        return next;
                (void)fd_close(fd);
                fd = next;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int view_target_make(int root_fd, const char *path, bool directory, int *ret_fd) {
        const mode_t before = umask(0);
        const int r = target_make(root_fd, path, directory, ret_fd);

        (void)umask(before);
        return r;
}
