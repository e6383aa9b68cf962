/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/new-file.h"
#include "base/path.h"
#include "base/text.h"

#define OPEN_MODE 0600

static int open_temporary(NewFile *file) {
        int r = text_format(&file->temporary, "%s.XXXXXX", file->path);
        if (r < 0)
                return r;
        file->fd = mkostemp(file->temporary, O_CLOEXEC);
        if (file->fd >= 0)
                return 0;
        r = -errno;
        free(TAKE_PTR(file->temporary));
        return r;
}

int new_file_open(NewFile *file) {
        _cleanup_(freep) char *parent = NULL;

        assert(file && file->path && file->fd < 0);

        const int r = path_parent(file->path, &parent);
        if (r < 0)
                return r;
        file->fd = open(parent, O_TMPFILE | O_RDWR | O_CLOEXEC, OPEN_MODE);
        if (file->fd >= 0)
                return 0;
        /* File systems refuse what they do not have, and kernels that never heard of it take it for a directory. */
        return errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ? open_temporary(file) : -errno;
}

static int link_file(const NewFile *file) {
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
        return linkat(AT_FDCWD, path, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Some file systems can rename without replacing (FAT), some have hard links (NFS), and these are never replaced. */
static int rename_file(const NewFile *file) {
        if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
                return -errno;
        if (link(file->temporary, file->path) < 0)
                return -errno;
        (void)unlink(file->temporary);
        return 0;
}

int new_file_finish(const NewFile *file, mode_t mode) {
        assert(file && file->fd >= 0);

        return fchmod(file->fd, mode) < 0 || fsync(file->fd) < 0 ? -errno : 0;
}

int new_file_place(NewFile *file) {
        assert(file && file->fd >= 0);

        const int r = file->temporary ? rename_file(file) : link_file(file);
        if (r < 0)
                return r;
        free(TAKE_PTR(file->temporary));
        file->fd = fd_close(file->fd);
        return 0;
}

void new_file_done(NewFile *file) {
        (void)fd_close(file->fd);
        if (file->temporary)
                (void)unlink(file->temporary);
        free(file->temporary);
}
