/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/keeper.h"
#include "base/text.h"

enum { ADD, REVERSE, FAIL, LEAVE, DESCRIBE, STAND_STILL };

/* What the keeper knows of itself. */
typedef struct Description {
        pid_t pid;
        int dumpable, open_descriptors;
} Description;

static int answer_bytes(const void *bytes, size_t size, KeeperMessage *answer) {
        answer->bytes = malloc(size + 1);
        if (!answer->bytes)
                return -ENOMEM;
        memcpy(answer->bytes, bytes, size);
        answer->size = size;
        return 0;
}

static int describe(KeeperMessage *answer) {
        Description description = { .pid = getpid(), .dumpable = prctl(PR_GET_DUMPABLE) };

        for (int fd = 0; fd < 1000; fd++)
                description.open_descriptors += fcntl(fd, F_GETFD) >= 0;
        return answer_bytes(&description, sizeof(description), answer);
}

static int serve(void *userdata, const KeeperMessage *request, KeeperMessage *answer, Reason *reason) {
        int *sum = userdata;

        switch (request->what) {
        case ADD:
                *sum += (int)request->size;
                return *sum;
        case REVERSE: {
                const int r = answer_bytes(request->bytes, request->size, answer);
                for (size_t i = 0; i < request->size && r >= 0; i++)
                        answer->bytes[i] = request->bytes[request->size - 1 - i];
                return r;
        }
        case FAIL:
                return reason_set(reason, -EBADMSG, "The %s is cold", (const char *)request->bytes);
        case DESCRIBE:
                return describe(answer);
        case STAND_STILL:
                (void)kill(getppid(), SIGTERM);
                for (;;)
                        (void)pause();
        default:
                _exit(0);
        }
}

static int ask(Keeper *keeper, int what, const char *text, KeeperMessage *ret) {
        return keeper_ask(keeper, &(KeeperMessage){ what, (uint8_t *)(uintptr_t)text, strlen(text) }, ret,
                          NULL);
}

/* What it remembers is its own. */
static void test_ask(void **state) {
        _cleanup_(keeper_message_done) KeeperMessage answer = {};
        _cleanup_(keeper_freep) Keeper *keeper = NULL;
        _cleanup_(reason_done) Reason reason = {};
        int sum = 1;

        assert_int_equal(keeper_start(serve, &sum, &keeper), 0);
        assert_int_equal(ask(keeper, ADD, "ab", NULL), 3);
        assert_int_equal(ask(keeper, ADD, "cde", NULL), 6);
        assert_int_equal(sum, 1);
        assert_int_equal(ask(keeper, REVERSE, "teapot", &answer), 0);
        assert_int_equal(answer.size, 6);
        assert_string_equal((const char *)answer.bytes, "topaet");
        assert_int_equal(keeper_ask(keeper, &(KeeperMessage){ FAIL, (uint8_t *)(uintptr_t) "tea", 4 }, NULL,
                                    &reason),
                         -EBADMSG);
        assert_string_equal(reason.text, "The tea is cold");
}

/* More than a socket holds at once. */
static void test_large(void **state) {
        _cleanup_(keeper_message_done) KeeperMessage request = { REVERSE, calloc(KEEPER_MESSAGE_SIZE_MAX, 1),
                                                                 KEEPER_MESSAGE_SIZE_MAX },
                                                     answer = {};
        _cleanup_(keeper_freep) Keeper *keeper = NULL;

        assert_int_equal(keeper_start(serve, NULL, &keeper), 0);
        request.bytes[7] = 'x';
        assert_int_equal(keeper_ask(keeper, &request, &answer, NULL), 0);
        assert_int_equal(answer.size, request.size);
        assert_int_equal(answer.bytes[answer.size - 8], 'x');
        request.size++;
        assert_int_equal(keeper_ask(keeper, &request, NULL, NULL), -EMSGSIZE);
}

static void test_guarded(void **state) {
        _cleanup_(keeper_message_done) KeeperMessage answer = {};
        _cleanup_(fd_closep) int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
        _cleanup_(keeper_freep) Keeper *keeper = NULL;
        Description description;

        assert_true(other > 2);
        assert_int_equal(keeper_start(serve, NULL, &keeper), 0);
        assert_int_equal(ask(keeper, DESCRIBE, "", &answer), 0);
        assert_int_equal(answer.size, sizeof(description));
        memcpy(&description, answer.bytes, sizeof(description));
        assert_int_equal(description.dumpable, 0);
        assert_int_equal(description.open_descriptors, 4);
        assert_int_not_equal(description.pid, getpid());
        keeper_free(TAKE_PTR(keeper));
        assert_int_equal(kill(description.pid, 0), -1);
        assert_int_equal(errno, ESRCH);
}

/* No signal comes of it either. */
static void test_gone(void **state) {
        _cleanup_(keeper_freep) Keeper *keeper = NULL;
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(keeper_start(serve, NULL, &keeper), 0);
        assert_int_equal(ask(keeper, LEAVE, "", NULL), -EPIPE);
        assert_int_equal(keeper_ask(keeper, &(KeeperMessage){ .what = ADD }, NULL, &reason), -EPIPE);
        assert_string_equal(reason.text, "The process that keeps it has ended");
}

/* A process that has a keeper, and is killed; its pid comes back. */
static pid_t leave_keeper(void) {
        _cleanup_(keeper_message_done) KeeperMessage answer = {};
        Keeper *keeper = NULL;
        Description description;
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (keeper_start(serve, NULL, &keeper) < 0 || ask(keeper, DESCRIBE, "", &answer) < 0 ||
                    write(fds[1], answer.bytes, answer.size) < 0)
                        _exit(1);
                for (;;)
                        (void)pause();
        }
        assert_int_equal(read(fds[0], &description, sizeof(description)), sizeof(description));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(close(fds[0]) | close(fds[1]), 0);
        return description.pid;
}

static void test_parent_killed(void **state) {
        int status;

        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        const pid_t pid = leave_keeper();
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* The last of the tests: nothing else goes on behind an interrupt. */
static void test_interrupt(void **state) {
        _cleanup_(keeper_freep) Keeper *keeper = NULL;

        assert_int_equal(interrupt_catch(), 0);
        assert_int_equal(keeper_start(serve, NULL, &keeper), 0);
        assert_int_equal(ask(keeper, STAND_STILL, "", NULL), -EINTR);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ask),           cmocka_unit_test(test_large),
                cmocka_unit_test(test_guarded),       cmocka_unit_test(test_gone),
                cmocka_unit_test(test_parent_killed), cmocka_unit_test(test_interrupt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
