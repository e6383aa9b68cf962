/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "service/log-forward.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

int log_forward_open(void) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* What does not fit into a datagram goes as a sealed file. */
static void send_file(int fd, const void *data, size_t size) {
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
                return;
        memcpy(CMSG_DATA(&control.header), &file_fd, sizeof(file_fd));
        (void)sendmsg(fd, &message, MSG_NOSIGNAL);
}

void log_forward_send(int fd, const LogField *fields, size_t n_fields) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        FILE *file = open_memstream(&text, &size);
        if (!file)
                return;
        /* Trusted fields are journald's own to give. */
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].name[0] != '_')
                        log_field_write(file, &fields[i]);
        if (fclose(file) != 0)
                return;
        if (send(fd, text, size, MSG_NOSIGNAL) < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
                send_file(fd, text, size);
}
