/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "sandbox/sandbox-channel.h"

typedef struct Channel {
        int parent_fd, child_fd;
} Channel;

static int setup(void **state) {
        Channel *const channel = calloc(1, sizeof(*channel));

        assert_int_equal(sandbox_channel_open(&channel->parent_fd, &channel->child_fd), 0);
        *state = channel;
        return 0;
}

static int teardown(void **state) {
        Channel *const channel = *state;

        (void)fd_close(channel->parent_fd);
        (void)fd_close(channel->child_fd);
        free(channel);
        return 0;
}

static void test_close_on_exec(void **state) {
        const Channel *const channel = *state;

        assert_int_equal(fcntl(channel->parent_fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(channel->child_fd, F_GETFD), FD_CLOEXEC);
}

static void test_order(void **state) {
        const Channel *const channel = *state;
        SandboxMessage message;
        int fd;

        assert_int_equal(
                sandbox_channel_send(channel->child_fd, SANDBOX_MESSAGE_FAILED, -ENOENT, "first", -EBADF), 0);
        assert_int_equal(sandbox_channel_send(channel->child_fd, SANDBOX_MESSAGE_MAKING_FILE, 0, "", -EBADF),
                         0);

        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), 1);
        assert_int_equal(message.type, SANDBOX_MESSAGE_FAILED);
        assert_int_equal(message.error, -ENOENT);
        assert_string_equal(message.text, "first");
        assert_int_equal(fd, -EBADF);
        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), 1);
        assert_int_equal(message.type, SANDBOX_MESSAGE_MAKING_FILE);
        assert_string_equal(message.text, "");
}

static void test_descriptor(void **state) {
        const Channel *const channel = *state;
        _cleanup_(fd_closep) int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = -EBADF;
        SandboxMessage message;
        struct stat sent, received;

        assert_int_equal(sandbox_channel_send(channel->child_fd, SANDBOX_MESSAGE_LISTENER, 0, "", null_fd),
                         0);
        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), 1);
        assert_int_not_equal(fd, null_fd);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fstat(null_fd, &sent), 0);
        assert_int_equal(fstat(fd, &received), 0);
        assert_true(sent.st_rdev == received.st_rdev);
}

static void test_long_text(void **state) {
        const Channel *const channel = *state;
        char text[2 * PATH_MAX];
        SandboxMessage message;
        int fd;

        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(sandbox_channel_send(channel->child_fd, SANDBOX_MESSAGE_FAILED, -EIO, text, -EBADF),
                         0);
        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), 1);
        assert_int_equal(strlen(message.text), sizeof(message.text) - 1);
}

static void test_end(void **state) {
        Channel *const channel = *state;
        SandboxMessage message;
        int fd;

        assert_int_equal(
                sandbox_channel_send(channel->child_fd, SANDBOX_MESSAGE_FAILED, -EIO, "last", -EBADF), 0);
        channel->child_fd = fd_close(channel->child_fd);
        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), 1);
        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), 0);
        /* And no SIGPIPE the other way. */
        assert_int_equal(sandbox_channel_send(channel->parent_fd, SANDBOX_MESSAGE_FAILED, 0, "", -EBADF),
                         -EPIPE);
}

static void test_broken_message(void **state) {
        const Channel *const channel = *state;
        SandboxMessage message;
        int fd;

        assert_int_equal(send(channel->child_fd, "x", 1, 0), 1);
        assert_int_equal(sandbox_channel_receive(channel->parent_fd, &message, &fd), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_close_on_exec, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_long_text, setup, teardown),
                cmocka_unit_test_setup_teardown(test_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken_message, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
