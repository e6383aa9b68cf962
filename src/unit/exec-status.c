/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "unit/exec-status.h"

#define PACKET_MAGIC 0x45584543 /* "EXEC" */

/* What goes over the socket: the text is as long as the packet is, and has no NUL. */
typedef struct PacketHead {
        uint32_t magic, type, uid, gid;
        int32_t exit, error;
} PacketHead;

typedef struct Packet {
        PacketHead head;
        char text[sizeof(((ExecStatus *)NULL)->text)];
} Packet;

/* clang-format off */
static const char *const exit_names[] = {
        [EXEC_EXIT_CHDIR - EXEC_EXIT_FIRST]                   = "CHDIR",
        [EXEC_EXIT_NICE - EXEC_EXIT_FIRST]                    = "NICE",
        [EXEC_EXIT_FDS - EXEC_EXIT_FIRST]                     = "FDS",
        [EXEC_EXIT_EXEC - EXEC_EXIT_FIRST]                    = "EXEC",
        [EXEC_EXIT_MEMORY - EXEC_EXIT_FIRST]                  = "MEMORY",
        [EXEC_EXIT_LIMITS - EXEC_EXIT_FIRST]                  = "LIMITS",
        [EXEC_EXIT_OOM_ADJUST - EXEC_EXIT_FIRST]              = "OOM_ADJUST",
        [EXEC_EXIT_SIGNAL_MASK - EXEC_EXIT_FIRST]             = "SIGNAL_MASK",
        [EXEC_EXIT_STDIN - EXEC_EXIT_FIRST]                   = "STDIN",
        [EXEC_EXIT_STDOUT - EXEC_EXIT_FIRST]                  = "STDOUT",
        [EXEC_EXIT_CHROOT - EXEC_EXIT_FIRST]                  = "CHROOT",
        [EXEC_EXIT_IOPRIO - EXEC_EXIT_FIRST]                  = "IOPRIO",
        [EXEC_EXIT_TIMERSLACK - EXEC_EXIT_FIRST]              = "TIMERSLACK",
        [EXEC_EXIT_SECUREBITS - EXEC_EXIT_FIRST]              = "SECUREBITS",
        [EXEC_EXIT_SETSCHEDULER - EXEC_EXIT_FIRST]            = "SETSCHEDULER",
        [EXEC_EXIT_CPUAFFINITY - EXEC_EXIT_FIRST]             = "CPUAFFINITY",
        [EXEC_EXIT_GROUP - EXEC_EXIT_FIRST]                   = "GROUP",
        [EXEC_EXIT_USER - EXEC_EXIT_FIRST]                    = "USER",
        [EXEC_EXIT_CAPABILITIES - EXEC_EXIT_FIRST]            = "CAPABILITIES",
        [EXEC_EXIT_CGROUP - EXEC_EXIT_FIRST]                  = "CGROUP",
        [EXEC_EXIT_SETSID - EXEC_EXIT_FIRST]                  = "SETSID",
        [EXEC_EXIT_CONFIRM - EXEC_EXIT_FIRST]                 = "CONFIRM",
        [EXEC_EXIT_STDERR - EXEC_EXIT_FIRST]                  = "STDERR",
        [EXEC_EXIT_PAM - EXEC_EXIT_FIRST]                     = "PAM",
        [EXEC_EXIT_NETWORK - EXEC_EXIT_FIRST]                 = "NETWORK",
        [EXEC_EXIT_NAMESPACE - EXEC_EXIT_FIRST]               = "NAMESPACE",
        [EXEC_EXIT_NO_NEW_PRIVILEGES - EXEC_EXIT_FIRST]       = "NO_NEW_PRIVILEGES",
        [EXEC_EXIT_SECCOMP - EXEC_EXIT_FIRST]                 = "SECCOMP",
        [EXEC_EXIT_SELINUX_CONTEXT - EXEC_EXIT_FIRST]         = "SELINUX_CONTEXT",
        [EXEC_EXIT_PERSONALITY - EXEC_EXIT_FIRST]             = "PERSONALITY",
        [EXEC_EXIT_APPARMOR - EXEC_EXIT_FIRST]                = "APPARMOR",
        [EXEC_EXIT_ADDRESS_FAMILIES - EXEC_EXIT_FIRST]        = "ADDRESS_FAMILIES",
        [EXEC_EXIT_RUNTIME_DIRECTORY - EXEC_EXIT_FIRST]       = "RUNTIME_DIRECTORY",
        [EXEC_EXIT_CHOWN - EXEC_EXIT_FIRST]                   = "CHOWN",
        [EXEC_EXIT_SMACK_PROCESS_LABEL - EXEC_EXIT_FIRST]     = "SMACK_PROCESS_LABEL",
        [EXEC_EXIT_KEYRING - EXEC_EXIT_FIRST]                 = "KEYRING",
        [EXEC_EXIT_STATE_DIRECTORY - EXEC_EXIT_FIRST]         = "STATE_DIRECTORY",
        [EXEC_EXIT_CACHE_DIRECTORY - EXEC_EXIT_FIRST]         = "CACHE_DIRECTORY",
        [EXEC_EXIT_LOGS_DIRECTORY - EXEC_EXIT_FIRST]          = "LOGS_DIRECTORY",
        [EXEC_EXIT_CONFIGURATION_DIRECTORY - EXEC_EXIT_FIRST] = "CONFIGURATION_DIRECTORY",
        [EXEC_EXIT_NUMA_POLICY - EXEC_EXIT_FIRST]             = "NUMA_POLICY",
        [EXEC_EXIT_CREDENTIALS - EXEC_EXIT_FIRST]             = "CREDENTIALS",
        [EXEC_EXIT_BPF - EXEC_EXIT_FIRST]                     = "BPF",
        [EXEC_EXIT_KSM - EXEC_EXIT_FIRST]                     = "KSM",
};
/* clang-format on */

const char *exec_exit_name(int status) {
        if (status < EXEC_EXIT_FIRST || status - EXEC_EXIT_FIRST >= (int)ELEMENTSOF(exit_names))
                return NULL;
        return exit_names[status - EXEC_EXIT_FIRST];
}

int exec_status_send(int fd, const ExecStatus *status) {
        Packet packet = {
                .head = {
                        .magic = PACKET_MAGIC,
                        .type = status->type,
                        .uid = status->uid,
                        .gid = status->gid,
                        .exit = status->exit,
                        .error = status->error,
                },
        };
        const size_t length = strnlen(status->text, sizeof(packet.text) - 1);

        memcpy(packet.text, status->text, length);
        text_tame(packet.text);
        return send(fd, &packet, sizeof(packet.head) + length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int exec_status_receive(int fd, ExecStatus *ret) {
        Packet packet = {};
        ssize_t n;

        do
                n = recv(fd, &packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return n == 0 || errno == ECONNRESET ? 0 : -errno;

        /* Room for the NUL is left by whoever sends. */
        if ((size_t)n < sizeof(packet.head) || (size_t)n >= sizeof(packet) ||
            packet.head.magic != PACKET_MAGIC || packet.head.type > EXEC_STATUS_WARNING)
                return -EBADMSG;
        *ret = (ExecStatus){
                .type = packet.head.type,
                .uid = packet.head.uid,
                .gid = packet.head.gid,
                .exit = packet.head.exit,
                .error = packet.head.error,
        };
        memcpy(ret->text, packet.text, sizeof(ret->text));
        text_tame(ret->text);
        return 1;
}
