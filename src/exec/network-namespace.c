/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "exec/network-namespace.h"

#define MESSAGE  "netns"
#define LOST     "lost" /* there was one, which is not to be had any more */
#define OWN_PATH "/proc/self/ns/net"

/* Sends or receives one message with room for one descriptor. */
typedef union Control {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
} Control;

int network_namespace_storage_new(int *ret_fd) {
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t length = sizeof(address);

        if (fd < 0)
                return -errno;
        /* Connected to itself it takes from nobody else, even if its name is found out. */
        if (bind(fd, (const struct sockaddr *)&address, sizeof(address.sun_family)) < 0 ||
            getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
            connect(fd, (const struct sockaddr *)&address, length) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* What is found stays there. -EAGAIN: nothing is. -ENXIO: it is lost. */
static int storage_look(int storage_fd, int *ret_fd) {
        char text[sizeof(MESSAGE)];
        struct iovec vector = { .iov_base = text, .iov_len = sizeof(text) };
        Control control = {};
        struct msghdr message = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };

        const ssize_t size = recvmsg(storage_fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size < 0)
                return -errno;
        if (size == sizeof(LOST) && memcmp(text, LOST, sizeof(LOST)) == 0)
                return -ENXIO;
        const struct cmsghdr *const header = CMSG_FIRSTHDR(&message);
        if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
            header->cmsg_len != CMSG_LEN(sizeof(int)))
                return -EBADMSG;
        memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
        return 0;
}

static int storage_put(int storage_fd, int fd) {
        char text[] = MESSAGE;
        struct iovec vector = { .iov_base = text, .iov_len = sizeof(text) };
        Control control = {};
        struct msghdr message = {
                .msg_iov = &vector,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *const header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
        return sendmsg(storage_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int loopback_up(void) {
        _cleanup_(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo" };

        /* Either will do, and a kernel may have but one. */
        if (fd < 0)
                fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* The file is there before the namespace is: from its absence one may conclude that nobody is in one. */
static int pin_make(const char *pin, Reason *reason) {
        const int fd = open(pin, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
                return reason_set(reason, -errno, "%s: %m", pin);
        (void)close(fd);
        return 0;
}

static int namespace_new(int storage_fd, const char *pin, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (unshare(CLONE_NEWNET) < 0)
                return reason_set(reason, -errno, "a new network namespace: %m");
        int r = loopback_up();
        if (r < 0)
                return reason_set(reason, r, "the loopback device of a new network namespace: %m");
        fd = open(OWN_PATH, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return reason_set(reason, -errno, OWN_PATH ": %m");
        /* Where no mount may be made, services run all the same; what is lost in a crash is told then. */
        if (pin)
                (void)mount(OWN_PATH, pin, NULL, MS_BIND, NULL);
        r = storage_put(storage_fd, fd);
        return r < 0 ? reason_set(reason, r, "the storage of network namespaces: %m") : 0;
}

static int namespace_new_pinned(int storage_fd, const char *pin, Reason *reason) {
        int r = pin ? pin_make(pin, reason) : 0;

        if (r < 0)
                return r;
        r = namespace_new(storage_fd, pin, reason);
        if (r < 0 && pin)
                network_namespace_unpin(pin);
        return r;
}

int network_namespace_enter(int storage_fd, const char *pin, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (lockf(storage_fd, F_LOCK, 0) < 0)
                return reason_set(reason, -errno, "the lock of a network namespace: %m");
        int r = storage_look(storage_fd, &fd);
        if (r == -EAGAIN)
                r = namespace_new_pinned(storage_fd, pin, reason);
        else if (r == -ENXIO)
                (void)reason_set(reason, r,
                                 "the network namespace that the service was started in is lost since the "
                                 "manager was killed; restart the service");
        else if (r < 0)
                (void)reason_set(reason, r, "the storage of network namespaces: %m");
        else if (setns(fd, CLONE_NEWNET) < 0)
                r = reason_set(reason, -errno, "the network namespace of another unit: %m");
        (void)lockf(storage_fd, F_ULOCK, 0);
        return r;
}

int network_namespace_find(int storage_fd, const char *pin) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (pin)
                fd = open(pin, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (pin && fd < 0 && errno == ENOENT)
                return 0;
        /* On a file without a mount the question has no meaning. */
        if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
                return storage_put(storage_fd, fd);
        if (send(storage_fd, LOST, sizeof(LOST), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                return -errno;
        return -ENXIO;
}

void network_namespace_unpin(const char *pin) {
        (void)umount2(pin, MNT_DETACH | UMOUNT_NOFOLLOW);
        /* Copies of the mount in the namespaces of other services go with the file. */
        (void)unlink(pin);
}
