/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File descriptors, and whole files read and written through them. Everything opened is O_CLOEXEC. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"

/* Closes fd if it is one (>= 0); keeps errno. Returns -EBADF for assignment. */
int fd_close(int fd);

/* Opens something in the place of standard input, output and error where they are closed: a file that is opened later
 * must not get their numbers, and with it the messages. Reading or writing them fails as if they were closed. */
int fd_fill_standard(void);

static inline void fd_closep(int *fd) {
        (void)fd_close(*fd);
}

static inline void file_closep(FILE **file) {
        if (*file)
                (void)fclose(*file);
}

static inline void directory_closep(DIR **directory) {
        if (*directory)
                (void)closedir(*directory);
}

/* Reads or writes exactly size bytes at offset, or at the file position. A file that ends early is -ENODATA. */
int fd_pread_all(int fd, void *buffer, size_t size, uint64_t offset);
int fd_write_all(int fd, const void *buffer, size_t size);
int fd_pwrite_all(int fd, const void *buffer, size_t size, uint64_t offset);

/* Reads a whole file, found below dir_fd (or AT_FDCWD), and puts a NUL behind it that does not count. More than
 * size_max bytes is -EFBIG; anything but a regular file is -EINVAL or -EISDIR; ret_size may be NULL, and then a NUL
 * inside the file is -EBADMSG. */
int file_read(int dir_fd, const char *path, size_t size_max, char **ret, size_t *ret_size);

/* What is wrong with the file, for a negative answer of file_read(). */
const char *file_read_error(int r);

/* The same for a file that is open, from its position on. */
int fd_read_file(int fd, size_t size_max, char **ret, size_t *ret_size);

/* Writes a whole file: creates it or empties it, with exactly this mode whatever the umask. A symbolic link as the last
 * component is -ELOOP. */
int file_write(int dir_fd, const char *path, const void *data, size_t size, mode_t mode);
int file_write_text(int dir_fd, const char *path, const char *text, mode_t mode);

/* Finds the next data at or behind the position of a regular file, and the hole that follows it: what lies from the
 * position to ret_data reads as zeros. Both are at most end, and equal to it when there is no data. Moves the file
 * position. */
int fd_find_data(int fd, uint64_t position, uint64_t end, uint64_t *ret_data, uint64_t *ret_hole);

/* The same, but where data go on behind the end the hole is where it is: for whoever will ask again from there. Some file
 * systems (tmpfs) look at every page up to it. */
int fd_find_data_beyond(int fd, uint64_t position, uint64_t end, uint64_t *ret_data, uint64_t *ret_hole);

/* Copies size bytes from one regular file's offset to another's, sharing blocks where the file system can, and leaves
 * holes of the source as holes: the target range must read as zeros before. -ENODATA if the source ends early. */
int fd_copy_range(int from_fd, uint64_t from_offset, int to_fd, uint64_t to_offset, uint64_t size);

/* Makes a regular file at least so long, with a hole at its end; anything that is no regular file is left alone. */
int fd_extend(int fd, uint64_t size);
