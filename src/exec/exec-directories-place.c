/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "exec/exec-directories-place.h"

#define PARENT_MODE 0755

int exec_directory_open_prefix(const ExecDirectory *directory, const char *path, bool make) {
        _cleanup_(freep) char *prefix = NULL;

        assert(text_ends_with(path, directory->name));
        prefix = strndup(path, strlen(path) - strlen(directory->name) - 1);
        if (!prefix)
                return -ENOMEM;
        for (;;) {
                const int fd = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0)
                        return fd;
                if (errno != ENOENT || !make)
                        return -errno;
                const int r = path_make_directories(AT_FDCWD, prefix, PARENT_MODE);
                if (r < 0)
                        return r;
                make = false;
        }
}

static int open_step(int fd, const char *name, int flags) {
        const struct open_how how = {
                .flags = (uint64_t)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
        };
        const long opened = syscall(SYS_openat2, fd, name, &how, sizeof(how));

        return opened < 0 ? -errno : (int)opened;
}

/* Whatever the umask. */
static int make_step(int fd, const char *name) {
        if (mkdirat(fd, name, PARENT_MODE) < 0)
                return errno == EEXIST ? 0 : -errno;
        const int made = open_step(fd, name, O_RDONLY);
        const int r = made < 0 ? made : fchmod(made, PARENT_MODE) < 0 ? -errno : 0;
        (void)fd_close(made);
        return r;
}

int exec_directory_open_parent(const ExecDirectory *directory, const char *path, bool make) {
        _cleanup_(fd_closep) int fd = exec_directory_open_prefix(directory, path, make);
        _cleanup_(freep) char *name = NULL;

        if (fd < 0)
                return fd;
        int r = text_copy(directory->name, &name);
        if (r < 0)
                return r;
        char *part = name;
        for (char *slash; (slash = strchr(part, '/')); part = slash + 1) {
                *slash = '\0';
                int next = open_step(fd, part, O_RDONLY);
                if (next == -ENOENT && make) {
                        r = make_step(fd, part);
                        if (r < 0)
                                return r;
                        next = open_step(fd, part, O_RDONLY);
                }
                if (next < 0)
                        return next;
                (void)fd_close(fd);
                fd = next;
        }
        return TAKE_FD(fd);
}

int exec_directory_open(const ExecDirectory *directory, const char *path) {
        _cleanup_(fd_closep) int fd = exec_directory_open_parent(directory, path, false);

        return fd < 0 ? fd : open_step(fd, path_base_name(directory->name), O_RDONLY);
}
