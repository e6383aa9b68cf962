/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mount-namespace.h"
#include "base/text.h"
#include "foreign-program.h"
#include "temporary-directory.h"
#include "user/user-record.h"

static void assert_link(const char *name, const char *target) {
        char text[100] = "";

        assert_true(readlink(name, text, sizeof(text) - 1) >= 0);
        assert_string_equal(text, target);
}

static size_t files_count(void) {
        _cleanup_(directory_closep) DIR *directory = opendir(".");
        size_t n = 0;

        assert_non_null(directory);
        while (readdir(directory))
                n++;
        return n - 2;
}

static int here(void) {
        const int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void test_files(void **state) {
        _cleanup_(fd_closep) int fd = here();
        struct stat status;

        assert_int_equal(user_record_write(fd, "waldo", 61647), 0);
        assert_int_equal(user_record_write(fd, "waldo", 61647), 0);
        assert_int_equal(files_count(), 4);
        assert_link("61647.user", "waldo.user");
        assert_link("61647.group", "waldo.group");
        assert_int_equal(lstat("waldo.user", &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0644);
        _cleanup_(freep) char *user = NULL, *group = NULL;
        assert_int_equal(file_read(AT_FDCWD, "waldo.user", 1000, &user, NULL), 0);
        assert_string_equal(user, "{\n\t\"userName\": \"waldo\",\n\t\"uid\": 61647,\n\t\"gid\": 61647,\n"
                                  "\t\"realName\": \"Dynamic User\",\n\t\"homeDirectory\": \"/\",\n"
                                  "\t\"shell\": \"/usr/sbin/nologin\",\n\t\"locked\": true,\n"
                                  "\t\"disposition\": \"dynamic\",\n"
                                  "\t\"service\": \"io.mkosi.DynamicUser\"\n}\n");
        assert_int_equal(file_read(AT_FDCWD, "61647.group", 1000, &group, NULL), 0);
        assert_string_equal(group, "{\n\t\"groupName\": \"waldo\",\n\t\"gid\": 61647,\n"
                                   "\t\"disposition\": \"dynamic\",\n"
                                   "\t\"service\": \"io.mkosi.DynamicUser\"\n}\n");

        /* Of another number, and then of another name, only what is theirs. */
        user_record_remove(fd, "waldo", 61648);
        user_record_remove(fd, "wald", 61647);
        assert_int_equal(files_count(), 4);
        user_record_remove(fd, "waldo", 61647);
        assert_int_equal(files_count(), 0);
        user_record_remove(fd, "waldo", 61647);
}

/* What a crash left under these names is replaced, and nothing is followed. */
static void test_replaced(void **state) {
        _cleanup_(fd_closep) int fd = here();
        _cleanup_(freep) char *content = NULL;

        assert_int_equal(file_write_text(AT_FDCWD, "victim", "x", 0644), 0);
        assert_int_equal(symlink("victim", "waldo.user"), 0);
        assert_int_equal(symlink("victim", ".#61647.user"), 0);
        assert_int_equal(symlink("old.user", "61647.user"), 0);
        assert_int_equal(user_record_write(fd, "waldo", 61647), 0);
        assert_link("61647.user", "waldo.user");
        assert_int_equal(file_read(AT_FDCWD, "victim", 10, &content, NULL), 0);
        assert_string_equal(content, "x");
        user_record_remove(fd, "waldo", 61647);
        assert_int_equal(files_count(), 1);
}

/* A failure leaves nothing. */
static void test_failure(void **state) {
        _cleanup_(fd_closep) int fd = here();

        assert_int_equal(mkdir("61647.group", 0755), 0);
        assert_int_equal(user_record_write(fd, "waldo", 61647), -EISDIR);
        assert_int_equal(files_count(), 1);
}

/* The stock module of systemd's user database finds the user by name and by number, and the group; afterwards not. */
static void test_getent(void **state) {
        static const struct {
                const char *database, *key, *line;
        } cases[] = {
                { "passwd", "mkosi-waldo", "mkosi-waldo:x:61647:61647:Dynamic User:/:/usr/sbin/nologin\n" },
                { "passwd", "61647", "mkosi-waldo:x:61647:61647:Dynamic User:/:/usr/sbin/nologin\n" },
                { "group", "mkosi-waldo", "mkosi-waldo:x:61647:\n" },
                { "group", "61647", "mkosi-waldo:x:61647:\n" },
        };
        if (geteuid() != 0 || (access("/lib/x86_64-linux-gnu/libnss_systemd.so.2", F_OK) < 0 &&
                               access("/usr/lib64/libnss_systemd.so.2", F_OK) < 0))
                skip();
        assert_int_equal(mount_namespace_leave(), 0);
        assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"), 0);
        assert_int_equal(mkdir("/run/userdb", 0755), 0);
        _cleanup_(fd_closep) int fd = open("/run/userdb", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);

        assert_int_equal(user_record_write(fd, "mkosi-waldo", 61647), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *output =
                        FOREIGN_CHECK("getent", "-s", "systemd", cases[i].database, cases[i].key);

                assert_string_equal(output, cases[i].line);
        }
        user_record_remove(fd, "mkosi-waldo", 61647);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *output = NULL;

                assert_int_equal(
                        FOREIGN_RUN(&output, "getent", "-s", "systemd", cases[i].database, cases[i].key), 2);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_files),
                unit_test_in_directory(test_replaced),
                unit_test_in_directory(test_failure),
                cmocka_unit_test(test_getent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
