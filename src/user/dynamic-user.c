/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/siphash.h"
#include "base/text.h"
#include "user/dynamic-user.h"
#include "user/user-name.h"

#define LINK_TARGET_MAX 64
#define UID_NONE        ((uid_t)-1)

/* That of systemd: a name has the same number there. */
static const uint8_t number_key[SIPHASH_KEY_SIZE] = {
        0x37, 0x53, 0x7e, 0x31, 0xcf, 0xce, 0x48, 0xf5, 0x8a, 0xbb, 0x39, 0x57, 0x8d, 0xd9, 0xec, 0x59,
};

static uid_t range_pick(uint32_t number, uid_t first, uid_t last) {
        return first + number % (last - first + 1);
}

static uid_t hash_in_range(const char *name, uid_t first, uid_t last) {
        return range_pick((uint32_t)siphash24(number_key, name, strlen(name)), first, last);
}

uid_t dynamic_user_hash(const char *name) {
        return hash_in_range(name, DYNAMIC_USER_FIRST, DYNAMIC_USER_LAST);
}

typedef struct NumberText {
        char lock[16], link[24], left[24]; /* "61184", "direct:61184", "left:61184" */
} NumberText;

static NumberText number_text(uid_t uid) {
        NumberText text;

        (void)snprintf(text.lock, sizeof(text.lock), "%u", (unsigned)uid);
        (void)snprintf(text.link, sizeof(text.link), "direct:%u", (unsigned)uid);
        (void)snprintf(text.left, sizeof(text.left), "left:%u", (unsigned)uid);
        return text;
}

/* The lock of a file that is still there: whoever had it before us may have removed it meanwhile. */
static int lock_take(int registry_fd, const char *name, bool create, int *ret) {
        for (;;) {
                _cleanup_(fd_closep) int fd = -EBADF;
                struct stat status;

                fd = openat(registry_fd, name,
                            O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (create ? O_CREAT : 0), 0600);
                if (fd < 0)
                        return -errno;
                if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                        return errno == EWOULDBLOCK ? -EBUSY : -errno;
                if (fstat(fd, &status) < 0)
                        return -errno;
                if (!S_ISREG(status.st_mode))
                        return -EINVAL;
                if (status.st_nlink == 0)
                        continue;
                *ret = TAKE_FD(fd);
                return 0;
        }
}

static int lock_write(int fd, const char *name) {
        _cleanup_(freep) char *line = NULL;

        const int r = text_format(&line, "%s\n", name);
        if (r < 0)
                return r;
        if (ftruncate(fd, 0) < 0)
                return -errno;
        return fd_pwrite_all(fd, line, strlen(line), 0);
}

/* The name in a lock; -ENOENT when there is none, because its owner is not done or died. */
static int lock_read(int fd, char **ret) {
        char name[USER_NAME_SIZE_MAX + 2] = "";

        const ssize_t n = pread(fd, name, sizeof(name) - 1, 0);
        if (n < 0)
                return -errno;
        if (n == 0 || name[n - 1] != '\n')
                return -ENOENT;
        name[n - 1] = '\0';
        return user_name_is_valid(name) ? text_copy(name, ret) : -ENOENT;
}

/* In place at once, whether it was there or not. */
static int link_put(int registry_fd, const char *target, const char *name) {
        char temporary[NAME_MAX + 1];

        (void)snprintf(temporary, sizeof(temporary), ".#%s", name);
        (void)unlinkat(registry_fd, temporary, 0);
        if (symlinkat(target, registry_fd, temporary) < 0)
                return -errno;
        if (renameat(registry_fd, temporary, registry_fd, name) < 0) {
                const int r = -errno;

                (void)unlinkat(registry_fd, temporary, 0);
                return r;
        }
        return 0;
}

static bool link_leads_to(int registry_fd, const char *name, const char *target) {
        char text[LINK_TARGET_MAX];

        const ssize_t n = readlinkat(registry_fd, name, text, sizeof(text) - 1);
        if (n < 0)
                return false;
        text[n] = '\0';
        return text_equal(text, target);
}

/* Whether another user's files are left that have the number: 1 or 0. */
static int is_left_by_other(int registry_fd, const NumberText *number, const char *name) {
        struct stat status;

        if (fstatat(registry_fd, number->left, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        return !link_leads_to(registry_fd, number->left, name);
}

static int links_put(int registry_fd, const char *name, const NumberText *number) {
        _cleanup_(freep) char *name_link = NULL;

        int r = text_format(&name_link, "direct:%s", name);
        if (r >= 0)
                r = link_put(registry_fd, name, number->link);
        if (r >= 0)
                r = link_put(registry_fd, number->lock, name_link);
        return r;
}

/* Of the name's link only what leads to this number: it may be somebody else's by now. */
static void links_remove(int registry_fd, const char *name, const NumberText *number) {
        _cleanup_(freep) char *name_link = NULL;

        (void)unlinkat(registry_fd, number->link, 0);
        if (text_format(&name_link, "direct:%s", name) >= 0 &&
            link_leads_to(registry_fd, name_link, number->lock))
                (void)unlinkat(registry_fd, name_link, 0);
}

void dynamic_user_done(DynamicUser *user) {
        free(user->name);
        user->lock_fd = fd_close(user->lock_fd);
        *user = (DynamicUser){ .lock_fd = -EBADF };
}

/* The lock goes last: who gets the number then finds nothing else of it. */
static void user_forget(int registry_fd, const DynamicUser *user) {
        const NumberText number = number_text(user->uid);

        links_remove(registry_fd, user->name, &number);
        (void)unlinkat(registry_fd, number.lock, 0);
}

/* Removes what a user left behind who had this number before, and died. */
static void forget_previous(int registry_fd, const char *previous, const char *name,
                            const NumberText *number) {
        if (previous && !text_equal(previous, name))
                links_remove(registry_fd, previous, number);
}

static int user_register(const DynamicUserWish *wish, const char *previous, const DynamicUser *user) {
        const NumberText number = number_text(user->uid);

        forget_previous(wish->registry_fd, previous, user->name, &number);
        const int r = lock_write(user->lock_fd, user->name);
        return r < 0 ? r : links_put(wish->registry_fd, user->name, &number);
}

/* One number: -EBUSY when it is somebody's. */
static int try_number(const DynamicUserWish *wish, uid_t uid, DynamicUser *ret, Reason *reason) {
        _cleanup_(dynamic_user_done) DynamicUser user = { .uid = uid, .lock_fd = -EBADF };
        const NumberText number = number_text(uid);
        _cleanup_(freep) char *previous = NULL;

        int r = lock_take(wish->registry_fd, number.lock, true, &user.lock_fd);
        if (r < 0)
                return r == -EBUSY ? r
                                   : reason_set(reason, r, "Cannot lock user number %u: %m", (unsigned)uid);

        r = lock_read(user.lock_fd, &previous);
        if (r >= 0 || r == -ENOENT)
                r = text_copy(wish->name, &user.name);
        if (r >= 0)
                r = is_left_by_other(wish->registry_fd, &number, wish->name);
        if (r == 0 && wish->is_taken)
                r = wish->is_taken(uid, wish->userdata);
        if (r == 0)
                r = user_register(wish, previous, &user);
        else if (r > 0) {
                /* Who had it before may still run, and be looked for by what is written here. */
                if (!previous)
                        (void)unlinkat(wish->registry_fd, number.lock, 0);
                return -EBUSY;
        }
        if (r < 0) {
                if (!previous && user.name)
                        user_forget(wish->registry_fd, &user);
                return reason_set(reason, r, "Cannot register user number %u: %m", (unsigned)uid);
        }
        *ret = user;
        user = (DynamicUser){ .lock_fd = -EBADF };
        return 0;
}

/* The numbers in the order in which they are tried: candidates, the hash, and then all from a random one on, round. */
static uid_t number_choose(const DynamicUserWish *wish, size_t i, uid_t first, uid_t last, uid_t start) {
        if (i < wish->n_candidates)
                return wish->candidates[i];
        if (i == wish->n_candidates)
                return hash_in_range(wish->name, first, last);
        return range_pick((uint32_t)(start + (i - wish->n_candidates - 1)), first, last);
}

/* Whether a user of that name exists already, with another number than that: its links lead to a number and back, and
 * the lock of that is held. What only the name's link says may be left of a user who died; somebody else can have the
 * number now. */
static int name_is_in_use(int registry_fd, const char *name, uid_t except) {
        _cleanup_(freep) char *link = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        char text[LINK_TARGET_MAX];
        uint64_t uid;

        int r = text_format(&link, "direct:%s", name);
        if (r < 0)
                return r;
        const ssize_t n = readlinkat(registry_fd, link, text, sizeof(text) - 1);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;
        text[n] = '\0';
        if (parse_uint64(text, &uid) < 0 || uid > UINT32_MAX || uid == except)
                return 0;
        const NumberText number = number_text((uid_t)uid);
        if (!link_leads_to(registry_fd, number.link, name))
                return 0;
        r = lock_take(registry_fd, number.lock, false, &fd);
        return r == -EBUSY ? 1 : r == -ENOENT ? 0 : r;
}

static int acquire_locked(const DynamicUserWish *wish, DynamicUser *ret, Reason *reason) {
        const uid_t first = wish->first ? wish->first : DYNAMIC_USER_FIRST,
                    last = wish->last ? wish->last : DYNAMIC_USER_LAST;
        const size_t n_tries = wish->n_candidates + 1 + (last - first + 1);
        uint16_t start;

        assert(first <= last);
        int r = name_is_in_use(wish->registry_fd, wish->name, UID_NONE);
        if (r > 0)
                return reason_set(reason, -EEXIST, "The dynamic user \"%s\" is in use by another service",
                                  wish->name);
        if (r < 0)
                return reason_set(reason, r, "Cannot look whether the user \"%s\" exists: %m", wish->name);
        if (getrandom(&start, sizeof(start), 0) != sizeof(start))
                return reason_set(reason, -errno, "Cannot get random bytes: %m");

        for (size_t i = 0; i < n_tries; i++) {
                const uid_t uid = number_choose(wish, i, first, last, start);

                if (uid < first || uid > last)
                        continue;
                r = try_number(wish, uid, ret, reason);
                if (r != -EBUSY)
                        return r;
        }
        return reason_set(
                reason, -EBUSY,
                "No user number from %u to %u is free for \"%s\": too many services with DynamicUser= "
                "are running",
                (unsigned)first, (unsigned)last, wish->name);
}

/* One at a time, in the whole system: two of the same name would not notice each other, and a lock that is only looked
 * at would seem to be held. */
static int registry_lock(int registry_fd, int *ret) {
        _cleanup_(fd_closep) int fd = openat(registry_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

static void user_give_back(int registry_fd, DynamicUser *user, bool left) {
        const NumberText number = number_text(user->uid);
        _cleanup_(fd_closep) int fd = -EBADF;

        if (user->lock_fd >= 0) {
                (void)registry_lock(registry_fd, &fd);
                if (!left)
                        (void)unlinkat(registry_fd, number.left, 0);
                /* If that cannot be said either, the lock stays, and who looks at it next sees whose it was. */
                if (!left || link_put(registry_fd, user->name, number.left) >= 0)
                        user_forget(registry_fd, user);
        }
        dynamic_user_done(user);
}

void dynamic_user_release(int registry_fd, DynamicUser *user) {
        user_give_back(registry_fd, user, false);
}

void dynamic_user_leave(int registry_fd, DynamicUser *user) {
        user_give_back(registry_fd, user, true);
}

int dynamic_user_acquire(const DynamicUserWish *wish, DynamicUser *ret, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;

        assert(user_name_is_valid(wish->name));
        const int r = registry_lock(wish->registry_fd, &fd);
        return r < 0 ? reason_set(reason, r, "Cannot lock the registry of dynamic users: %m")
                     : acquire_locked(wish, ret, reason);
}

int dynamic_user_adopt(int registry_fd, uid_t uid, DynamicUser *ret) {
        _cleanup_(dynamic_user_done) DynamicUser user = { .uid = uid, .lock_fd = -EBADF };
        const NumberText number = number_text(uid);
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = registry_lock(registry_fd, &fd);
        if (r >= 0)
                r = lock_take(registry_fd, number.lock, false, &user.lock_fd);
        if (r >= 0)
                r = lock_read(user.lock_fd, &user.name);
        if (r >= 0)
                r = name_is_in_use(registry_fd, user.name, uid);
        if (r > 0)
                return -EEXIST;
        if (r >= 0)
                r = links_put(registry_fd, user.name, &number);
        if (r < 0)
                return r;
        *ret = user;
        user = (DynamicUser){ .lock_fd = -EBADF };
        return 0;
}
