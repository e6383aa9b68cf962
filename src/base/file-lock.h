/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Locks of whole files and directories (flock(2)), which keep out whoever asks for them as well. A lock belongs to the
 * descriptor: it is given up when the last copy of that is closed, and so when its holder dies, however that happens. All
 * descriptors are O_CLOEXEC, so that what the holder runs does not keep a lock; a child that is forked and stays without
 * executing anything has to close it. */

#include "base/macro.h"

typedef enum FileLock {
        FILE_LOCK_SHARED,    /* others may read it meanwhile, and nobody changes it */
        FILE_LOCK_EXCLUSIVE, /* nobody else may */
} FileLock;

/* Takes the lock of what is open: 1 when it is ours, 0 when somebody has it; then ret_holder is one of the processes that took
 * it, or 0 if that cannot be told. A file system that knows no locks has nobody who could hold one, so that it is 1 there. */
int file_lock(int fd, FileLock lock, pid_t *ret_holder);

/* The same of what is at the path now, with the descriptor that keeps it locked. Whoever gets it may replace or remove what is
 * there: nobody else finds it there and has it locked. -ENOENT when nothing is there. */
int file_lock_path(const char *path, FileLock lock, int *ret_fd, pid_t *ret_holder);
