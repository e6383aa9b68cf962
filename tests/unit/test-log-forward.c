/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "service/log-forward.h"

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
        log_forward_send(fds[0], fields, ELEMENTSOF(fields));
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
        log_forward_send(fds[0], &field, 1);
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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_datagram),
                cmocka_unit_test(test_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
