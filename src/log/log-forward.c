/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/time-span.h"
#include "log/log-forward.h"

/* What does not fit into a datagram goes as a sealed file. */
static int send_file(int fd, const void *data, size_t size) {
        _cleanup_(fd_closep) int file_fd = memfd_create("log-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN(sizeof(int)) } };
        const struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };

        if (file_fd < 0 || fd_write_all(file_fd, data, size) < 0 ||
            fcntl(file_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return errno > 0 ? -errno : -EIO;
        memcpy(CMSG_DATA(&control.header), &file_fd, sizeof(file_fd));
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int log_forward_send(int fd, const LogField *fields, size_t n_fields) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        FILE *file = open_memstream(&text, &size);
        if (!file)
                return -errno;
        /* Trusted fields are journald's own to give. */
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].name[0] != '_')
                        log_field_write(file, &fields[i]);
        if (fclose(file) != 0)
                return -ENOMEM;
        if (send(fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                return 0;
        return errno == EMSGSIZE || errno == ENOBUFS ? send_file(fd, text, size) : -errno;
}

static uint64_t now_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * SECOND_USEC + (uint64_t)now.tv_nsec / 1000;
}

static int forward_connect(LogForward *forward) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)strncpy(address.sun_path, forward->path, sizeof(address.sun_path) - 1);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        forward->fd = TAKE_FD(fd);
        forward->known = true;
        return 0;
}

static int forward_try(LogForward *forward, const LogField *fields, size_t n_fields) {
        int r;

        if (forward->fd >= 0) {
                r = log_forward_send(forward->fd, fields, n_fields);
                if (r != -ECONNREFUSED && r != -ENOTCONN && r != -ECONNRESET && r != -EPIPE)
                        return r;
                /* That one is gone; perhaps there is another one already. */
                forward->fd = fd_close(forward->fd);
                forward->try_usec = 0;
        }
        const uint64_t now = now_usec();
        if (now < forward->try_usec)
                return -ENOTCONN;
        forward->try_usec = now + SECOND_USEC;
        r = forward_connect(forward);
        return r < 0 ? r : log_forward_send(forward->fd, fields, n_fields);
}

void log_forward(LogForward *forward, const LogField *fields, size_t n_fields) {
        if (forward_try(forward, fields, n_fields) < 0 && forward->known)
                forward->n_lost++;
}

uint64_t log_forward_take_lost(LogForward *forward) {
        const uint64_t n = forward->fd >= 0 ? forward->n_lost : 0;

        forward->n_lost -= n;
        return n;
}
