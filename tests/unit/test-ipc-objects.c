/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mount-namespace.h"
#include "base/tree.h"
#include "user/ipc-objects.h"

#define UID   61300
#define OTHER 61301

/* Objects of our own namespace, and a /dev/shm that nobody else sees. */
static int enter_namespaces(void **state) {
        if (geteuid() != 0)
                return 0;
        if (mount_namespace_leave() < 0 || unshare(CLONE_NEWIPC) < 0)
                return -1;
        return mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
}

#define need_root()             \
        do {                    \
                if (geteuid())  \
                        skip(); \
        } while (0)

/* Runs the function as the user; it answers 0. */
static void run_as(uid_t uid, gid_t gid, int (*function)(void)) {
        int status;

        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                        _exit(100);
                _exit(function() == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static int make_shared_memory(void) {
        return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) < 0;
}

static int make_semaphores(void) {
        return semget(IPC_PRIVATE, 1, IPC_CREAT | 0600) < 0;
}

static int make_system_v_queue(void) {
        return msgget(IPC_PRIVATE, IPC_CREAT | 0600) < 0;
}

static int make_posix_queue(void) {
        return mq_open("/queue", O_CREAT | O_EXCL | O_RDWR, 0600, NULL) < 0;
}

static int make_file(void) {
        return open("/dev/shm/file", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600) < 0;
}

static int make_link(void) {
        return symlink("/etc", "/dev/shm/link");
}

static int make_tree(void) {
        return mkdir("/dev/shm/tree", 0700) < 0 || mkdir("/dev/shm/tree/a", 0700) < 0 ||
               mkdir("/dev/shm/tree/a/b", 0700) < 0 ||
               file_write_text(AT_FDCWD, "/dev/shm/tree/a/b/file", "x", 0600) < 0 ||
               file_write_text(AT_FDCWD, "/dev/shm/tree/a/.hidden", "x", 0600) < 0;
}

/* Deeper than there are descriptors. */
static int make_deep_tree(void) {
        if (chdir("/dev/shm") < 0)
                return -1;
        for (size_t i = 0; i < 1500; i++)
                if (mkdir("d", 0700) < 0 || chdir("d") < 0)
                        return -1;
        return file_write_text(AT_FDCWD, "file", "x", 0600);
}

static int (*const makers[])(void) = {
        make_shared_memory, make_semaphores, make_system_v_queue, make_posix_queue,
        make_file,          make_link,       make_tree,           make_deep_tree,
};

static void assert_left(uid_t uid, bool left) {
        const int r = ipc_objects_exist(uid);

        if (r != left)
                fail_msg("of user %u: %d", (unsigned)uid, r);
}

static void assert_removed(uid_t uid, gid_t gid) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = ipc_objects_remove(uid, gid, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
}

/* Each kind is found, as the user's and as the group's, and goes away; another user's stays. */
static void test_kinds(void **state) {
        need_root();
        for (size_t i = 0; i < ELEMENTSOF(makers); i++) {
                assert_left(UID, false);
                run_as(UID, OTHER, makers[i]);
                assert_left(UID, true);
                assert_left(OTHER, true); /* as a group */
                assert_left(61302, false);
                assert_removed(61302, 61302);
                assert_left(UID, true);
                assert_removed(OTHER, IPC_GROUP_NONE);
                assert_left(UID, true);
                assert_removed(UID, IPC_GROUP_NONE);
                assert_left(UID, false);

                run_as(UID, OTHER, makers[i]);
                assert_removed(OTHER, OTHER);
                assert_left(UID, false);
                assert_left(OTHER, false);
        }
}

/* Memory that a process has attached is that of the process. */
static void test_attached(void **state) {
        need_root();
        const int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        struct shmid_ds status;

        assert_true(id >= 0);
        assert_int_equal(shmctl(id, IPC_STAT, &status), 0);
        status.shm_perm.uid = UID;
        assert_int_equal(shmctl(id, IPC_SET, &status), 0);
        assert_left(UID, true);
        void *const memory = shmat(id, NULL, 0);
        assert_true(memory != (void *)-1);
        assert_left(UID, false);
        assert_int_equal(shmdt(memory), 0);
        assert_left(UID, true);
        assert_removed(UID, UID);
        assert_left(UID, false);
}

static int make_open_directory(void) {
        return mkdir("/dev/shm/open", 0700) < 0 || chmod("/dev/shm/open", 0777) < 0 ||
               file_write_text(AT_FDCWD, "/dev/shm/open/mine", "x", 0600) < 0;
}

static int make_in_open_directory(void) {
        return file_write_text(AT_FDCWD, "/dev/shm/open/others", "x", 0600);
}

/* What somebody else has put among it stays, and so does the directory around it. */
static void test_others_files(void **state) {
        _cleanup_(reason_done) Reason reason = {};
        struct stat status;

        need_root();
        run_as(UID, UID, make_open_directory);
        run_as(OTHER, OTHER, make_in_open_directory);
        assert_int_equal(ipc_objects_remove(UID, UID, &reason), -ENOTEMPTY);
        assert_string_equal(reason_text(&reason, -ENOTEMPTY),
                            "Cannot remove a file in /dev/shm of user 61300: Directory not empty");
        assert_int_equal(lstat("/dev/shm/open/mine", &status), -1);
        assert_int_equal(lstat("/dev/shm/open/others", &status), 0);
        assert_removed(OTHER, OTHER);
        assert_removed(UID, UID);
        assert_left(UID, false);
}

/* Directories of somebody else's, in which everybody may make something. */
static int make_deep_open_tree(void) {
        if (chdir("/dev/shm") < 0)
                return -1;
        for (size_t i = 0; i < 200; i++)
                if (mkdir("open", 0700) < 0 || chmod("open", 0777) < 0 || chdir("open") < 0)
                        return -1;
        return 0;
}

static int make_deep_inside(void) {
        if (chdir("/dev/shm") < 0)
                return -1;
        for (size_t i = 0; i < 200; i++)
                if (chdir("open") < 0)
                        return -1;
        return file_write_text(AT_FDCWD, "mine", "x", 0600) < 0 || mkdir("directory", 0700) < 0;
}

/* What the user has made far below what is not the user's is found, and goes away. */
static void test_deep_inside(void **state) {
        need_root();
        run_as(OTHER, OTHER, make_deep_open_tree);
        assert_left(UID, false);
        run_as(UID, UID, make_deep_inside);
        assert_left(UID, true);
        assert_removed(UID, UID);
        assert_left(UID, false);
        assert_left(OTHER, true);
        assert_removed(OTHER, OTHER);
        assert_left(OTHER, false);
}

static int make_hidden(void) {
        return file_write_text(AT_FDCWD, "/dev/shm/open/file", "x", 0600);
}

/* What is mounted there is not of it; what one kind has in the way keeps no other from being looked at. */
static void test_mounts(void **state) {
        struct stat status;

        need_root();
        assert_int_equal(mkdir("/dev/shm/open", 0777), 0);
        assert_int_equal(mount("tmpfs", "/dev/shm/open", "tmpfs", 0, "mode=1777"), 0);
        run_as(UID, UID, make_hidden);
        assert_left(UID, false);
        run_as(UID, UID, make_posix_queue);
        assert_removed(UID, UID);
        assert_left(UID, false);
        assert_int_equal(lstat("/dev/shm/open/file", &status), 0);
        assert_int_equal(umount("/dev/shm/open"), 0);
        assert_int_equal(rmdir("/dev/shm/open"), 0);
}

static void test_root(void **state) {
        assert_int_equal(ipc_objects_remove(0, IPC_GROUP_NONE, NULL), -EINVAL);
        assert_int_equal(ipc_objects_remove(UID, 0, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),        cmocka_unit_test(test_attached),
                cmocka_unit_test(test_others_files), cmocka_unit_test(test_mounts),
                cmocka_unit_test(test_deep_inside),  cmocka_unit_test(test_root),
        };

        return cmocka_run_group_tests(tests, enter_namespaces, NULL);
}
