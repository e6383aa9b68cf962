/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define COPY_BUFFER_SIZE (256 * KIB)

int fd_close(int fd) {
        const int saved_errno = errno;

        if (fd >= 0)
                (void)close(fd);
        errno = saved_errno;
        return -EBADF;
}

int fd_fill_standard(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
                        continue;
                /* open() gives the lowest number that is free: those below are taken by now. */
                if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
                        return -errno;
        }
        return 0;
}

/* One read, at the file position when offset is negative; interruptions are retried. */
static ssize_t read_once(int fd, void *buffer, size_t size, off_t offset) {
        for (;;) {
                const ssize_t n = offset < 0 ? read(fd, buffer, size) : pread(fd, buffer, size, offset);

                if (n >= 0)
                        return n;
                if (errno != EINTR)
                        return -errno;
        }
}

static ssize_t write_once(int fd, const void *data, size_t size, off_t offset) {
        for (;;) {
                const ssize_t n = offset < 0 ? write(fd, data, size) : pwrite(fd, data, size, offset);

                if (n >= 0)
                        return n;
                if (errno != EINTR)
                        return -errno;
        }
}

static int write_all(int fd, const void *data, size_t size, off_t offset) {
        for (size_t done = 0; done < size;) {
                const ssize_t n = write_once(fd, (const char *)data + done, size - done,
                                             offset < 0 ? offset : offset + (off_t)done);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        return -EIO;
                done += (size_t)n;
        }
        return 0;
}

int fd_pread_all(int fd, void *buffer, size_t size, uint64_t offset) {
        for (size_t done = 0; done < size;) {
                const ssize_t n =
                        read_once(fd, (char *)buffer + done, size - done, (off_t)offset + (off_t)done);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        return -ENODATA;
                done += (size_t)n;
        }
        return 0;
}

int fd_write_all(int fd, const void *buffer, size_t size) {
        return write_all(fd, buffer, size, -1);
}

int fd_pwrite_all(int fd, const void *buffer, size_t size, uint64_t offset) {
        return write_all(fd, buffer, size, (off_t)offset);
}

int fd_read_file(int fd, size_t size_max, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0, room = 0;
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        if ((uint64_t)status.st_size > size_max)
                return -EFBIG;

        /* Files below /proc and /sys say size 0 and have content all the same: read until the end, whatever they say. */
        for (;;) {
                if (size == room) {
                        room = MAX(room * 2, (size_t)status.st_size + 1);
                        room = MIN(MAX(room, (size_t)256), size_max + 1);
                        char *grown = realloc(text, room + 1);
                        if (!grown)
                                return -ENOMEM;
                        text = grown;
                }
                const ssize_t n = read_once(fd, text + size, room - size, -1);
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        break;
                size += (size_t)n;
                if (size > size_max)
                        return -EFBIG;
        }

        text[size] = '\0';
        if (ret_size)
                *ret_size = size;
        else if (__builtin_strlen(text) != size)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

int file_read(int dir_fd, const char *path, size_t size_max, char **ret, size_t *ret_size) {
        _cleanup_(fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd < 0)
                return -errno;
        return fd_read_file(fd, size_max, ret, ret_size);
}

const char *file_read_error(int r) {
        switch (r) {
        case -EINVAL:
                return "Not a regular file";
        case -EBADMSG:
                return "There are NUL bytes in it";
        default:
                return strerror(-r);
        }
}

int file_write(int dir_fd, const char *path, const void *data, size_t size, mode_t mode) {
        _cleanup_(fd_closep) int fd =
                openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, mode);

        if (fd < 0)
                return -errno;
        if (fchmod(fd, mode) < 0)
                return -errno;
        return fd_write_all(fd, data, size);
}

int file_write_text(int dir_fd, const char *path, const char *text, mode_t mode) {
        return file_write(dir_fd, path, text, __builtin_strlen(text), mode);
}

static int copy_by_buffer(int from_fd, uint64_t from_offset, int to_fd, uint64_t to_offset, uint64_t size) {
        _cleanup_(freep) char *buffer = malloc(COPY_BUFFER_SIZE);

        if (!buffer)
                return -ENOMEM;

        while (size > 0) {
                const size_t part = (size_t)MIN(size, COPY_BUFFER_SIZE);

                int r = fd_pread_all(from_fd, buffer, part, from_offset);
                if (r < 0)
                        return r;
                r = fd_pwrite_all(to_fd, buffer, part, to_offset);
                if (r < 0)
                        return r;
                from_offset += part;
                to_offset += part;
                size -= part;
        }
        return 0;
}

/* Copies a range without holes. */
static int copy_data(int from_fd, uint64_t from_offset, int to_fd, uint64_t to_offset, uint64_t size) {
        while (size > 0) {
                off_t from = (off_t)from_offset, to = (off_t)to_offset;
                const ssize_t n = copy_file_range(from_fd, &from, to_fd, &to, (size_t)MIN(size, GIB), 0);

                if (n < 0 && errno == EINTR)
                        continue;
                /* Not on these file systems, not on this kernel, or a file that the kernel makes up (/proc): by hand. */
                if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
                        return copy_by_buffer(from_fd, from_offset, to_fd, to_offset, size);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -ENODATA;
                from_offset += (uint64_t)n;
                to_offset += (uint64_t)n;
                size -= (uint64_t)n;
        }
        return 0;
}

int fd_find_data_beyond(int fd, uint64_t position, uint64_t end, uint64_t *ret_data, uint64_t *ret_hole) {
        assert(position <= end && ret_data && ret_hole);

        off_t data = lseek(fd, (off_t)position, SEEK_DATA), hole = (off_t)end;
        if (data < 0 && errno == EINVAL)
                data = (off_t)position; /* a file system that knows no holes */
        else if (data < 0 && errno == ENXIO)
                data = (off_t)end; /* nothing but a hole up to the end of the file */
        else if (data < 0)
                return -errno;
        else if (data < (off_t)end) {
                hole = lseek(fd, data, SEEK_HOLE);
                if (hole < 0)
                        return -errno;
        }

        *ret_data = MIN((uint64_t)data, end);
        *ret_hole = (uint64_t)hole;
        return 0;
}

int fd_find_data(int fd, uint64_t position, uint64_t end, uint64_t *ret_data, uint64_t *ret_hole) {
        const int r = fd_find_data_beyond(fd, position, end, ret_data, ret_hole);

        if (r >= 0)
                *ret_hole = MIN(*ret_hole, end);
        return r;
}

int fd_copy_range(int from_fd, uint64_t from_offset, int to_fd, uint64_t to_offset, uint64_t size) {
        const uint64_t end = from_offset + size;
        struct stat status;

        if (fstat(from_fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        if ((uint64_t)status.st_size < end)
                return -ENODATA;

        for (uint64_t position = from_offset, data, hole; position < end; position = hole) {
                int r = fd_find_data(from_fd, position, end, &data, &hole);
                if (r < 0)
                        return r;
                r = copy_data(from_fd, data, to_fd, to_offset + (data - from_offset), hole - data);
                if (r < 0)
                        return r;
        }
        return 0;
}

int fd_extend(int fd, uint64_t size) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (size > INT64_MAX)
                return -EFBIG;
        if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < size && ftruncate(fd, (off_t)size) < 0)
                return -errno;
        return 0;
}
