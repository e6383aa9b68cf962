/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "sandbox/sandbox-channel.h"

typedef union ChannelControl {
        struct cmsghdr header; /* for the alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
} ChannelControl;

int sandbox_channel_open(int *ret_parent_fd, int *ret_child_fd) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        *ret_parent_fd = pair[0];
        *ret_child_fd = pair[1];
        return 0;
}

int sandbox_channel_send(int channel_fd, SandboxMessageType type, int error, const char *text, int fd) {
        SandboxMessage message = { .type = type, .error = error };
        struct iovec vector = { .iov_base = &message };
        ChannelControl control = {};
        struct msghdr packet = { .msg_iov = &vector, .msg_iovlen = 1 };

        (void)snprintf(message.text, sizeof(message.text), "%s", text);
        vector.iov_len = offsetof(SandboxMessage, text) + strlen(message.text) + 1;

        if (fd >= 0) {
                packet.msg_control = &control;
                packet.msg_controllen = sizeof(control);
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        }

        while (sendmsg(channel_fd, &packet, MSG_NOSIGNAL) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int sandbox_channel_receive(int channel_fd, SandboxMessage *ret, int *ret_fd) {
        SandboxMessage message = {};
        struct iovec vector = { .iov_base = &message, .iov_len = sizeof(message) };
        ChannelControl control = {};
        struct msghdr packet = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        _cleanup_(fd_closep) int fd = -EBADF;
        ssize_t n;

        do
                n = recvmsg(channel_fd, &packet, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return 0;

        const struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
            header->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(&fd, CMSG_DATA(header), sizeof(int));
        if ((size_t)n <= offsetof(SandboxMessage, text))
                return -EBADMSG;

        message.text[sizeof(message.text) - 1] = '\0';
        *ret = message;
        *ret_fd = TAKE_FD(fd);
        return 1;
}
