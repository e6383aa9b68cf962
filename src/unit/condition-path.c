/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "unit/condition-path.h"

static bool is_absence(int number) {
        return number == ENOENT || number == ENOTDIR;
}

/* 1 when there is something, of which status tells then. */
static int look(const char *path, struct stat *status) {
        if (stat(path, status) == 0)
                return 1;
        return is_absence(errno) ? 0 : -errno;
}

int condition_path_exists(const char *path) {
        struct stat status;

        return look(path, &status);
}

int condition_path_exists_glob(const char *pattern) {
        glob_t found = {};

        const int r = glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found);
        globfree(&found);
        return r == 0 ? 1 : r == GLOB_NOMATCH ? 0 : r == GLOB_NOSPACE ? -ENOMEM : -EIO;
}

int condition_path_is_directory(const char *path) {
        struct stat status;

        const int r = look(path, &status);
        return r <= 0 ? r : S_ISDIR(status.st_mode);
}

int condition_path_is_symbolic_link(const char *path) {
        struct stat status;

        if (lstat(path, &status) < 0)
                return is_absence(errno) ? 0 : -errno;
        return S_ISLNK(status.st_mode);
}

int condition_path_is_mount_point(const char *path) {
        struct statx status;

        if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_TYPE, &status) < 0)
                return is_absence(errno) ? 0 : -errno;
        if (!(status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
                return -EOPNOTSUPP;
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int condition_path_is_read_write(const char *path) {
        struct statvfs status;

        if (statvfs(path, &status) < 0)
                return is_absence(errno) ? 0 : -errno;
        return (status.f_flag & ST_RDONLY) == 0;
}

int condition_directory_not_empty(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        const struct dirent *entry;

        if (!directory)
                return is_absence(errno) ? 0 : -errno;
        errno = 0;
        while ((entry = readdir(directory)))
                if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
                        return 1;
        return -errno;
}

int condition_file_not_empty(const char *path) {
        struct stat status;

        const int r = look(path, &status);
        return r <= 0 ? r : S_ISREG(status.st_mode) && status.st_size > 0;
}

int condition_file_is_executable(const char *path) {
        struct stat status;

        const int r = look(path, &status);
        return r <= 0 ? r : S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

int condition_needs_update(const char *path) {
        _cleanup_(freep) char *done = NULL;
        struct stat usr, updated;

        if (!text_equal(path, "/etc") && !text_equal(path, "/var"))
                return -EINVAL;
        int r = condition_path_is_read_write(path);
        if (r <= 0)
                return r; /* nothing can be updated there */
        r = path_join(path, ".updated", &done);
        if (r < 0)
                return r;
        if (stat("/usr", &usr) < 0)
                return is_absence(errno) ? 0 : -errno;
        r = look(done, &updated);
        if (r <= 0)
                return r < 0 ? r : 1;
        return usr.st_mtim.tv_sec != updated.st_mtim.tv_sec ? usr.st_mtim.tv_sec > updated.st_mtim.tv_sec
                                                            : usr.st_mtim.tv_nsec > updated.st_mtim.tv_nsec;
}
