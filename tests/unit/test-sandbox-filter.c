/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <linux/filter.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "sandbox/sandbox-filter.h"

static void test_compile(void **state) {
        const SandboxOperationType *const types[] = { &SANDBOX_OPERATION_FILTER_DENY,
                                                      &SANDBOX_OPERATION_FILTER_SYNC,
                                                      &SANDBOX_OPERATION_FILTER_OPEN };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                SandboxOperation operation = { .type = types[i] };

                assert_int_equal(sandbox_filter_set(&operation), 0);
                assert_in_range(operation.n_instructions, 1, BPF_MAXINSNS);
                assert_non_null(operation.options);
                free(operation.options);
                free(operation.program);
        }
}

/* All of these fail otherwise, and a file that was not even opened cannot have been written to disk. */
static int sync_is_suppressed(void) {
        static char memory[4096];
        struct iovec vector = { .iov_base = memory, .iov_len = 1 };
        _cleanup_(fd_closep) int fd = open("/tmp/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        INSIDE_CHECK(fsync(-1) == 0);
        INSIDE_CHECK(fdatasync(-1) == 0);
        INSIDE_CHECK(syncfs(-1) == 0);
        INSIDE_CHECK(sync_file_range(-1, 0, 1, SYNC_FILE_RANGE_WRITE) == 0);
        INSIDE_CHECK(msync(NULL, 1, MS_SYNC) == 0);
        INSIDE_CHECK(msync(NULL, 1, MS_ASYNC) < 0 && errno == ENOMEM);
        INSIDE_CHECK(pwritev2(fd, &vector, 1, 0, RWF_DSYNC) < 0 && errno == EOPNOTSUPP);
        INSIDE_CHECK(pwritev2(fd, &vector, 1, 0, RWF_SYNC) < 0 && errno == EOPNOTSUPP);
        INSIDE_CHECK(pwritev2(fd, &vector, 1, 0, 0) == 1);
        INSIDE_CHECK(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS);
        return EXIT_SUCCESS;
}

static int sync_is_not_suppressed(void) {
        INSIDE_CHECK(fsync(-1) < 0 && errno == EBADF);
        INSIDE_CHECK(syncfs(-1) < 0 && errno == EBADF);
        INSIDE_CHECK(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno != ENOSYS);
        return EXIT_SUCCESS;
}

static void test_sync(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        fixture_inside(*state, &policy, "sync-is-not-suppressed");
        policy.suppress_sync = true;
        fixture_inside(*state, &policy, "sync-is-suppressed");
}

#if defined(__x86_64__)
/* A system call as a 32-bit program makes it, by the numbers of that architecture. */
static int call_32_bit(int number, int argument) {
        int result;

        __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument) : "memory");
        return result;
}

static int fsync_32_bit(void) {
        return call_32_bit(118, -1);
}

static int sync_of_32_bit_is_suppressed(void) {
        INSIDE_CHECK(fsync_32_bit() == 0);
        return EXIT_SUCCESS;
}

/* A kernel that runs no 32-bit programs answers with a signal, so a child asks. It asks for getpid(), which cannot fail
 * where there are such calls. */
static bool has_32_bit_calls(void) {
        int status = 0;
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                /* Those who set a handler for it would take the signal for a mistake of the test. */
                (void)signal(SIGSEGV, SIG_DFL);
                _exit(call_32_bit(20, 0) == getpid() ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void test_sync_of_32_bit(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        if (!has_32_bit_calls())
                skip();
        assert_int_equal(fsync_32_bit(), -EBADF);
        policy.suppress_sync = true;
        fixture_inside(*state, &policy, "sync-of-32-bit-is-suppressed");
}
#endif

/* With all capabilities, so that it is the filter that refuses. */
static int dangerous_is_denied(void) {
        static const struct {
                long number;
                int error;
        } calls[] = {
                { SYS_init_module, EPERM }, { SYS_finit_module, EPERM },    { SYS_delete_module, EPERM },
                { SYS_kexec_load, EPERM },  { SYS_kexec_file_load, EPERM }, { SYS_reboot, EPERM },
                { SYS_swapon, EPERM },      { SYS_swapoff, EPERM },         { SYS_acct, EPERM },
                { SYS_bpf, EPERM },         { SYS_perf_event_open, EPERM }, { SYS_open_by_handle_at, EPERM },
                { SYS_keyctl, ENOSYS },     { SYS_add_key, ENOSYS },        { SYS_request_key, ENOSYS },
        };

        /* The arguments make no sense either, in case that a call gets through. */
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                INSIDE_CHECK(syscall(calls[i].number, -1L, -1L, -1L, -1L, -1L) < 0 &&
                             errno == calls[i].error);
        return EXIT_SUCCESS;
}

static void test_deny(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        policy.capabilities = UINT64_MAX;
        fixture_inside(*state, &policy, "dangerous-is-denied");
}

int main(int argc, char *argv[]) {
        static const Inside inside[] = {
                { "sync-is-suppressed", sync_is_suppressed },
                { "sync-is-not-suppressed", sync_is_not_suppressed },
#if defined(__x86_64__)
                { "sync-of-32-bit-is-suppressed", sync_of_32_bit_is_suppressed },
#endif
                { "dangerous-is-denied", dangerous_is_denied },
        };
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compile),
                cmocka_unit_test_setup_teardown(test_sync, fixture_setup, fixture_teardown),
#if defined(__x86_64__)
                cmocka_unit_test_setup_teardown(test_sync_of_32_bit, fixture_setup, fixture_teardown),
#endif
                cmocka_unit_test_setup_teardown(test_deny, fixture_setup, fixture_teardown),
        };

        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
