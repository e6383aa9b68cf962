/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The package cache, which the builds of several projects may share. Package managers expect to be alone with theirs,
 * so one build at a time has it. */

#include <sys/types.h>

#include "base/macro.h"

typedef struct PackageCache {
        int lock_fd; /* -EBADF: it is not locked */
        uid_t uid;   /* whose the directory was */
        gid_t gid;
} PackageCache;

/* Makes the directory if need be, with give as the caller's own (base/caller.h), and locks it: no other build has it until
 * it is unlocked. Waits for one that does, saying so; -EINTR when a signal came meanwhile. Where the file system knows no
 * locks there is none. Failures are logged. */
int package_cache_lock(const char *path, bool give, PackageCache *ret);

/* Package tools, which take the directory for one of the tree, make it root's: it gets its owner back. One that is not
 * locked is fine. */
void package_cache_unlock(PackageCache *cache);

/* Removes all that is in it, as soon as no other build uses it. There need not be one. Failures are logged. */
int package_cache_empty(const char *path);
