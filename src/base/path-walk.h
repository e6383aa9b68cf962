/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Following a path that leads through directories of others, component by component, as whoever is root has to: each step is
 * looked at for who owns what it leads from, and to. Nothing is opened but by O_PATH, so that nothing of what lies there
 * (devices, FIFOs) notices. */

#include "base/fd.h"

typedef struct PathWalk {
        int fd; /* O_PATH, of what the path leads to, which is no link; or why it leads nowhere: -ENOENT, -ENOLINK,
                           * -ELOOP, -ENOTDIR, -EACCES */
        int directory_fd; /* O_PATH, where the walk came to an end: the directory that has the last component, or that misses
                           * the next one; -EBADF of "/" itself */
        bool is_trusted; /* nobody but root, and the owner of what was found, could have said what lies there */
} PathWalk;

/* An absolute path. From what is not root's the walk goes on only to what has the same owner: through a symbolic link it goes
 * nowhere else (-ENOLINK); to what lies in a directory it does, and is not to be trusted from there on. Links of root lead
 * anywhere. -ENOMEM and other failures of the machine are errors; all that the path can say is in ret. */
int path_walk(const char *path, PathWalk *ret);
void path_walk_done(PathWalk *walk);
