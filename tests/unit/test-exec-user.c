/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "exec-rig.h"
#include "exec/exec-user.h"
#include "unit/unit-load.h"

#define WALDO 61647 /* its hash */

static int find(const char *const *settings, int storage, ExecIdentity *ret, int *ret_exit, Reason *reason) {
        _cleanup_(unit_freep) Unit *unit = NULL;

        assert_int_equal(unit_new_transient("waldo.service", settings, "test", &unit), 0);
        return exec_identity_find(&unit->settings, unit->name, RIG_REGISTRY, storage, ret, ret_exit, reason);
}

#define FIND(storage, identity, ...) \
        find((const char *const[]){ __VA_ARGS__, NULL }, storage, identity, &(int){ 0 }, NULL)

static void test_storage(void **state) {
        DynamicUser user = { .uid = 62000, .lock_fd = -EBADF }, got = { .lock_fd = -EBADF };
        int storage, status;

        assert_int_equal(user_storage_new(&storage), 0);
        assert_int_equal(user_storage_take(storage, &got), -EAGAIN);
        assert_int_equal(text_copy("waldo", &user.name), 0);
        user.lock_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_int_equal(user_storage_put(storage, &user), 0);

        /* Another process finds it, and has the lock meanwhile. */
        assert_int_equal(user_storage_lock(storage, false), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(user_storage_lock(storage, false) == -EAGAIN && user_storage_take(storage, &got) == 0 &&
                                      got.uid == 62000 && user_storage_put(storage, &got) == 0
                              ? 0
                              : 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        user_storage_unlock(storage);

        assert_int_equal(user_storage_take(storage, &got), 0);
        assert_string_equal(got.name, "waldo");
        assert_int_equal(got.uid, 62000);
        assert_true(got.lock_fd >= 0 && got.lock_fd != user.lock_fd);
        assert_int_equal(user_storage_take(storage, &user), -EAGAIN);

        /* What is no datagram of ours. */
        assert_int_equal(write(storage, "x", 1), 1);
        assert_int_equal(user_storage_take(storage, &user), -EBADMSG);
        dynamic_user_done(&user);
        dynamic_user_done(&got);
        (void)fd_close(storage);
}

static void test_static(void **state) {
        static const struct {
                const char *user, *group, *name, *home, *shell;
                uid_t uid;
                gid_t gid;
        } rows[] = {
                { "User=root", NULL, "root", "/root", "/bin/bash", 0, 0 },
                { "User=0", NULL, "root", "/root", "/bin/bash", 0, 0 },
                { "User=daemon", NULL, "daemon", "/usr/sbin", NULL, 1, 1 },
                { "User=1", "Group=adm", "daemon", "/usr/sbin", NULL, 1, 4 },
                { "User=54321", NULL, "54321", NULL, NULL, 54321, 54321 },
                { "User=54321", "Group=5", "54321", NULL, NULL, 54321, 5 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(exec_identity_done) ExecIdentity identity = {};

                assert_int_equal(FIND(-EBADF, &identity, rows[i].user, rows[i].group), 0);
                assert_int_equal(identity.uid, rows[i].uid);
                assert_int_equal(identity.gid, rows[i].gid);
                assert_string_equal(identity.user, rows[i].name);
                assert_string_equal(identity.home ? identity.home : "", rows[i].home ? rows[i].home : "");
                assert_int_equal(identity.shell != NULL, rows[i].shell != NULL);
                assert_false(identity.dynamic);
                assert_true(identity.n_groups >= 1);
        }
}

static void test_groups(void **state) {
        _cleanup_(exec_identity_done) ExecIdentity identity = {}, none = {};

        assert_int_equal(FIND(-EBADF, &identity, "User=daemon", "SupplementaryGroups=adm 4 tty",
                              "SupplementaryGroups=7"),
                         0);
        assert_int_equal(identity.n_groups, 4);
        assert_int_equal(identity.groups[0], 1);
        assert_int_equal(identity.groups[1], 4);
        assert_int_equal(identity.groups[2], 5);
        assert_int_equal(identity.groups[3], 7);

        assert_int_equal(FIND(-EBADF, &none, "Group=adm"), 0);
        assert_null(none.user);
        assert_int_equal(none.uid, 0);
        assert_int_equal(none.gid, 4);
}

static void test_refused(void **state) {
        const struct {
                const char *const *settings;
                int exit;
        } rows[] = {
                { RIG_LIST("User=no-user-of-that-name"), EXEC_EXIT_USER },
                { RIG_LIST("User=4294967295"), EXEC_EXIT_USER },
                { RIG_LIST("User=65535"), EXEC_EXIT_USER },
                { RIG_LIST("User=%!"), EXEC_EXIT_USER },
                { RIG_LIST("Group=no-group-of-that-name"), EXEC_EXIT_GROUP },
                { RIG_LIST("SupplementaryGroups=no-group-of-that-name"), EXEC_EXIT_GROUP },
                { RIG_LIST("DynamicUser=yes"), EXEC_EXIT_USER }, /* nobody would keep it */
                { RIG_LIST("DynamicUser=yes", "User=a.b"), EXEC_EXIT_USER },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(reason_done) Reason reason = {};
                ExecIdentity identity;
                int exit = 0;

                assert_true(find(rows[i].settings, -EBADF, &identity, &exit, &reason) < 0);
                assert_int_equal(exit, rows[i].exit);
                assert_non_null(reason.text);
        }
}

static void release(int storage) {
        DynamicUser user = { .lock_fd = -EBADF };
        const int registry = open(RIG_REGISTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(registry >= 0);
        assert_int_equal(user_storage_take(storage, &user), 0);
        dynamic_user_release(registry, &user);
        (void)fd_close(registry);
}

static void test_dynamic(void **state) {
        _cleanup_(exec_identity_done) ExecIdentity first = {}, second = {}, number = {}, host = {};
        int storage;

        rig_need(state);
        assert_int_equal(user_storage_new(&storage), 0);
        assert_int_equal(FIND(storage, &first, "DynamicUser=yes", "Group=waldo", "SupplementaryGroups=adm"),
                         0);
        assert_true(first.dynamic);
        assert_int_equal(first.uid, WALDO);
        assert_int_equal(first.gid, WALDO);
        assert_int_equal(first.n_groups, 1);
        assert_string_equal(first.user, "waldo");
        assert_int_equal(access(RIG_REGISTRY "/direct:waldo", F_OK) == 0 || errno == ENOENT, true);

        /* The next one of the same name is the same user. */
        assert_int_equal(FIND(storage, &second, "DynamicUser=yes"), 0);
        assert_int_equal(second.uid, WALDO);
        release(storage);

        /* Users of the host take its place, and so do numbers. */
        assert_int_equal(FIND(storage, &number, "DynamicUser=yes", "User=54321"), 0);
        assert_false(number.dynamic);
        assert_int_equal(number.uid, 54321);
        assert_int_equal(FIND(storage, &host, "DynamicUser=yes", "User=daemon"), 0);
        assert_false(host.dynamic);
        assert_int_equal(host.uid, 1);
        assert_int_equal(access(RIG_REGISTRY "/61647", F_OK), -1);

        /* "tty" is a group without a user. */
        _cleanup_(reason_done) Reason reason = {};
        ExecIdentity none;
        int exit = 0;
        assert_int_equal(find(RIG_LIST("DynamicUser=yes", "User=tty"), storage, &none, &exit, &reason),
                         -EILSEQ);
        assert_int_equal(exit, EXEC_EXIT_USER);
        (void)fd_close(storage);
}

/* Numbers that are somebody's: by a lock, by the name service, by what lies in memory; and whose directories they are. */
static void test_numbers(void **state) {
        _cleanup_(exec_identity_done) ExecIdentity shared = {}, owner = {};
        int storage;

        rig_need(state);
        assert_int_equal(user_storage_new(&storage), 0);
        const int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
        struct shmid_ds status;
        assert_true(segment >= 0);
        assert_int_equal(shmctl(segment, IPC_STAT, &status), 0);
        status.shm_perm.uid = WALDO;
        assert_int_equal(shmctl(segment, IPC_SET, &status), 0);
        assert_int_equal(FIND(storage, &shared, "DynamicUser=yes"), 0);
        assert_int_not_equal(shared.uid, WALDO);
        assert_true(shared.uid >= DYNAMIC_USER_FIRST && shared.uid <= DYNAMIC_USER_LAST);
        release(storage);
        assert_int_equal(shmctl(segment, IPC_RMID, NULL), 0);

        assert_int_equal(path_make_directories(AT_FDCWD, "/var/lib/private/waldo", 0755), 0);
        assert_int_equal(chown("/var/lib/private/waldo", 62345, 62345), 0);
        assert_int_equal(FIND(storage, &owner, "DynamicUser=yes", "StateDirectory=waldo"), 0);
        assert_int_equal(owner.uid, 62345);
        release(storage);
        (void)fd_close(storage);
        assert_null(getenv("SYSTEMD_NSS_DYNAMIC_BYPASS"));
}

/* A user of the host with the number, in a /etc/passwd of our own. */
static void test_taken_by_name(void **state) {
        _cleanup_(exec_identity_done) ExecIdentity identity = {};
        int storage;

        rig_need(state);
        assert_int_equal(file_write_text(AT_FDCWD, "/run/passwd",
                                         "root:x:0:0::/root:/bin/sh\nother:x:61647:61647::/:/bin/sh\n", 0644),
                         0);
        assert_int_equal(mount("/run/passwd", "/etc/passwd", NULL, MS_BIND, NULL), 0);
        assert_int_equal(user_storage_new(&storage), 0);
        const int r = FIND(storage, &identity, "DynamicUser=yes");
        assert_int_equal(umount("/etc/passwd"), 0);
        assert_int_equal(r, 0);
        assert_int_not_equal(identity.uid, WALDO);
        release(storage);
        (void)fd_close(storage);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_storage),       cmocka_unit_test(test_static),
                cmocka_unit_test(test_groups),        cmocka_unit_test(test_refused),
                cmocka_unit_test(test_dynamic),       cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_taken_by_name),
        };

        return cmocka_run_group_tests(tests, rig_enter, NULL);
}
