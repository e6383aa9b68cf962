/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "view-fixture.h"

#include "base/strv.h"
#include "sandbox/view-devices.h"

static const char *const possible[] = {
        "core",   "fd",  "full",   "hugepages", "log",    "mqueue", "null",    "ptmx", "pts",
        "random", "shm", "stderr", "stdin",     "stdout", "tty",    "urandom", "zero", NULL,
};

static void check_contents(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        unsigned n = 0;

        INSIDE_CHECK(directory);
        for (const struct dirent *entry; (entry = readdir(directory));) {
                if (entry->d_name[0] == '.')
                        continue;
                if (!strv_contains(possible, entry->d_name)) {
                        (void)fprintf(stderr, "%s\n", entry->d_name);
                        _exit(EXIT_FAILURE);
                }
                n++;
        }
        INSIDE_CHECK(n >= 11);
}

static void check_devices(void) {
        char bytes[4] = "xxx", target[64];
        _cleanup_(fd_closep) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC),
                                 zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC),
                                 full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC),
                                 random_fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
        struct stat status;

        check_contents("/dev");
        INSIDE_CHECK(write(null_fd, "x", 1) == 1 && read(null_fd, bytes, 1) == 0);
        INSIDE_CHECK(read(zero_fd, bytes, 3) == 3 && bytes[0] == 0 && bytes[2] == 0);
        INSIDE_CHECK(write(full_fd, "x", 1) < 0 && errno == ENOSPC);
        INSIDE_CHECK(read(random_fd, bytes, sizeof(bytes)) == sizeof(bytes));
        INSIDE_CHECK(readlink("/dev/stdin", target, sizeof(target)) == 15 &&
                     memcmp(target, "/proc/self/fd/0", 15) == 0);
        INSIDE_CHECK(stat("/dev", &status) == 0 && status.st_mode == (S_IFDIR | 0755));
        /* Its own kind of file system, on which no device can be made by others, and nothing executed. */
        INSIDE_CHECK(file_write_text(AT_FDCWD, "/dev/program", "#!/bin/false\n", 0755) == 0);
        INSIDE_CHECK(execl("/dev/program", "program", NULL) < 0 && errno == EACCES);
        INSIDE_CHECK(setresuid(65534, 65534, 65534) == 0);
        INSIDE_CHECK(write_error("/dev") == EACCES);
}

static void test_devices(void **state) {
        static const ViewEntry entry = { .type = VIEW_DEVICES, .path = "/dev" };

        world_only_as_root();
        in_view(&entry, 1, check_devices);
}

/* Terminals are those of the host, with the name that they have there. */
static void check_terminals(void) {
        _cleanup_(fd_closep) int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other = -EBADF;
        char path[64];

        INSIDE_CHECK(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
        INSIDE_CHECK(ptsname_r(fd, path, sizeof(path)) == 0);
        other = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        INSIDE_CHECK(other >= 0 && isatty(other));
        INSIDE_CHECK(write_error("/dev/shm") == 0);
        INSIDE_CHECK(setresuid(65534, 65534, 65534) == 0 && access("/dev/ptmx", R_OK | W_OK) == 0);
}

static void test_terminals(void **state) {
        static const ViewEntry entries[] = {
                { .type = VIEW_READ_ONLY, .path = "/" },
                { .type = VIEW_DEVICES, .path = "/dev" },
        };

        world_only_as_root();
        if (access("/dev/ptmx", F_OK) < 0 || access("/dev/pts/ptmx", F_OK) < 0)
                skip();
        in_view(entries, ELEMENTSOF(entries), check_terminals);
}

/* A host's /dev may be anything; what is missing there is told. */
static void test_missing(void **state) {
        _cleanup_(fd_closep) int root_fd = -EBADF;
        ViewDevices devices;
        Reason reason = {};

        world_only_as_root();
        root_fd = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(view_devices_open(root_fd, &devices, &reason), -ENOENT);
        assert_string_equal(reason.text, "the host's /dev: No such file or directory");
        reason_done(&reason);
        make_directory("/mnt/dev");
        assert_int_equal(view_devices_open(root_fd, &devices, &reason), -ENOENT);
        assert_string_equal(reason.text, "the host's /dev/null: No such file or directory");
        reason_done(&reason);
        make_file("/mnt/dev/null", "");
        assert_int_equal(view_devices_open(root_fd, &devices, &reason), -ENODEV);
        assert_string_equal(reason.text, "the host's /dev/null: No such device");
        reason_done(&reason);
}

/* Links are taken as links: one to a socket that comes later, one to the terminals. */
static void test_links(void **state) {
        static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
        _cleanup_(fd_closep) int root_fd = -EBADF;
        ViewDevices devices;
        char target[64] = "";

        world_only_as_root();
        make_directory("/mnt/dev");
        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(path_join("/mnt/dev", nodes[i], &path), 0);
                assert_int_equal(mknod(path, S_IFCHR | 0666, 0x103), 0);
        }
        assert_int_equal(symlink("pts/ptmx", "/mnt/dev/ptmx"), 0);
        assert_int_equal(symlink("/run/log", "/mnt/dev/log"), 0);
        root_fd = open("/mnt", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(view_devices_open(root_fd, &devices, NULL), 0);
        assert_int_equal(readlinkat(devices.tree_fd, "ptmx", target, sizeof(target)), 8);
        assert_string_equal(target, "pts/ptmx");
        assert_int_equal(readlinkat(devices.tree_fd, "log", target, sizeof(target)), 8);
        assert_string_equal(target, "/run/log");
        assert_int_equal(faccessat(devices.tree_fd, "shm", F_OK, 0), -1);
        view_devices_done(&devices);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                world_test(test_devices),
                world_test(test_terminals),
                world_test(test_missing),
                world_test(test_links),
        };

        return cmocka_run_group_tests(tests, world_enter, NULL);
}
