/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "log/log-forward.h"
#include "temporary-directory.h"

#define LARGE ((size_t)(8 * MIB)) /* no datagram is so large */

#define FIELD(n, v) \
        { .name = (n), .value = (v), .size = sizeof(v) - 1 }

/* A line, a length in front of what is no text, and nothing that only journald may say. */
static void test_datagram(void **state) {
        static const char expected[] = "MESSAGE=hello\nBYTES\n\x03\0\0\0\0\0\0\0a\nb\n";
        const LogField fields[] = { FIELD("MESSAGE", "hello"), FIELD("_PID", "1"), FIELD("BYTES", "a\nb") };
        char received[256];
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(log_forward_send(fds[0], fields, ELEMENTSOF(fields)), 0);
        assert_int_equal(recv(fds[1], received, sizeof(received), MSG_DONTWAIT), sizeof(expected) - 1);
        assert_memory_equal(received, expected, sizeof(expected) - 1);
        (void)fd_close(fds[0]);
        (void)fd_close(fds[1]);
}

/* What is too large comes as a file that nobody can change any more. */
static void test_file(void **state) {
        _cleanup_(freep) char *large = malloc(LARGE), *text = NULL;
        const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
        size_t size;
        int fds[2], fd;

        assert_non_null(large);
        memset(large, 'x', LARGE);
        const LogField field = { .name = "MESSAGE", .value = large, .size = LARGE };
        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(log_forward_send(fds[0], &field, 1), 0);
        assert_int_equal(recvmsg(fds[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 0);
        assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
        memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
        assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(fd_read_file(fd, 2 * LARGE, &text, &size), 0);
        assert_int_equal(size, strlen("MESSAGE=") + LARGE + 1);
        assert_memory_equal(text, "MESSAGE=xxxx", 12);
        (void)fd_close(fd);
        (void)fd_close(fds[0]);
        (void)fd_close(fds[1]);
}

static int listen_at(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void)unlink(path);
        (void)strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void assert_received(int fd, const char *text) {
        char received[64];

        assert_int_equal(recv(fd, received, sizeof(received), MSG_DONTWAIT), strlen(text));
        assert_memory_equal(received, text, strlen(text));
}

/* journald comes later, goes, does not read, and comes again: what it missed is counted, but not what was said before it was there. */
static void test_come_and_go(void **state) {
        const LogField field = FIELD("MESSAGE", "hello");
        LogForward forward = { .path = "socket", .fd = -EBADF };
        static const char said[] = "MESSAGE=hello\n";

        log_forward(&forward, &field, 1);
        assert_int_equal(forward.n_lost, 0);
        int fd = listen_at("socket");
        forward.try_usec = 0; /* a second later */
        log_forward(&forward, &field, 1);
        assert_received(fd, said);

        (void)fd_close(fd);
        log_forward(&forward, &field, 1);
        log_forward(&forward, &field, 1);
        assert_int_equal(log_forward_take_lost(&forward), 0);
        fd = listen_at("socket");
        forward.try_usec = 0;
        log_forward(&forward, &field, 1);
        assert_received(fd, said);
        assert_int_equal(log_forward_take_lost(&forward), 2);
        assert_int_equal(log_forward_take_lost(&forward), 0);

        /* Another one at once, without one that is missed. */
        (void)fd_close(fd);
        fd = listen_at("socket");
        log_forward(&forward, &field, 1);
        assert_received(fd, said);
        assert_int_equal(forward.n_lost, 0);

        /* One that does not read is not waited for. */
        for (unsigned i = 0; i < 100000 && forward.n_lost == 0; i++)
                log_forward(&forward, &field, 1);
        assert_int_equal(forward.n_lost, 1);
        (void)fd_close(fd);
        (void)fd_close(forward.fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_datagram),
                cmocka_unit_test(test_file),
                unit_test_in_directory(test_come_and_go),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
