/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "base/tree.h"

/* Each level keeps a descriptor open. What lies deeper is moved up to the top, and gone through from there. */
#define REMOVE_DEPTH_MAX 64

typedef struct Removal {
        int top_fd; /* the directory that is removed, once it is open */
        unsigned n_moved;
} Removal;

static int move_up(Removal *removal, int dir_fd, const char *name) {
        for (;;) {
                _cleanup_(freep) char *unique = NULL;

                int r = text_format(&unique, ".deep-%u", removal->n_moved++);
                if (r < 0)
                        return r;
                if (renameat2(dir_fd, name, removal->top_fd, unique, RENAME_NOREPLACE) == 0)
                        return 0;
                if (errno != EEXIST)
                        return -errno;
        }
}

static int remove_entry(Removal *removal, int dir_fd, const char *name, bool is_directory, unsigned depth);

/* Returns 1 when there was anything to remove, 0 when not. */
static int remove_entries(Removal *removal, DIR *dir, unsigned depth) {
        int found = 0;

        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(dir);
                if (!entry)
                        return errno != 0 ? -errno : found;
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;

                int r = remove_entry(removal, dirfd(dir), entry->d_name, entry->d_type == DT_DIR, depth);
                if (r < 0)
                        return r;
                found = 1;
        }
}

/* A subvolume goes away at once, unless others are nested in it; then it goes like any directory, if it can be written
 * to. Returns 1 when it is gone. */
static int remove_subvolume(int fd, int parent_fd, const char *name) {
        int r = subvolume_is(fd);
        if (r <= 0)
                return r;
        r = subvolume_get_read_only(fd);
        if (r > 0)
                r = subvolume_set_read_only(fd, false);
        if (r < 0)
                return r;
        return subvolume_remove(parent_fd, name) == 0;
}

static int remove_directory(Removal *removal, int parent_fd, const char *name, unsigned depth) {
        const int fd = tree_open_directory(parent_fd, name);
        if (fd < 0)
                return fd;
        const int removed = remove_subvolume(fd, parent_fd, name);
        if (removed != 0) {
                (void)fd_close(fd);
                return MIN(removed, 0);
        }
        _cleanup_(directory_closep) DIR *dir = fdopendir(fd);
        if (!dir) {
                const int r = -errno;
                (void)fd_close(fd);
                return r;
        }
        if (depth == 0)
                removal->top_fd = fd;

        /* A directory that changes while it is read may hide an entry, and the top gets new ones: once more then. */
        for (;;) {
                int r = remove_entries(removal, dir, depth);
                if (r < 0)
                        return r;
                if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0)
                        return 0;
                if (errno != ENOTEMPTY || r == 0)
                        return -errno;
                rewinddir(dir);
        }
}

static int remove_entry(Removal *removal, int dir_fd, const char *name, bool is_directory, unsigned depth) {
        if (!is_directory) {
                if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
                        return 0;
                if (errno != EISDIR)
                        return -errno;
        }
        if (depth >= REMOVE_DEPTH_MAX)
                return move_up(removal, dir_fd, name);
        return remove_directory(removal, dir_fd, name, depth + 1);
}

int tree_remove(int dir_fd, const char *path) {
        _cleanup_(freep) char *parent = NULL;
        _cleanup_(fd_closep) int parent_fd = -EBADF;
        Removal removal = { .top_fd = -EBADF };

        assert(path);

        const char *name = path_base_name(path);
        if (name[0] == '\0' || text_equal(name, ".") || text_equal(name, ".."))
                return -EINVAL;

        if (unlinkat(dir_fd, path, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return -errno;

        /* Mounts on the way there are fine, so the parent is opened like any file. */
        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        parent_fd = openat(dir_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent_fd < 0)
                return -errno;
        return remove_directory(&removal, parent_fd, name, 0);
}
