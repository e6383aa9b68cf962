/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/access-list.h"
#include "base/fd.h"
#include "base/mount-namespace.h"
#include "base/text.h"
#include "exec/exec-owner.h"
#include "foreign-program.h"
#include "temporary-directory.h"

#define FORMER 62000
#define LATER  62001

static void need_root(void) {
        if (geteuid() != 0) {
                print_message("this needs root\n");
                skip();
        }
}

static void write_file(const char *path, mode_t mode, uid_t uid) {
        assert_int_equal(file_write_text(AT_FDCWD, path, "text\n", 0600), 0);
        assert_int_equal(chown(path, uid, uid), 0);
        assert_int_equal(chmod(path, mode), 0);
}

static void make_directory(const char *path, uid_t uid) {
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(chown(path, uid, uid), 0);
}

static void assert_is(const char *path, mode_t mode, uid_t uid) {
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        if (status.st_mode != mode || status.st_uid != uid || status.st_gid != uid)
                fail_msg("%s is %o of %u:%u", path, (unsigned)status.st_mode, (unsigned)status.st_uid,
                         (unsigned)status.st_gid);
}

static int tree_open_here(void) {
        const int fd = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void change(mode_t mask, int expected) {
        _cleanup_(fd_closep) int fd = tree_open_here();

        assert_int_equal(owner_change(fd, &(OwnerChange){ .uid = LATER, .gid = LATER, .mode_mask = mask }),
                         expected);
}

static int is_one(void) {
        _cleanup_(fd_closep) int fd = tree_open_here();

        return owner_is_one(fd);
}

/* All that is in the tree, and nothing that a link of it leads to. */
static void test_tree(void **state) {
        need_root();
        make_directory("tree", FORMER);
        make_directory("tree/a", FORMER);
        make_directory("outside", 0);
        write_file("outside/file", 0644, 0);
        write_file("tree/a/file", 04755, FORMER);
        write_file("tree/a/foreign", 02644, 5);
        assert_int_equal(symlink("../outside", "tree/link"), 0);
        assert_int_equal(symlink("../outside/file", "tree/file-link"), 0);
        assert_int_equal(mkfifo("tree/fifo", 0600), 0);
        assert_int_equal(chmod("tree/a", 02775), 0);

        change(01777, 0);
        assert_is("tree", S_IFDIR | 0755, LATER);
        assert_is("tree/a", S_IFDIR | 0775, LATER);
        assert_is("tree/a/file", S_IFREG | 0755, LATER);
        assert_is("tree/a/foreign", S_IFREG | 0644, LATER);
        assert_is("tree/fifo", S_IFIFO | 0600, LATER);
        assert_is("tree/link", S_IFLNK | 0777, LATER);
        assert_is("outside", S_IFDIR | 0755, 0);
        assert_is("outside/file", S_IFREG | 0644, 0);
}

/* Directories keep the bit that hands their group on, where that may be; no file keeps what makes it another's. */
static void test_mask(void **state) {
        need_root();
        make_directory("tree", FORMER);
        make_directory("tree/a", FORMER);
        assert_int_equal(chmod("tree/a", 02775), 0);
        write_file("tree/file", 06755, FORMER);
        change(07777, 0);
        assert_is("tree/a", S_IFDIR | 02775, LATER);
        assert_is("tree/file", S_IFREG | 0755, LATER);
}

/* Names of files that are somebody else's do not make them the service's. */
static void test_hard_links(void **state) {
        need_root();
        make_directory("tree", FORMER);
        write_file("victim", 0600, 0);
        write_file("tree/inside", 0600, 0);
        write_file("own", 0600, FORMER);
        assert_int_equal(link("victim", "tree/planted"), 0);
        assert_int_equal(link("tree/inside", "tree/inside-too"), 0);
        assert_int_equal(link("own", "tree/own"), 0);
        change(01777, 0);
        assert_is("victim", S_IFREG | 0600, 0);
        assert_is("tree/planted", S_IFREG | 0600, 0);
        assert_is("tree/inside", S_IFREG | 0600, LATER);
        assert_is("own", S_IFREG | 0600, LATER);
}

/* Of root nothing goes that has a name elsewhere. */
static void test_hard_links_of_root(void **state) {
        need_root();
        make_directory("tree", 0);
        write_file("victim", 0600, 0);
        assert_int_equal(link("victim", "tree/planted"), 0);
        change(01777, 0);
        assert_is("victim", S_IFREG | 0600, 0);
        assert_is("tree", S_IFDIR | 0755, LATER);
}

static void test_mounts(void **state) {
        need_root();
        if (mount_namespace_leave() < 0)
                skip();
        make_directory("tree", FORMER);
        make_directory("tree/mount", FORMER);
        write_file("tree/file", 0644, FORMER);
        make_directory("victim", 0);
        write_file("victim/file", 0644, 0);
        assert_int_equal(mount("victim", "tree/mount", NULL, MS_BIND, NULL), 0);
        assert_int_equal(mount("victim/file", "tree/file", NULL, MS_BIND, NULL), 0);
        const int one = is_one();
        change(01777, 0);
        assert_int_equal(umount2("tree/mount", MNT_DETACH), 0);
        assert_int_equal(umount2("tree/file", MNT_DETACH), 0);
        assert_int_equal(one, 1);
        assert_is("victim", S_IFDIR | 0755, 0);
        assert_is("victim/file", S_IFREG | 0644, 0);
        assert_is("tree", S_IFDIR | 0755, LATER);
}

/* setfacl(1) makes the list: of the group's bits, those that the list gave to others are gone. */
static void test_access_lists(void **state) {
        need_root();
        make_directory("tree", FORMER);
        write_file("tree/file", 0640, FORMER);
        free(FOREIGN_CHECK("setfacl", "-m", "u:1000:rwx", "tree/file"));
        free(FOREIGN_CHECK("setfacl", "-d", "-m", "u:1000:rwx", "tree"));
        assert_int_equal(is_one(), 0);
        change(01777, 0);
        assert_true(getxattr("tree/file", ACCESS_LIST_ATTRIBUTE, NULL, 0) < 0);
        assert_true(getxattr("tree", ACCESS_LIST_DEFAULT_ATTRIBUTE, NULL, 0) < 0);
        assert_is("tree/file", S_IFREG | 0640, LATER);
        assert_int_equal(is_one(), 1);
}

static void test_one(void **state) {
        need_root();
        make_directory("tree", FORMER);
        make_directory("tree/a", FORMER);
        write_file("tree/a/file", 0644, FORMER);
        assert_int_equal(is_one(), 1);
        assert_int_equal(chmod("tree/a/file", 04755), 0);
        assert_int_equal(is_one(), 0);
        assert_int_equal(chmod("tree/a/file", 0755), 0);
        assert_int_equal(symlink("x", "tree/link"), 0);
        assert_int_equal(is_one(), 0);
        assert_int_equal(lchown("tree/link", FORMER, FORMER), 0);
        assert_int_equal(is_one(), 1);
        assert_int_equal(chown("tree/a/file", FORMER, 0), 0);
        assert_int_equal(is_one(), 0);
}

/* Nested deeper than there are descriptors, and than a path may be long. */
static void test_deep(void **state) {
        need_root();
        make_directory("tree", FORMER);
        int fd = tree_open_here();
        for (int i = 0; i < 3000; i++) {
                assert_int_equal(mkdirat(fd, "d", 0755), 0);
                const int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_true(next >= 0);
                (void)fd_close(fd);
                fd = next;
        }
        struct stat status;
        assert_int_equal(mknodat(fd, "file", S_IFREG | 0644, 0), 0);
        change(01777, 0);
        assert_int_equal(fstatat(fd, "file", &status, 0), 0);
        assert_int_equal(status.st_uid, LATER);
        assert_is("tree", S_IFDIR | 0755, LATER);
        assert_int_equal(is_one(), 1);
        assert_int_equal(fchownat(fd, "file", FORMER, LATER, 0), 0);
        assert_int_equal(is_one(), 0);
        (void)fd_close(fd);
}

/* Many files, in memory: how long that takes is the disk's matter. */
static void test_many(void **state) {
        need_root();
        make_directory("tree", FORMER);
        if (mount_namespace_leave() < 0 || mount("many", "tree", "tmpfs", 0, NULL) < 0)
                skip();
        for (int i = 0; i < 100000; i++) {
                char name[40];

                if (i % 1000 == 0) {
                        (void)snprintf(name, sizeof(name), "tree/%d", i / 1000);
                        make_directory(name, FORMER);
                }
                (void)snprintf(name, sizeof(name), "tree/%d/%d", i / 1000, i);
                assert_int_equal(mknod(name, S_IFREG | 0644, 0), 0);
        }
        change(01777, 0);
        assert_is("tree/99/99999", S_IFREG | 0644, LATER);
        assert_is("tree/0/0", S_IFREG | 0644, LATER);
        assert_int_equal(is_one(), 1);
        assert_int_equal(umount2("tree", MNT_DETACH), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_tree),       unit_test_in_directory(test_mask),
                unit_test_in_directory(test_hard_links), unit_test_in_directory(test_hard_links_of_root),
                unit_test_in_directory(test_mounts),     unit_test_in_directory(test_access_lists),
                unit_test_in_directory(test_one),        unit_test_in_directory(test_deep),
                unit_test_in_directory(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
