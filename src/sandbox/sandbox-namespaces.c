/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/sandbox-namespaces.h"

typedef struct NamespaceKind {
        const char *name;
        uint64_t flag;
} NamespaceKind;

static const NamespaceKind namespace_kinds[] = {
        { "mount", CLONE_NEWNS }, { "pid", CLONE_NEWPID },       { "ipc", CLONE_NEWIPC },
        { "uts", CLONE_NEWUTS },  { "cgroup", CLONE_NEWCGROUP }, { "network", CLONE_NEWNET },
};

int sandbox_namespaces_set(SandboxOperation *operation, bool host_network, bool later_cgroup) {
        _cleanup_(strv_freep) char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(namespace_kinds); i++) {
                if (host_network && namespace_kinds[i].flag == CLONE_NEWNET)
                        continue;
                if (later_cgroup && namespace_kinds[i].flag == CLONE_NEWCGROUP)
                        continue;
                int r = strv_append(&names, namespace_kinds[i].name);
                if (r < 0)
                        return r;
                operation->flags |= namespace_kinds[i].flag;
        }
        return strv_join(STRV(names), " ", &operation->options);
}

static int run_loopback(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        _cleanup_(fd_closep) int socket_fd = -EBADF;
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        /* Any socket will do, and this family is in every kernel. */
        socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (socket_fd < 0)
                return -errno;
        if (ioctl(socket_fd, SIOCSIFFLAGS, &request) == 0)
                return 0;
        /* Containers like to keep CAP_NET_ADMIN to themselves. Then there is no network at all inside, which is what was
         * asked for but for 127.0.0.1. */
        return errno == EPERM ? 0 : -errno;
}

static int run_hostname(SandboxSetup *setup, const SandboxOperation *operation, Reason *reason) {
        if (sethostname(operation->options, strlen(operation->options)) < 0)
                return -errno;
        return setdomainname("(none)", strlen("(none)")) < 0 ? -errno : 0;
}

/* clang-format off */
const SandboxOperationType SANDBOX_OPERATION_NAMESPACES = { "namespaces", SANDBOX_STAGE_CLONE, NULL };
const SandboxOperationType SANDBOX_OPERATION_LOOPBACK   = { "loopback",   SANDBOX_STAGE_INIT,  run_loopback };
const SandboxOperationType SANDBOX_OPERATION_HOSTNAME   = { "hostname",   SANDBOX_STAGE_INIT,  run_hostname };
/* clang-format on */
