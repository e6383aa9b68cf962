/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/text.h"
#include "sandbox/restrict.h"
#include "temporary-directory.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define INSIDE_CHECK(condition)                                                                           \
        do {                                                                                              \
                if (!(condition)) {                                                                       \
                        const int _error = errno;                                                         \
                        (void)fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
                                      strerror(_error));                                                  \
                        _exit(EXIT_FAILURE);                                                              \
                }                                                                                         \
        } while (false)
#define INSIDE_ERROR(call, error) INSIDE_CHECK((call) < 0 && errno == (error))

/* Runs the checks behind the filter, and says how that ended. */
static int behind(const RestrictFilter *filter, void (*check)(void)) {
        const pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                Reason reason = {};
                const int r = restrict_apply(filter, &reason);

                if (r < 0)
                        (void)fprintf(stderr, "filter: %s\n", reason_text(&reason, r));
                INSIDE_CHECK(r == 0);
                check();
                _exit(EXIT_SUCCESS);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static int socket_error(uint64_t family) {
        const long fd = syscall(SYS_socket, family, SOCK_DGRAM, 0);

        if (fd < 0)
                return errno;
        (void)close((int)fd);
        return 0;
}

static bool no_ring(void) {
        return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EPERM &&
               syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0) < 0 && errno == EPERM &&
               syscall(SYS_io_uring_register, -1, 0, NULL, 0) < 0 && errno == EPERM;
}

#define HIGH UINT64_C(0x500000000)

static void check_families_allowed(void) {
        int pair[2];

        INSIDE_CHECK(socket_error(AF_UNIX) == 0 && socket_error(AF_INET) == 0);
        INSIDE_CHECK(socket_error(AF_NETLINK) == EAFNOSUPPORT && socket_error(AF_PACKET) == EAFNOSUPPORT);
        INSIDE_CHECK(socket_error(AF_UNSPEC) == EAFNOSUPPORT && socket_error(UINT32_MAX) == EAFNOSUPPORT);
        INSIDE_CHECK(socket_error(AF_VSOCK) == EAFNOSUPPORT && socket_error(9999) == EAFNOSUPPORT);
        INSIDE_CHECK(socket_error(HIGH | AF_PACKET) == EAFNOSUPPORT);
        INSIDE_CHECK(socket_error(HIGH | AF_NETLINK) == EAFNOSUPPORT);
        INSIDE_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        INSIDE_CHECK(no_ring());
}

static void check_families_denied(void) {
        INSIDE_CHECK(socket_error(AF_UNIX) == 0 && socket_error(AF_INET) == 0);
        INSIDE_CHECK(socket_error(AF_NETLINK) == EAFNOSUPPORT && socket_error(AF_PACKET) == EAFNOSUPPORT);
        /* The kernel sees the lower half only. */
        INSIDE_CHECK(socket_error(HIGH | AF_PACKET) == EAFNOSUPPORT);
        INSIDE_CHECK(no_ring());
}

static void check_no_families(void) {
        INSIDE_CHECK(socket_error(AF_UNIX) == EAFNOSUPPORT && socket_error(AF_INET) == EAFNOSUPPORT);
        INSIDE_CHECK(socket_error(0) == EAFNOSUPPORT);
}

static void test_families(void **state) {
        static const int allowed[] = { AF_UNIX, AF_INET, AF_INET6 }, denied[] = { AF_NETLINK, AF_PACKET };
        const RestrictFilter allow = { .families = true,
                                       .families_allow = true,
                                       .family_list = allowed,
                                       .n_families = ELEMENTSOF(allowed) };
        const RestrictFilter deny = { .families = true,
                                      .family_list = denied,
                                      .n_families = ELEMENTSOF(denied) };
        const RestrictFilter none = { .families = true, .families_allow = true };

        assert_int_equal(behind(&allow, check_families_allowed), 0);
        assert_int_equal(behind(&deny, check_families_denied), 0);
        assert_int_equal(behind(&none, check_no_families), 0);
}

static void check_calls_denied(void) {
        INSIDE_ERROR(syscall(SYS_mkdir, "x", 0700), EACCES);
        INSIDE_ERROR(syscall(SYS_mkdirat, AT_FDCWD, "x", 0700), ENOTTY);
        INSIDE_CHECK(access("x", F_OK) < 0);
        INSIDE_CHECK(syscall(SYS_creat, "y", 0600) >= 0);
        (void)syscall(SYS_rmdir, "x");
        _exit(EXIT_FAILURE); /* not reached */
}

static void test_calls_denied(void **state) {
        static const RestrictCall calls[] = {
                { "mkdir", false, EACCES },
                { "mkdirat", false, ENOTTY },
                { "rmdir", false, RESTRICT_KILL },
                { "osf_shmat", false, EPERM }, /* of another processor */
        };
        const RestrictFilter filter = { .calls = true, .call_list = calls, .n_calls = ELEMENTSOF(calls) };
        const int status = behind(&filter, check_calls_denied);

        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void check_calls_allowed(void) {
        INSIDE_CHECK(syscall(SYS_getpid) > 0);
        INSIDE_ERROR(syscall(SYS_mkdir, "x", 0700), EPERM);
        INSIDE_ERROR(syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0), EPERM);
        INSIDE_ERROR(syscall(SYS_umask, 0), EXDEV);
        INSIDE_ERROR(syscall(5000), ENOSYS); /* newer than we are */
        INSIDE_CHECK(syscall(SYS_creat, "y", 0600) < 0 && errno == EPERM);
        INSIDE_CHECK(write(STDERR_FILENO, "", 0) == 0);
}

static void test_calls_allowed(void **state) {
        /* With what sanitizers need to allocate and to end. */
        static const RestrictCall calls[] = {
                { "getpid", true },        { "write", true }, { "exit_group", true },
                { "umask", false, EXDEV }, { "mmap", true },  { "madvise", true },
                { "munmap", true },        { "brk", true },   { "sigaltstack", true },
                { "gettid", true },        { "futex", true },
        };
        RestrictFilter filter = {
                .calls = true,
                .calls_allow = true,
                .call_list = calls,
                .n_calls = ELEMENTSOF(calls),
                .error = EPERM,
        };

        assert_int_equal(behind(&filter, check_calls_allowed), 0);
        filter.error = RESTRICT_KILL;
        const int status = behind(&filter, check_calls_allowed);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void *map(int protection) {
        return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void check_memory(void) {
        void *const memory = map(PROT_READ | PROT_WRITE);

        INSIDE_CHECK(memory != MAP_FAILED);
        INSIDE_CHECK(map(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == EPERM);
        INSIDE_CHECK(map(PROT_READ | PROT_EXEC) != MAP_FAILED);
        INSIDE_ERROR(mprotect(memory, 4096, PROT_READ | PROT_EXEC), EPERM);
        INSIDE_ERROR(syscall(SYS_pkey_mprotect, memory, 4096, PROT_READ | PROT_EXEC, -1), EPERM);
        INSIDE_CHECK(mprotect(memory, 4096, PROT_READ) == 0);

        const int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
        INSIDE_CHECK(id >= 0);
        const bool denied = shmat(id, NULL, SHM_EXEC) == (void *)-1 && errno == EPERM;
        const bool allowed = shmat(id, NULL, 0) != (void *)-1;
        (void)shmctl(id, IPC_RMID, NULL);
        INSIDE_CHECK(denied && allowed);

        /* All that can be read can be executed, says this personality: only the kernel itself can say no to that. */
        if (prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0)
                return;
        INSIDE_CHECK(personality(READ_IMPLIES_EXEC) >= 0);
        INSIDE_CHECK(map(PROT_READ | PROT_WRITE) == MAP_FAILED && errno == EACCES);
}

static void test_memory(void **state) {
        const RestrictFilter filter = { .memory_deny_write_execute = true };

        assert_int_equal(behind(&filter, check_memory), 0);
}

static void check_modes(void) {
        static const mode_t bits[] = { S_ISUID, S_ISGID, S_ISUID | S_ISGID };
        const int fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

        INSIDE_CHECK(fd >= 0 && fchmod(fd, 0755) == 0);
        for (size_t i = 0; i < ELEMENTSOF(bits); i++) {
                const long mode = (long)(bits[i] | 0755);

                INSIDE_ERROR(syscall(SYS_chmod, "file", mode), EPERM);
                INSIDE_ERROR(syscall(SYS_fchmod, fd, mode), EPERM);
                INSIDE_ERROR(syscall(SYS_fchmodat, AT_FDCWD, "file", mode), EPERM);
                INSIDE_ERROR(syscall(SYS_fchmodat2, AT_FDCWD, "file", mode, 0), EPERM);
                INSIDE_ERROR(syscall(SYS_mkdir, "new", mode), EPERM);
                INSIDE_ERROR(syscall(SYS_mkdirat, AT_FDCWD, "new", mode), EPERM);
                INSIDE_ERROR(syscall(SYS_mknod, "new", S_IFREG | mode, 0), EPERM);
                INSIDE_ERROR(syscall(SYS_mknodat, AT_FDCWD, "new", S_IFREG | mode, 0), EPERM);
                INSIDE_ERROR(syscall(SYS_creat, "new", mode), EPERM);
                INSIDE_ERROR(syscall(SYS_open, "new", O_WRONLY | O_CREAT, mode), EPERM);
                INSIDE_ERROR(syscall(SYS_openat, AT_FDCWD, "new", O_WRONLY | O_CREAT, mode), EPERM);
                INSIDE_ERROR(syscall(SYS_open, ".", O_WRONLY | O_TMPFILE, mode), EPERM);
                INSIDE_ERROR(syscall(SYS_openat, AT_FDCWD, ".", O_WRONLY | O_TMPFILE, mode), EPERM);
                /* Without a new file the mode means nothing. */
                INSIDE_CHECK(syscall(SYS_openat, AT_FDCWD, "file", O_RDONLY | O_CLOEXEC, mode) >= 0);
        }
        INSIDE_ERROR(syscall(SYS_openat2, AT_FDCWD, "file", NULL, 0), ENOSYS);
        INSIDE_CHECK(mkdir("sticky", 01777) == 0 && chmod("sticky", 01700) == 0);
        INSIDE_CHECK(access("new", F_OK) < 0 && no_ring());
}

static void test_modes(void **state) {
        const RestrictFilter filter = { .restrict_suid_sgid = true };

        assert_int_equal(behind(&filter, check_modes), 0);
}

static void check_realtime(void) {
        const struct sched_param realtime = { .sched_priority = 1 }, none = {};

        INSIDE_ERROR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &realtime), EPERM);
        INSIDE_ERROR(syscall(SYS_sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &realtime), EPERM);
        INSIDE_ERROR(syscall(SYS_sched_setscheduler, 0, (uint64_t)SCHED_RR | HIGH, &realtime), EPERM);
        INSIDE_ERROR(syscall(SYS_sched_setattr, 0, NULL, 0), ENOSYS);
        INSIDE_CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none) == 0);
        INSIDE_CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none) == 0);
        INSIDE_CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none) == 0);
}

static void test_realtime(void **state) {
        assert_int_equal(behind(&(RestrictFilter){ .restrict_realtime = true }, check_realtime), 0);
}

static void check_personality(void) {
        INSIDE_CHECK(personality(PER_LINUX) == PER_LINUX);
        INSIDE_ERROR(personality(PER_LINUX32), EPERM);
        INSIDE_ERROR(personality(ADDR_NO_RANDOMIZE), EPERM);
}

static void test_personality(void **state) {
        if (personality(0xffffffff) != PER_LINUX)
                skip();
        assert_int_equal(behind(&(RestrictFilter){ .lock_personality = true }, check_personality), 0);
}

static void check_namespaces(void) {
        const int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

        INSIDE_CHECK(fd >= 0);
        INSIDE_ERROR(unshare(CLONE_NEWNS), EPERM);
        INSIDE_ERROR(unshare(CLONE_NEWUTS | CLONE_NEWUSER), EPERM);
        INSIDE_ERROR(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL), EPERM);
        INSIDE_ERROR(syscall(SYS_clone3, NULL, 0), ENOSYS);
        INSIDE_ERROR(setns(fd, CLONE_NEWPID), EPERM);
        INSIDE_ERROR(setns(fd, 0), EPERM);
        INSIDE_CHECK(setns(fd, CLONE_NEWNET) == 0);
        INSIDE_CHECK(unshare(CLONE_NEWUTS) == 0);
        /* Signals in the lowest byte are no flags of namespaces. */
        const pid_t pid = fork();
        if (pid == 0)
                _exit(EXIT_SUCCESS);
        INSIDE_CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
}

static void test_namespaces(void **state) {
        const RestrictFilter some = { .namespaces = true, .namespaces_allowed = CLONE_NEWNET | CLONE_NEWUTS };

        if (geteuid() != 0)
                skip();
        assert_int_equal(behind(&some, check_namespaces), 0);
        static const struct {
                const char *text;
                int r, error;
        } errors[] = {
                { "EPERM", 0, EPERM },        { "7", 0, 7 },
                { "kill", 0, RESTRICT_KILL }, { "EBOGUS", -EINVAL, -1 },
                { "0", -ERANGE, -1 },         { "4096", -ERANGE, -1 },
                { "", -EINVAL, -1 },          { "eperm", -EINVAL, -1 },
        };
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                int error = -1;

                assert_int_equal(restrict_error(errors[i].text, &error), errors[i].r);
                assert_int_equal(error, errors[i].error);
        }
        assert_int_equal(restrict_namespace_flag("mnt"), CLONE_NEWNS);
        assert_int_equal(restrict_namespace_flag("none"), 0);
        assert_int_equal(restrict_namespace_flag("all") & CLONE_NEWCGROUP, CLONE_NEWCGROUP);
}

static void check_logged(void) {
        INSIDE_CHECK(syscall(SYS_getpid) > 0);
        INSIDE_CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
}

static void test_log(void **state) {
        static const char *const names[] = { "getpid", NULL };

        assert_int_equal(behind(&(RestrictFilter){ .log = true, .log_list = names }, check_logged), 0);
}

static int no_new_privileges(void) {
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static void check_privileges_kept(void) {
        INSIDE_CHECK(no_new_privileges() == 0);
}

static void test_privileges(void **state) {
        const RestrictFilter filter = { .restrict_suid_sgid = true };

        if (geteuid() != 0)
                skip();
        assert_int_equal(behind(&filter, check_privileges_kept), 0);
        const pid_t pid = fork();
        if (pid == 0) {
                INSIDE_CHECK(setresuid(65534, 65534, 65534) == 0 && no_new_privileges() == 0);
                INSIDE_CHECK(restrict_apply(&filter, NULL) == 0 && no_new_privileges() == 1);
                INSIDE_ERROR(syscall(SYS_openat2, AT_FDCWD, "file", NULL, 0), ENOSYS);
                _exit(EXIT_SUCCESS);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* What is executed is restricted as well. */
static void execute_self(void) {
        (void)execl("/proc/self/exe", "restrict", "--inside", NULL);
        _exit(EXIT_FAILURE);
}

static int inside(void) {
        INSIDE_CHECK(map(PROT_WRITE | PROT_EXEC) == MAP_FAILED && errno == EPERM);
        INSIDE_CHECK(socket_error(AF_INET) == EAFNOSUPPORT);
        INSIDE_ERROR(syscall(SYS_mkdir, "x", 0700), EACCES);
        INSIDE_ERROR(syscall(SYS_chmod, "/", 04755), EPERM);
        return EXIT_SUCCESS;
}

static void test_execute(void **state) {
        static const RestrictCall calls[] = { { "mkdir", false, EACCES } };
        const RestrictFilter filter = {
                .families = true,
                .families_allow = true,
                .calls = true,
                .call_list = calls,
                .n_calls = ELEMENTSOF(calls),
                .memory_deny_write_execute = true,
                .restrict_suid_sgid = true,
        };

        assert_int_equal(behind(&filter, execute_self), 0);
}

#if defined(__x86_64__)
/* Numbers of 32-bit programs. */
enum {
        CALL_CHMOD = 15,
        CALL_GETPID = 20,
        CALL_MKDIR = 39,
        CALL_MMAP = 90,
        CALL_SOCKETCALL = 102,
        CALL_IPC = 117,
        CALL_MPROTECT = 125,
        CALL_MMAP2 = 192,
        CALL_SOCKET = 359,
        CALL_SHMAT = 397,
        CALL_FCHMODAT2 = 452
};

static int call_32(int number, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
        int result;

        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0)
                         : "memory", "r8", "r9", "r10", "r11");
        return result;
}

/* A kernel that runs no 32-bit programs answers with a signal, so a child asks. */
static bool has_32(void) {
        int status = 0;
        const pid_t pid = fork();

        if (pid == 0) {
                (void)signal(SIGSEGV, SIG_DFL);
                _exit(call_32(CALL_GETPID, 0, 0, 0, 0) == getpid() ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status == 0;
}

static void check_32(void) {
        uint32_t *const low =
                mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        const uint32_t address = (uint32_t)(uintptr_t)low;

        INSIDE_CHECK(low != MAP_FAILED);
        INSIDE_CHECK(call_32(CALL_SOCKET, AF_UNIX, SOCK_DGRAM, 0, 0) >= 0);
        INSIDE_CHECK(call_32(CALL_SOCKET, AF_PACKET, SOCK_DGRAM, 0, 0) == -EAFNOSUPPORT);
        /* Which family that is stands in memory, so there is none. */
        low[0] = AF_UNIX;
        low[1] = SOCK_DGRAM;
        low[2] = 0;
        INSIDE_CHECK(call_32(CALL_SOCKETCALL, 1, address, 0, 0) == -EAFNOSUPPORT);
        (void)memcpy(low, "file", sizeof("file"));
        INSIDE_CHECK(call_32(CALL_CHMOD, address, 04755, 0, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_CHMOD, address, 0711, 0, 0) == 0);
        INSIDE_CHECK(call_32(CALL_FCHMODAT2, (uint32_t)AT_FDCWD, address, 04755, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_MMAP, address, 0, 0, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_MMAP2, 0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS) ==
                     -EPERM);
        INSIDE_CHECK(call_32(CALL_MPROTECT, address, 4096, PROT_EXEC, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_SHMAT, 0, 0, SHM_EXEC, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_IPC, 21, 0, SHM_EXEC, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_IPC, 21 | 2 << 16, 0, SHM_EXEC, 0) == -EPERM);
        INSIDE_CHECK(call_32(CALL_MKDIR, address, 0700, 0, 0) == -EACCES);
}

static void check_32_allowed(void) {
        INSIDE_CHECK(call_32(CALL_SOCKET, AF_UNIX, SOCK_DGRAM, 0, 0) >= 0);
        INSIDE_CHECK(call_32(CALL_SOCKET, AF_PACKET, SOCK_DGRAM, 0, 0) == -EAFNOSUPPORT);
        INSIDE_CHECK(call_32(CALL_SOCKETCALL, 1, 0, 0, 0) == -EAFNOSUPPORT);
}

static void test_32(void **state) {
        static const int allowed[] = { AF_UNIX };
        const RestrictFilter allow = {
                .families = true,
                .families_allow = true,
                .family_list = allowed,
                .n_families = 1,
        };
        static const int denied[] = { AF_PACKET };
        static const RestrictCall calls[] = { { "mkdir", false, EACCES } };
        const RestrictFilter filter = {
                .families = true,
                .family_list = denied,
                .n_families = 1,
                .calls = true,
                .call_list = calls,
                .n_calls = ELEMENTSOF(calls),
                .memory_deny_write_execute = true,
                .restrict_suid_sgid = true,
        };

        if (!has_32())
                skip();
        assert_int_equal(close(creat("file", 0600)), 0);
        assert_int_equal(behind(&filter, check_32), 0);
        assert_int_equal(behind(&allow, check_32_allowed), 0);
}

/* The third way of making system calls: 64-bit ones with pointers of 32 bits. Most kernels do not know it (ENOSYS),
 * and the filter comes before that. */
static void check_x32(void) {
        INSIDE_ERROR(syscall(0x40000000 | SYS_socket, AF_PACKET, SOCK_DGRAM, 0), EAFNOSUPPORT);
        INSIDE_ERROR(syscall(0x40000000 | SYS_chmod, "/", 04755), EPERM);
        INSIDE_ERROR(syscall(0x40000000 | SYS_fchmodat2, AT_FDCWD, "/", 04755, 0), EPERM);
}

static void test_x32(void **state) {
        static const int denied[] = { AF_PACKET };
        const RestrictFilter filter = {
                .families = true,
                .family_list = denied,
                .n_families = 1,
                .restrict_suid_sgid = true,
        };

        assert_int_equal(behind(&filter, check_x32), 0);
}

static void call_as_32(void) {
        INSIDE_CHECK(call_32(CALL_GETPID, 0, 0, 0, 0) > 0);
}

static void call_as_x32(void) {
        INSIDE_ERROR(syscall(0x40000000 | SYS_getpid), ENOSYS);
}

static void call_native(void) {
        INSIDE_CHECK(syscall(SYS_getpid) > 0);
}

static bool is_killed(int status) {
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void test_architecture_list(void **state) {
        static const char *const x86[] = { "native", "x86", NULL };
        const RestrictFilter native = { .architectures = true },
                             both = { .architectures = true, .architecture_list = x86 };

        assert_int_equal(behind(&native, call_native), 0);
        assert_true(is_killed(behind(&native, call_as_x32)));
        assert_true(is_killed(behind(&both, call_as_x32)));
        if (!has_32())
                return;
        assert_true(is_killed(behind(&native, call_as_32)));
        assert_int_equal(behind(&both, call_as_32), 0);
}
#endif

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_families),
                unit_test_in_directory(test_calls_denied),
                unit_test_in_directory(test_calls_allowed),
                cmocka_unit_test(test_memory),
                unit_test_in_directory(test_modes),
                cmocka_unit_test(test_realtime),
                cmocka_unit_test(test_personality),
                cmocka_unit_test(test_namespaces),
                cmocka_unit_test(test_log),
                cmocka_unit_test(test_privileges),
                cmocka_unit_test(test_execute),
#if defined(__x86_64__)
                unit_test_in_directory(test_32),
                cmocka_unit_test(test_x32),
                cmocka_unit_test(test_architecture_list),
#endif
        };

        if (argc == 2 && text_equal(argv[1], "--inside"))
                return inside();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
