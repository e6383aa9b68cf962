/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"

#define TABLE_PATH     "/proc/locks"
#define TABLE_SIZE_MAX (16 * MIB)

/* "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF", for one that somebody has; the device is left out, since that of
 * stat() is another one where a file system has many of them (subvolumes of btrfs, overlays). */
static bool parse_line(const char *line, pid_t *ret_pid, ino_t *ret_inode) {
        int pid;
        uintmax_t inode;

        if (sscanf(line, "%*u: FLOCK %*s %*s %d %*x:%*x:%" SCNuMAX " ", &pid, &inode) != 2 || pid <= 0)
                return false;
        *ret_pid = pid;
        *ret_inode = inode;
        return true;
}

/* Whether the process has the file open. */
static bool has_open(pid_t pid, const struct stat *file) {
        _cleanup_(directory_closep) DIR *directory = NULL;
        const struct dirent *entry;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        directory = opendir(path);
        /* What is another user's is not shown to us. */
        if (!directory)
                return errno == EACCES || errno == EPERM;
        while ((entry = readdir(directory))) {
                struct stat status;

                if (fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 &&
                    status.st_dev == file->st_dev && status.st_ino == file->st_ino)
                        return true;
        }
        return false;
}

/* The kernel knows: nobody has to write down who he is, and what nobody writes is never stale. */
static pid_t find_holder(int fd) {
        _cleanup_(freep) char *table = NULL;
        struct stat file;

        if (fstat(fd, &file) < 0 || file_read(AT_FDCWD, TABLE_PATH, TABLE_SIZE_MAX, &table, NULL) < 0)
                return 0;
        for (const char *line = table; *line;) {
                const char *end = strchr(line, '\n');
                pid_t pid;
                ino_t inode;

                if (parse_line(line, &pid, &inode) && inode == file.st_ino && has_open(pid, &file))
                        return pid;
                line = end ? end + 1 : strchr(line, '\0');
        }
        return 0;
}

int file_lock(int fd, FileLock lock, pid_t *ret_holder) {
        const int operation = lock == FILE_LOCK_SHARED ? LOCK_SH : LOCK_EX;

        while (flock(fd, operation | LOCK_NB) < 0)
                switch (errno) {
                case EINTR:
                        break;
                case EWOULDBLOCK:
                        *ret_holder = find_holder(fd);
                        return 0;
                /* Those of network file systems may want to be able to write for an exclusive one. */
                case EBADF:
                case ENOLCK:
                case ENOSYS:
                case EOPNOTSUPP:
                        return fcntl(fd, F_GETFD) < 0 ? -EBADF : 1;
                default:
                        return -errno;
                }
        return 1;
}

int file_lock_path(const char *path, FileLock lock, int *ret_fd, pid_t *ret_holder) {
        for (;;) {
                _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                struct stat ours, current;

                if (fd < 0)
                        return -errno;
                const int r = file_lock(fd, lock, ret_holder);
                if (r <= 0)
                        return r;

                /* Between open() and flock() it may have been replaced. */
                if (fstat(fd, &ours) < 0 || stat(path, &current) < 0)
                        return -errno;
                if (ours.st_dev == current.st_dev && ours.st_ino == current.st_ino) {
                        *ret_fd = TAKE_FD(fd);
                        return 1;
                }
        }
}
