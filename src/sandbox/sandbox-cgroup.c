/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "sandbox/sandbox-cgroup.h"

/* The root of a cgroup namespace is where its maker is at that moment. */
static int run_cgroup(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        const int r = path_join(operation->source, "cgroup.procs", &path);
        if (r < 0)
                return r;
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) < 0)
                return -errno;
        return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

const SandboxOperationType SANDBOX_OPERATION_CGROUP = { "cgroup", SANDBOX_STAGE_INIT, run_cgroup };
