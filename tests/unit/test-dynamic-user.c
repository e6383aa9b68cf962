/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "temporary-directory.h"
#include "user/dynamic-user.h"

/* The first three are printed in "Dynamic Users with systemd" (2017) and in systemd's issue 38246, the others computed. */
static void test_hash(void **state) {
        static const struct {
                const char *name;
                uid_t uid;
        } cases[] = {
                { "dynamic-user-test", 64642 },
                { "run-u15750", 63122 },
                { "waldo", 61647 },
                { "run-u16087", 63936 },
                { "foobard", 63510 },
                { "systemd-timesync", 62583 },
                { "run-u2850", 61998 },
                { "ip-accounting-test", 61495 },
                { "a", 63801 },
                { "_", 63456 },
                { "www-data-x", 64777 },
                { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 63491 },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(dynamic_user_hash(cases[i].name), cases[i].uid);
}

static int registry_open(void) {
        const int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static DynamicUser acquire(const DynamicUserWish *wish) {
        DynamicUser user = { .lock_fd = -EBADF };
        _cleanup_(reason_done) Reason reason = {};

        const int r = dynamic_user_acquire(wish, &user, &reason);
        if (r < 0)
                fail_msg("%s: %s", wish->name, reason_text(&reason, r));
        return user;
}

static void assert_link(const char *name, const char *target) {
        char text[100] = "";

        const ssize_t n = readlink(name, text, sizeof(text) - 1);
        if (n < 0)
                assert_null(target);
        else
                assert_string_equal(text, target);
}

static void assert_absent(const char *name) {
        struct stat status;

        assert_int_equal(lstat(name, &status), -1);
        assert_int_equal(errno, ENOENT);
}

/* As systemd lays it out, so that both see what the other has. */
static void test_layout(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        _cleanup_(freep) char *content = NULL;
        struct stat status;

        DynamicUser user = acquire(&(DynamicUserWish){ .registry_fd = registry_fd, .name = "waldo" });
        assert_int_equal(user.uid, 61647);
        assert_string_equal(user.name, "waldo");
        assert_int_equal(file_read(AT_FDCWD, "61647", 100, &content, NULL), 0);
        assert_string_equal(content, "waldo\n");
        assert_int_equal(stat("61647", &status), 0);
        assert_int_equal(status.st_mode, S_IFREG | 0600);
        assert_link("direct:61647", "waldo");
        assert_link("direct:waldo", "61647");
        assert_int_equal(fcntl(user.lock_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

        _cleanup_(fd_closep) int fd = open("61647", O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
        assert_int_equal(errno, EWOULDBLOCK);

        dynamic_user_release(registry_fd, &user);
        assert_absent("61647");
        assert_absent("direct:61647");
        assert_absent("direct:waldo");
        assert_int_equal(user.lock_fd, -EBADF);
}

static void test_name_in_use(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        const DynamicUserWish wish = { .registry_fd = registry_fd, .name = "waldo" };
        _cleanup_(reason_done) Reason reason = {};
        DynamicUser other;

        DynamicUser user = acquire(&wish);
        assert_int_equal(dynamic_user_acquire(&wish, &other, &reason), -EEXIST);
        assert_string_equal(reason_text(&reason, -EEXIST),
                            "The dynamic user \"waldo\" is in use by another service");
        dynamic_user_release(registry_fd, &user);
        user = acquire(&wish);
        assert_int_equal(user.uid, 61647);
        dynamic_user_release(registry_fd, &user);
}

/* Owners of directories come first if they are of the range and free; then the hash; then anything. */
static void test_order(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        const uid_t candidates[] = { 0, 1000, 61183, 65520, 63122, 63123 };
        DynamicUserWish wish = { .registry_fd = registry_fd,
                                 .name = "run-u16087",
                                 .candidates = candidates,
                                 .n_candidates = ELEMENTSOF(candidates) };

        DynamicUser first = acquire(&wish);
        assert_int_equal(first.uid, 63122);
        wish.name = "other";
        DynamicUser second = acquire(&wish);
        assert_int_equal(second.uid, 63123);
        wish.name = "run-u16087-x";
        wish.n_candidates = 0;
        DynamicUser third = acquire(&wish);
        assert_int_equal(third.uid, dynamic_user_hash(wish.name));

        /* Somebody has the number of the hash. */
        DynamicUser waldo = acquire(&(DynamicUserWish){ .registry_fd = registry_fd, .name = "waldo" });
        DynamicUser fourth = acquire(&(DynamicUserWish){
                .registry_fd = registry_fd, .name = "waldo2", .candidates = &waldo.uid, .n_candidates = 1 });
        assert_int_not_equal(fourth.uid, waldo.uid);
        assert_true(fourth.uid >= DYNAMIC_USER_FIRST && fourth.uid <= DYNAMIC_USER_LAST);
        dynamic_user_release(registry_fd, &first);
        dynamic_user_release(registry_fd, &second);
        dynamic_user_release(registry_fd, &third);
        dynamic_user_release(registry_fd, &fourth);
        dynamic_user_release(registry_fd, &waldo);
}

/* Every number of a range is found, and none is given twice. */
static void test_exhaustion(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        _cleanup_(reason_done) Reason reason = {};
        DynamicUserWish wish = { .registry_fd = registry_fd, .first = 61200, .last = 61206 };
        DynamicUser users[7], none;
        char names[8][4];
        bool seen[7] = {};

        for (size_t i = 0; i < 8; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "u%zu", i);
                wish.name = names[i];
                if (i == 7)
                        break;
                users[i] = acquire(&wish);
                assert_in_range(users[i].uid, 61200, 61206);
                assert_false(seen[users[i].uid - 61200]);
                seen[users[i].uid - 61200] = true;
        }
        assert_int_equal(dynamic_user_acquire(&wish, &none, &reason), -EBUSY);
        assert_string_equal(reason_text(&reason, -EBUSY),
                            "No user number from 61200 to 61206 is free for \"u7\": too many services with "
                            "DynamicUser= are running");
        assert_absent("direct:u7");

        const uid_t released = users[3].uid;
        dynamic_user_release(registry_fd, &users[3]);
        users[3] = acquire(&wish);
        assert_int_equal(users[3].uid, released);
        for (size_t i = 0; i < 7; i++)
                dynamic_user_release(registry_fd, &users[i]);
}

static int taken_below(uid_t uid, void *userdata) {
        return uid < *(const uid_t *)userdata;
}

static int taken_fails(uid_t uid, void *userdata) {
        return -EIO;
}

/* What is somebody's in another way is passed over, and leaves nothing behind. */
static void test_taken(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        uid_t limit = 61203;
        DynamicUserWish wish = { .registry_fd = registry_fd,
                                 .name = "waldo",
                                 .candidates = (const uid_t[]){ 61202 },
                                 .n_candidates = 1,
                                 .first = 61200,
                                 .last = 61203,
                                 .is_taken = taken_below,
                                 .userdata = &limit };
        _cleanup_(reason_done) Reason reason = {};
        DynamicUser user, none;

        user = acquire(&wish);
        assert_int_equal(user.uid, 61203);
        assert_absent("61200");
        assert_absent("61201");
        assert_absent("61202");
        dynamic_user_release(registry_fd, &user);
        limit = 61204;
        assert_int_equal(dynamic_user_acquire(&wish, &none, NULL), -EBUSY);
        wish.is_taken = taken_fails;
        assert_int_equal(dynamic_user_acquire(&wish, &none, &reason), -EIO);
        assert_non_null(text_after_prefix(reason_text(&reason, -EIO), "Cannot register user number 61202: "));
        assert_absent("61202");
        assert_absent("direct:waldo");
}

/* The manager died: its locks are gone, and all else is there. */
static void test_adoption(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        const DynamicUserWish wish = { .registry_fd = registry_fd, .name = "waldo" };
        DynamicUser user, again = { .lock_fd = -EBADF };

        assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &again), -ENOENT);
        user = acquire(&wish);
        assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &again), -EBUSY);
        dynamic_user_done(&user);
        assert_link("direct:waldo", "61647");

        assert_int_equal(unlink("direct:61647"), 0);
        assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &again), 0);
        assert_string_equal(again.name, "waldo");
        assert_int_equal(again.uid, 61647);
        assert_link("direct:61647", "waldo");
        assert_int_equal(dynamic_user_acquire(&wish, &user, NULL), -EEXIST);
        dynamic_user_release(registry_fd, &again);
        assert_absent("61647");

        /* A lock whose owner was not done says nothing of who has it. */
        static const char *const contents[] = { "", "waldo", "../waldo\n", "\n", "a\nb\n" };
        for (size_t i = 0; i < ELEMENTSOF(contents); i++) {
                assert_int_equal(file_write_text(AT_FDCWD, "61647", contents[i], 0600), 0);
                assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &again), -ENOENT);
        }
}

/* The number of a user who died went to another one: the name is free, and neither can be had twice. */
static void test_after_crash(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        DynamicUserWish wish = { .registry_fd = registry_fd, .name = "old" };
        DynamicUser old = acquire(&wish), other, adopted;
        const uid_t uid = old.uid;
        uid_t limit = UINT32_MAX - 1;

        dynamic_user_done(&old);

        /* While services of it may run, what is written of it stays. */
        other = (DynamicUser){ .lock_fd = -EBADF };
        wish = (DynamicUserWish){ .registry_fd = registry_fd,
                                  .name = "new",
                                  .candidates = &uid,
                                  .n_candidates = 1,
                                  .first = uid,
                                  .last = uid,
                                  .is_taken = taken_below,
                                  .userdata = &limit };
        assert_int_equal(dynamic_user_acquire(&wish, &other, NULL), -EBUSY);
        assert_int_equal(dynamic_user_adopt(registry_fd, uid, &adopted), 0);
        assert_string_equal(adopted.name, "old");
        dynamic_user_done(&adopted);

        wish.is_taken = NULL;
        other = acquire(&wish);
        assert_int_equal(other.uid, uid);
        assert_absent("direct:old");
        char number[16];
        (void)snprintf(number, sizeof(number), "%u", (unsigned)uid);
        assert_link("direct:new", number);
        dynamic_user_release(registry_fd, &other);
}

/* While its old number was nobody's, the name went to another one: the old number cannot be had with that name. */
static void test_adoption_too_late(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        DynamicUserWish wish = { .registry_fd = registry_fd, .name = "waldo" };
        DynamicUser before = acquire(&wish), now, none;

        dynamic_user_done(&before);
        wish.candidates = (const uid_t[]){ 61700 };
        wish.n_candidates = 1;
        now = acquire(&wish);
        assert_int_equal(now.uid, 61700);
        assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &none), -EEXIST);
        assert_link("direct:waldo", "61700");
        dynamic_user_release(registry_fd, &now);
        assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &now), 0);
        dynamic_user_release(registry_fd, &now);
}

/* Only the name's link is left, and leads to a number that somebody else has by now. */
static void test_stale_link(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        DynamicUser waldo = acquire(&(DynamicUserWish){ .registry_fd = registry_fd, .name = "waldo" });

        assert_int_equal(symlink("61647", "direct:other"), 0);
        DynamicUser other = acquire(&(DynamicUserWish){ .registry_fd = registry_fd, .name = "other" });
        assert_int_not_equal(other.uid, 61647);
        dynamic_user_release(registry_fd, &other);

        static const char *const targets[] = { "../x", "", "99999999999", "waldo", "061647" };
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                if (targets[i][0] != '\0')
                        assert_int_equal(symlink(targets[i], "direct:other"), 0);
                other = acquire(&(DynamicUserWish){ .registry_fd = registry_fd, .name = "other" });
                dynamic_user_release(registry_fd, &other);
        }
        dynamic_user_release(registry_fd, &waldo);
}

/* Nothing that lies in the place of a lock is followed or taken for one. */
static void test_planted(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        const DynamicUserWish wish = {
                .registry_fd = registry_fd, .name = "waldo", .first = 61647, .last = 61647
        };
        DynamicUser user;

        assert_int_equal(file_write_text(AT_FDCWD, "victim", "x", 0600), 0);
        assert_int_equal(symlink("victim", "61647"), 0);
        assert_int_equal(dynamic_user_acquire(&wish, &user, NULL), -ELOOP);
        assert_int_equal(dynamic_user_adopt(registry_fd, 61647, &user), -ELOOP);
        assert_int_equal(unlink("61647"), 0);
        assert_int_equal(mkfifo("61647", 0600), 0);
        assert_int_equal(dynamic_user_acquire(&wish, &user, NULL), -EINVAL);
        _cleanup_(freep) char *content = NULL;
        assert_int_equal(file_read(AT_FDCWD, "victim", 10, &content, NULL), 0);
        assert_string_equal(content, "x");
}

/* What lies beside the name of another is not removed. */
static void test_release_is_careful(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        DynamicUser user = acquire(&(DynamicUserWish){ .registry_fd = registry_fd, .name = "waldo" });

        assert_int_equal(unlink("direct:waldo"), 0);
        assert_int_equal(symlink("61700", "direct:waldo"), 0);
        dynamic_user_release(registry_fd, &user);
        assert_link("direct:waldo", "61700");
        assert_absent("direct:61647");
        dynamic_user_release(registry_fd, &user); /* is nobody's any more */
}

/* A number of which files are left is nobody else's, and its own user's the next time. */
static void test_left(void **state) {
        _cleanup_(fd_closep) int registry_fd = registry_open();
        const uid_t candidate = 61647;
        const DynamicUserWish wish = { .registry_fd = registry_fd, .name = "waldo" };

        DynamicUser user = acquire(&wish);
        dynamic_user_leave(registry_fd, &user);
        assert_absent("61647");
        assert_absent("direct:61647");
        assert_absent("direct:waldo");
        assert_link("left:61647", "waldo");

        DynamicUser other = acquire(&(DynamicUserWish){
                .registry_fd = registry_fd,
                .name = "other",
                .candidates = &candidate,
                .n_candidates = 1,
        });
        assert_int_not_equal(other.uid, candidate);
        assert_absent("61647");
        dynamic_user_release(registry_fd, &other);

        user = acquire(&wish);
        assert_int_equal(user.uid, candidate);
        dynamic_user_release(registry_fd, &user);
        assert_absent("left:61647");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hash),
                unit_test_in_directory(test_layout),
                unit_test_in_directory(test_name_in_use),
                unit_test_in_directory(test_order),
                unit_test_in_directory(test_exhaustion),
                unit_test_in_directory(test_taken),
                unit_test_in_directory(test_adoption),
                unit_test_in_directory(test_after_crash),
                unit_test_in_directory(test_adoption_too_late),
                unit_test_in_directory(test_stale_link),
                unit_test_in_directory(test_planted),
                unit_test_in_directory(test_release_is_careful),
                unit_test_in_directory(test_left),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
