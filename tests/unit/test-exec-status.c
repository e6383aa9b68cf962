/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/text.h"
#include "unit/exec-status.h"

/* Numbers and names as systemd.exec(5) has them. */
static void test_names(void **state) {
        assert_string_equal(exec_exit_name(200), "CHDIR");
        assert_string_equal(exec_exit_name(203), "EXEC");
        assert_string_equal(exec_exit_name(217), "USER");
        assert_string_equal(exec_exit_name(222), "STDERR");
        assert_string_equal(exec_exit_name(226), "NAMESPACE");
        assert_string_equal(exec_exit_name(233), "RUNTIME_DIRECTORY");
        assert_string_equal(exec_exit_name(238), "STATE_DIRECTORY");
        assert_string_equal(exec_exit_name(245), "KSM");
        for (int i = -1; i < 300; i++)
                assert_int_equal(exec_exit_name(i) != NULL, i >= 200 && i <= 245 && i != 223 && i != 234);
}

static void test_packets(void **state) {
        ExecStatus sent = { .type = EXEC_STATUS_FAILED, .uid = 1, .gid = 2, .exit = 217, .error = 5 }, got;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(exec_status_receive(pair[0], &got), -EAGAIN);

        memset(sent.text, 'x', sizeof(sent.text) - 1);
        sent.text[3] = '\n';
        assert_int_equal(exec_status_send(pair[1], &sent), 0);
        assert_int_equal(exec_status_receive(pair[0], &got), 1);
        assert_int_equal(got.type, EXEC_STATUS_FAILED);
        assert_int_equal(got.uid, 1);
        assert_int_equal(got.gid, 2);
        assert_int_equal(got.exit, 217);
        assert_int_equal(got.error, 5);
        assert_int_equal(strlen(got.text), sizeof(got.text) - 1);
        assert_int_equal(got.text[3], '?');

        /* What others send. */
        char packet[1000] = "EXEC";
        for (size_t size = 1; size < sizeof(packet); size += 37) {
                assert_int_equal(send(pair[1], packet, size, 0), size);
                assert_int_equal(exec_status_receive(pair[0], &got), -EBADMSG);
        }
        (void)fd_close(pair[1]);
        assert_int_equal(exec_status_receive(pair[0], &got), 0);
        (void)fd_close(pair[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_packets) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
