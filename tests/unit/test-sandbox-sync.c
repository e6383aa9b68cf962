/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox-fixture.h"

#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* All run in /tmp of the sandbox. */
#define IS_SYNC(fd) ((fcntl(fd, F_GETFL) & O_SYNC) != 0)

static int open_new(void) {
        struct stat status;

        (void)umask(027);
        _cleanup_(fd_closep) int fd =
                open("new", O_RDWR | O_CREAT | O_EXCL | O_SYNC | O_APPEND | O_CLOEXEC, 0666);
        INSIDE_CHECK(fd >= 0 && !IS_SYNC(fd));
        INSIDE_CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND));
        INSIDE_CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
        INSIDE_CHECK(fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0640);
        INSIDE_CHECK(status.st_uid == 0 && status.st_gid == 0);
        INSIDE_CHECK(write(fd, "text", 4) == 4);
        return EXIT_SUCCESS;
}

static int open_existing(void) {
        char text[8] = "";

        INSIDE_CHECK(open_new() == EXIT_SUCCESS);
        INSIDE_CHECK(symlink("/tmp/../tmp/new", "link") == 0 && mkdir("directory", 0755) == 0);
        _cleanup_(fd_closep) int directory_fd = open("directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(fd_closep) int a = open("new", O_RDONLY | O_DSYNC);
        _cleanup_(fd_closep) int b = openat(directory_fd, "../link", O_WRONLY | O_CREAT | O_SYNC, 0600);
        _cleanup_(fd_closep) int c = open("/tmp/new", O_WRONLY | (O_SYNC & ~O_DSYNC));

        INSIDE_CHECK(a >= 0 && !IS_SYNC(a) && fcntl(a, F_GETFD) == 0);
        INSIDE_CHECK(b >= 0 && !IS_SYNC(b));
        INSIDE_CHECK(c >= 0 && !IS_SYNC(c));
        INSIDE_CHECK(read(a, text, sizeof(text)) == 4 && text_equal(text, "text"));
        _cleanup_(fd_closep) int d = open("new", O_WRONLY | O_TRUNC | O_SYNC);
        INSIDE_CHECK(d >= 0 && lseek(d, 0, SEEK_END) == 0);
        return EXIT_SUCCESS;
}

static int open_how(void) {
        const struct open_how sync = { .flags = O_RDWR | O_CREAT | O_SYNC, .mode = 0600 };
        const struct open_how plain = { .flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS };

        _cleanup_(fd_closep) int a = (int)syscall(SYS_openat2, AT_FDCWD, "file", &sync, sizeof(sync));
        INSIDE_CHECK(a >= 0 && !IS_SYNC(a));
        _cleanup_(fd_closep) int b = (int)syscall(SYS_openat2, AT_FDCWD, "file", &plain, sizeof(plain));
        INSIDE_CHECK(b >= 0);
        INSIDE_CHECK(syscall(SYS_openat2, AT_FDCWD, "file", NULL, sizeof(plain)) < 0 && errno == EFAULT);
        return EXIT_SUCCESS;
}

/* Errors are the kernel's own. */
static int open_errors(void) {
        INSIDE_CHECK(mkfifo("fifo", 0600) == 0 && symlink("loop", "loop") == 0);
        INSIDE_CHECK(mknod("file", S_IFREG | 0600, 0) == 0);
        INSIDE_CHECK(open("file", O_RDWR | O_CREAT | O_EXCL | O_SYNC, 0600) < 0 && errno == EEXIST);
        INSIDE_CHECK(unlink("file") == 0);
        INSIDE_CHECK(open("none", O_RDWR | O_SYNC) < 0 && errno == ENOENT);
        INSIDE_CHECK(open("none/file", O_RDWR | O_CREAT | O_SYNC, 0600) < 0 && errno == ENOENT);
        INSIDE_CHECK(open("fifo", O_RDWR | O_CREAT | O_EXCL | O_SYNC, 0600) < 0 && errno == EEXIST);
        INSIDE_CHECK(open("fifo", O_WRONLY | O_NONBLOCK | O_SYNC) < 0 && errno == ENXIO);
        INSIDE_CHECK(open("loop", O_RDONLY | O_SYNC) < 0 && errno == ELOOP);
        INSIDE_CHECK(open("/usr/bin", O_WRONLY | O_SYNC) < 0 && errno == EISDIR);
        INSIDE_CHECK(open("/usr/bin/x", O_WRONLY | O_CREAT | O_SYNC, 0600) < 0 && errno == EROFS);
        INSIDE_CHECK(openat(-1, "x", O_WRONLY | O_SYNC) < 0 && errno == EBADF);
        INSIDE_CHECK(open((const char *)1, O_WRONLY | O_SYNC) < 0 && errno == EFAULT);
        return EXIT_SUCCESS;
}

/* Of devices the flag is kept: for some it has a meaning. */
static int open_device(void) {
        _cleanup_(fd_closep) int fd = open("/dev/null", O_RDWR | O_SYNC);

        INSIDE_CHECK(fd >= 0 && IS_SYNC(fd));
        return EXIT_SUCCESS;
}

static int open_in_chroot(void) {
        INSIDE_CHECK(mkdir("root", 0755) == 0 && mkdir("root/inner", 0755) == 0);
        INSIDE_CHECK(symlink("/inner/target", "root/link") == 0);
        INSIDE_CHECK(chroot("root") == 0 && chdir("/") == 0);
        _cleanup_(fd_closep) int a = open("/../inner/target", O_RDWR | O_CREAT | O_SYNC, 0600);
        INSIDE_CHECK(a >= 0 && !IS_SYNC(a) && access("/inner/target", F_OK) == 0);
        _cleanup_(fd_closep) int b = open("link", O_RDWR | O_SYNC);
        INSIDE_CHECK(b >= 0 && !IS_SYNC(b));
        return EXIT_SUCCESS;
}

/* Who gave privileges up does not get them back through us. */
static int open_unprivileged(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
        _cleanup_(fd_closep) int secret = open("secret", O_RDWR | O_CREAT, 0);

        INSIDE_CHECK(secret >= 0);
        _cleanup_(fd_closep) int before = open("secret", O_RDWR | O_SYNC);
        INSIDE_CHECK(before >= 0);
        INSIDE_CHECK(syscall(SYS_capset, &header, none) == 0);
        INSIDE_CHECK(open("secret", O_RDWR | O_SYNC) < 0 && errno == EACCES);
        _cleanup_(fd_closep) int own = open("own", O_RDWR | O_CREAT | O_SYNC, 0600);
        INSIDE_CHECK(own >= 0 && IS_SYNC(own));
        return EXIT_SUCCESS;
}

/* Many at once, of which some die in between. */
static int open_crowd(void) {
        enum { N_PROCESSES = 16, N_OPENED = 25 };
        pid_t pids[N_PROCESSES];

        for (size_t i = 0; i < N_PROCESSES; i++) {
                pids[i] = fork();
                INSIDE_CHECK(pids[i] >= 0);
                for (size_t j = 0; pids[i] == 0 && j < N_OPENED; j++) {
                        const int fd = open("crowd", O_RDWR | O_CREAT | O_SYNC, 0600);
                        if (fd < 0 && errno != EEXIST)
                                _exit(EXIT_FAILURE);
                        if (fd >= 0)
                                (void)close(fd);
                }
                if (pids[i] == 0)
                        _exit(EXIT_SUCCESS);
        }
        for (size_t i = 0; i < N_PROCESSES / 2; i++)
                (void)kill(pids[i], SIGKILL);
        for (size_t i = 0; i < N_PROCESSES; i++) {
                int status;

                INSIDE_CHECK(waitpid(pids[i], &status, 0) == pids[i]);
                INSIDE_CHECK(i < N_PROCESSES / 2 || status == 0);
        }
        return EXIT_SUCCESS;
}

static const Inside inside[] = {
        { "new", open_new },
        { "existing", open_existing },
        { "how", open_how },
        { "errors", open_errors },
        { "device", open_device },
        { "chroot", open_in_chroot },
        { "unprivileged", open_unprivileged },
        { "crowd", open_crowd },
};

static void test_open(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        policy.suppress_sync = true;
        policy.working_directory = "/tmp";
        for (size_t i = 0; i < ELEMENTSOF(inside); i++)
                fixture_inside(*state, &policy, inside[i].name);
}

/* A sandbox in a sandbox: there the outer parent listens already, and answers for both. */
static int nested(void) {
        const SandboxMount mounts[] = { { .type = SANDBOX_BIND, .source = "/tmp", .target = "/tmp" } };
        const SandboxPolicy policy = {
                .root = "/",
                .mounts = mounts,
                .n_mounts = 1,
                .network = true,
                .suppress_sync = true,
                .working_directory = "/tmp",
        };
        _cleanup_(sandbox_freep) Sandbox *sandbox = NULL;
        Reason reason = {};

        INSIDE_CHECK(sandbox_new(&policy, &sandbox, &reason) == 0);
        const int r = sandbox_run(sandbox,
                                  &(SandboxCommand){
                                          .argv = (const char *const[]){ "/self", "--inside", "new", NULL },
                                          .stdin_fd = -EBADF,
                                          .output_fd = -EBADF,
                                          .data_fd = -EBADF,
                                  },
                                  &reason);
        if (r < 0)
                (void)fprintf(stderr, "%s\n", reason_text(&reason, r));
        return r;
}

static void test_nested(void **state) {
        SandboxPolicy policy = fixture_policy(*state);

        policy.suppress_sync = true;
        fixture_inside(*state, &policy, "nested");
}

int main(int argc, char *argv[]) {
        const Inside nested_inside = { "nested", nested };
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_open, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_nested, fixture_setup, fixture_teardown),
        };

        if (argc == 3 && text_equal(argv[2], nested_inside.name))
                return fixture_main(argc, argv, &nested_inside, 1, NULL, 0);
        return fixture_main(argc, argv, inside, ELEMENTSOF(inside), tests, ELEMENTSOF(tests));
}
