/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/network-namespace.h"

static ino_t namespace_of(const char *path) {
        struct stat status;

        return stat(path, &status) < 0 ? 0 : status.st_ino;
}

/* In a child: the number of the namespace that it gets into, or 0. In it there is lo, up, and nothing else. */
static ino_t enter_in_child(int storage_fd, const char *pin) {
        ino_t number = 0;
        int pair[2];

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                const struct sockaddr_in address = { .sin_family = AF_INET,
                                                     .sin_addr = { htonl(INADDR_LOOPBACK) } };
                Reason reason = {};

                const int r = network_namespace_enter(storage_fd, pin, &reason);
                if (r < 0)
                        (void)fprintf(stderr, "%s\n", reason_text(&reason, r));
                const int fd = socket(AF_INET, SOCK_STREAM, 0), client_fd = socket(AF_INET, SOCK_STREAM, 0);
                struct sockaddr_in bound;
                socklen_t length = sizeof(bound);
                number = namespace_of("/proc/self/ns/net");
                struct if_nameindex *const links = if_nameindex();
                if (r == 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                    listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&bound, &length) == 0 &&
                    connect(client_fd, (const struct sockaddr *)&bound, length) == 0 && links &&
                    links[0].if_index == if_nametoindex("lo") && links[1].if_index == 0)
                        (void)!write(pair[1], &number, sizeof(number));
                _exit(EXIT_SUCCESS);
        }
        (void)close(pair[1]);
        if (read(pair[0], &number, sizeof(number)) != sizeof(number))
                number = 0;
        (void)close(pair[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        return number;
}

static void test_shared(void **state) {
        _cleanup_(fd_closep) int one = -EBADF, other = -EBADF;

        if (geteuid() != 0)
                skip();
        assert_int_equal(network_namespace_storage_new(&one), 0);
        assert_int_equal(network_namespace_storage_new(&other), 0);
        const ino_t first = enter_in_child(one, NULL);
        assert_int_not_equal(first, 0);
        assert_int_not_equal(first, namespace_of("/proc/self/ns/net"));
        /* All processes of the first are gone; it lives in the storage. */
        assert_int_equal(enter_in_child(one, NULL), first);
        assert_int_equal(enter_in_child(one, NULL), first);
        const ino_t second = enter_in_child(other, NULL);
        assert_int_not_equal(second, 0);
        assert_int_not_equal(second, first);
}

/* Several at once make one. */
static void test_race(void **state) {
        _cleanup_(fd_closep) int storage_fd = -EBADF;
        ino_t numbers[8] = {};
        int pair[2];

        if (geteuid() != 0)
                skip();
        assert_int_equal(network_namespace_storage_new(&storage_fd), 0);
        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                const pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        const ino_t number = network_namespace_enter(storage_fd, NULL, NULL) < 0
                                                     ? 0
                                                     : namespace_of("/proc/self/ns/net");

                        (void)!write(pair[1], &number, sizeof(number));
                        _exit(EXIT_SUCCESS);
                }
        }
        (void)close(pair[1]);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                assert_int_equal(read(pair[0], &numbers[i], sizeof(numbers[i])), sizeof(numbers[i]));
                assert_int_not_equal(numbers[i], 0);
                assert_int_equal(numbers[i], numbers[0]);
        }
        (void)close(pair[0]);
        while (wait(NULL) > 0)
                ;
}

/* Who finds the name of the storage out cannot put anything into it. */
static void test_strangers(void **state) {
        _cleanup_(fd_closep) int storage_fd = -EBADF,
                                 stranger_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address;
        socklen_t length = sizeof(address);

        assert_int_equal(network_namespace_storage_new(&storage_fd), 0);
        assert_int_equal(getsockname(storage_fd, (struct sockaddr *)&address, &length), 0);
        assert_int_equal(sendto(stranger_fd, "x", 1, 0, (const struct sockaddr *)&address, length), -1);
        assert_int_equal(errno, EPERM);
}

static void test_failures(void **state) {
        _cleanup_(fd_closep) int storage_fd = -EBADF;
        Reason reason = {};
        int status;

        assert_int_equal(network_namespace_enter(-EBADF, NULL, &reason), -EBADF);
        assert_string_equal(reason.text, "the lock of a network namespace: Bad file descriptor");
        reason_done(&reason);

        /* Something else in it. */
        assert_int_equal(network_namespace_storage_new(&storage_fd), 0);
        assert_int_equal(send(storage_fd, "x", 1, 0), 1);
        assert_int_equal(network_namespace_enter(storage_fd, NULL, &reason), -EBADMSG);
        assert_string_equal(reason.text, "the storage of network namespaces: Bad message");
        reason_done(&reason);

        if (geteuid() != 0)
                skip();
        const pid_t pid = fork();
        if (pid == 0) {
                if (setresuid(65534, 65534, 65534) < 0 || network_namespace_storage_new(&storage_fd) < 0)
                        _exit(2);
                _exit(network_namespace_enter(storage_fd, NULL, NULL) == -EPERM ? EXIT_SUCCESS
                                                                                : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* What a manager finds that has nothing but the path: what was pinned, whoever is in it. */
static void test_pin(void **state) {
        _cleanup_(fd_closep) int made = -EBADF, found = -EBADF, later = -EBADF;
        char directory[] = "/tmp/test-network-namespace-XXXXXX";
        _cleanup_(freep) char *pin = NULL;
        Reason reason = {};

        if (geteuid() != 0)
                skip();
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_non_null(mkdtemp(directory));
        assert_int_equal(text_format(&pin, "%s/pin", directory), 0);
        assert_int_equal(network_namespace_storage_new(&made), 0);
        assert_int_equal(network_namespace_storage_new(&found), 0);
        assert_int_equal(network_namespace_storage_new(&later), 0);

        /* Nobody has made one, and it can still be. */
        assert_int_equal(network_namespace_find(made, pin), 0);
        const ino_t number = enter_in_child(made, pin);
        assert_int_not_equal(number, 0);
        made = fd_close(made);
        assert_int_equal(namespace_of(pin), number);
        assert_int_equal(network_namespace_find(found, pin), 0);
        assert_int_equal(enter_in_child(found, pin), number);

        /* A pin that another one has is nobody else's, and is not harmed. */
        assert_int_equal(network_namespace_enter(later, pin, &reason), -EEXIST);
        reason_done(&reason);
        assert_int_equal(namespace_of(pin), number);

        network_namespace_unpin(pin);
        assert_int_equal(access(pin, F_OK), -1);
        network_namespace_unpin(pin);
        assert_int_equal(rmdir(directory), 0);
}

/* Of one that could not be mounted, or was not noted, nobody gets another one instead. */
static void test_lost(void **state) {
        _cleanup_(fd_closep) int one = -EBADF, other = -EBADF;
        char pin[] = "/tmp/test-network-namespace-XXXXXX";
        Reason reason = {};

        const int fd = mkostemp(pin, O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(network_namespace_storage_new(&one), 0);
        assert_int_equal(network_namespace_storage_new(&other), 0);
        assert_int_equal(network_namespace_find(one, pin), -ENXIO);
        assert_int_equal(network_namespace_find(other, NULL), -ENXIO);
        assert_int_equal(network_namespace_enter(one, pin, &reason), -ENXIO);
        assert_non_null(strstr(reason.text, "restart the service"));
        reason_done(&reason);
        assert_int_equal(network_namespace_enter(other, NULL, NULL), -ENXIO);
        assert_int_equal(unlink(pin), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shared),    cmocka_unit_test(test_race),
                cmocka_unit_test(test_strangers), cmocka_unit_test(test_failures),
                cmocka_unit_test(test_pin),       cmocka_unit_test(test_lost),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
