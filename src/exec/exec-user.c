/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-directories.h"
#include "exec/exec-user.h"
#include "unit/exec-status.h"
#include "unit/specifier.h"
#include "user/ipc-objects.h"
#include "user/user-name.h"

#define PASSWORD_LOCK  "/etc/.pwd.lock"
#define CANDIDATES_MAX 64
#define GROUPS_MAX     65536
#define ENTRY_SIZE_MAX (1024 * 1024)
#define DYNAMIC_HOME   "/"

/* Modules that know dynamic users leave them out as long as these are set: systemd's, and ours. Else every number would be
 * taken by the user that is being made. */
static const char *const bypass_variables[] = { "SYSTEMD_NSS_DYNAMIC_BYPASS", "MKOSI_NSS_BYPASS" };

void exec_identity_done(ExecIdentity *identity) {
        free(identity->user);
        free(identity->home);
        free(identity->shell);
        free(identity->groups);
        *identity = (ExecIdentity){};
}

/* Storage */

typedef struct StoredUser {
        uint32_t uid;
        char name[USER_NAME_SIZE_MAX + 1];
} StoredUser;

typedef union ControlBuffer {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
} ControlBuffer;

/* An address that the kernel chooses, and the socket connected to it: what it sends it gets itself. So there is one object
 * that all share, with one queue and one lock. */
int user_storage_new(int *ret) {
        _cleanup_(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        union {
                struct sockaddr address;
                char bytes[128];
        } own = { .address = { .sa_family = AF_UNIX } };
        socklen_t size = sizeof(own);

        if (fd < 0 || bind(fd, &own.address, sizeof(sa_family_t)) < 0 ||
            getsockname(fd, &own.address, &size) < 0 || connect(fd, &own.address, size) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

int user_storage_lock(int fd, bool wait) {
        if (lockf(fd, wait ? F_LOCK : F_TLOCK, 0) < 0)
                return errno == EACCES ? -EAGAIN : -errno;
        return 0;
}

void user_storage_unlock(int fd) {
        (void)lockf(fd, F_ULOCK, 0);
}

int user_storage_put(int fd, const DynamicUser *user) {
        StoredUser stored = { .uid = user->uid };
        ControlBuffer control = {};
        struct iovec data = { .iov_base = &stored, .iov_len = sizeof(stored) };
        struct msghdr message = {
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };

        assert(user->lock_fd >= 0 && strlen(user->name) < sizeof(stored.name));
        memcpy(stored.name, user->name, strlen(user->name));
        control.head = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET,
                .cmsg_type = SCM_RIGHTS,
                .cmsg_len = CMSG_LEN(sizeof(int)),
        };
        memcpy(CMSG_DATA(&control.head), &user->lock_fd, sizeof(int));
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int user_storage_take(int fd, DynamicUser *ret) {
        _cleanup_(fd_closep) int lock_fd = -EBADF;
        StoredUser stored = {};
        ControlBuffer control = {};
        struct iovec data = { .iov_base = &stored, .iov_len = sizeof(stored) };
        struct msghdr message = {
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };

        const ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EWOULDBLOCK ? -EAGAIN : -errno;
        const struct cmsghdr *const head = CMSG_FIRSTHDR(&message);
        if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
            head->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(&lock_fd, CMSG_DATA(head), sizeof(int));
        stored.name[sizeof(stored.name) - 1] = '\0';
        if (n != sizeof(stored) || lock_fd < 0 || !user_name_is_valid(stored.name))
                return -EBADMSG;

        const int r = text_copy(stored.name, &ret->name);
        if (r < 0)
                return r;
        ret->uid = stored.uid;
        ret->lock_fd = TAKE_FD(lock_fd);
        return 0;
}

bool user_storage_has(int fd) {
        StoredUser stored;

        return recv(fd, &stored, sizeof(stored), MSG_PEEK | MSG_DONTWAIT) == sizeof(stored);
}

/* The name service */

/* One of these functions, with memory that grows until the answer fits. Answers 1 when there is an entry; what it points
 * to is in *memory. The text of a number is asked for as such. */
static int passwd_find(const char *name, const uid_t *uid, struct passwd *ret, char **memory) {
        for (size_t size = 1024; size <= ENTRY_SIZE_MAX; size *= 2) {
                struct passwd *found = NULL;

                free(*memory);
                *memory = malloc(size);
                if (!*memory)
                        return -ENOMEM;
                const int r = name ? getpwnam_r(name, ret, *memory, size, &found)
                                   : getpwuid_r(*uid, ret, *memory, size, &found);
                if (r != ERANGE)
                        return found ? 1 : r == ENOMEM || r == EMFILE || r == ENFILE ? -r : 0;
        }
        return -ERANGE;
}

static int group_find(const char *name, const gid_t *gid, gid_t *ret) {
        for (size_t size = 1024; size <= ENTRY_SIZE_MAX; size *= 2) {
                _cleanup_(freep) char *memory = malloc(size);
                struct group entry, *found = NULL;

                if (!memory)
                        return -ENOMEM;
                const int r = name ? getgrnam_r(name, &entry, memory, size, &found)
                                   : getgrgid_r(*gid, &entry, memory, size, &found);
                if (r == ERANGE)
                        continue;
                if (found && ret)
                        *ret = entry.gr_gid;
                return found ? 1 : r == ENOMEM || r == EMFILE || r == ENFILE ? -r : 0;
        }
        return -ERANGE;
}

static int group_read(const char *text, gid_t *ret, Reason *reason) {
        uint32_t number;

        if (user_number_read(text, &number)) {
                *ret = number;
                return 0;
        }
        const int r = group_find(text, NULL, ret);
        return r > 0    ? 0
               : r == 0 ? reason_set(reason, -ESRCH, "There is no group \"%s\"", text)
                        : reason_set(reason, r, "Cannot look up the group \"%s\": %m", text);
}

/* Users of the host */

static bool shell_is_none(const char *shell) {
        return text_is_empty(shell) || text_ends_with(shell, "/nologin") || text_ends_with(shell, "/false") ||
               text_ends_with(shell, "/true");
}

static int identity_set(const struct passwd *entry, ExecIdentity *identity) {
        identity->uid = entry->pw_uid;
        identity->gid = entry->pw_gid;
        int r = text_copy(entry->pw_name, &identity->user);
        if (r >= 0 && entry->pw_dir && entry->pw_dir[0] == '/')
                r = text_copy(entry->pw_dir, &identity->home);
        if (r >= 0 && !shell_is_none(entry->pw_shell))
                r = text_copy(entry->pw_shell, &identity->shell);
        return r;
}

/* Somebody of whom only the number is known has the group of that number. */
static int static_user(const char *user, ExecIdentity *identity, Reason *reason) {
        _cleanup_(freep) char *memory = NULL;
        struct passwd entry;
        uint32_t number;
        const bool numeric = user_number_read(user, &number);

        const int r = passwd_find(numeric ? NULL : user, &number, &entry, &memory);
        if (r < 0)
                return reason_set(reason, r, "Cannot look up the user \"%s\": %m", user);
        if (r > 0)
                return identity_set(&entry, identity);
        if (!numeric)
                return reason_set(reason, -ESRCH,
                                  "There is no user \"%s\"; make one, or let DynamicUser= do so", user);
        identity->uid = number;
        identity->gid = number;
        return text_copy(user, &identity->user);
}

/* Dynamic users */

/* Whether what the name service says is the dynamic user itself: its record, for instance, that a crash left behind. */
static int is_registered(int registry_fd, const char *name, uid_t uid) {
        _cleanup_(freep) char *link = NULL;
        char text[32];
        uint32_t number;

        const int r = text_format(&link, "direct:%s", name);
        if (r < 0)
                return r;
        const ssize_t n = readlinkat(registry_fd, link, text, sizeof(text) - 1);
        if (n < 0)
                return 0;
        text[n] = '\0';
        return user_number_read(text, &number) && number == uid;
}

/* 1: there is a user of that name who is not dynamic. A group of that name without a user is refused, since the user's
 * group would have to be that one, and its number that of the user. */
static int find_static(int registry_fd, const char *name, ExecIdentity *identity, Reason *reason) {
        _cleanup_(freep) char *memory = NULL;
        struct passwd entry;
        gid_t gid;

        int r = passwd_find(name, NULL, &entry, &memory);
        if (r > 0) {
                r = is_registered(registry_fd, name, entry.pw_uid);
                if (r == 0) {
                        r = identity_set(&entry, identity);
                        return r < 0 ? r : 1;
                }
                return MIN(r, 0);
        }
        if (r == 0)
                r = group_find(name, NULL, &gid);
        if (r > 0) {
                r = is_registered(registry_fd, name, gid);
                if (r == 0)
                        return reason_set(reason, -EILSEQ,
                                          "There is a group \"%s\" but no user of that name; set User= to "
                                          "another name",
                                          name);
                r = MIN(r, 0);
        }
        return r < 0 ? reason_set(reason, r, "Cannot look up \"%s\": %m", name) : 0;
}

static int is_taken(uid_t uid, void *userdata) {
        _cleanup_(freep) char *memory = NULL;
        struct passwd entry;

        int r = passwd_find(NULL, &uid, &entry, &memory);
        if (r == 0)
                r = group_find(NULL, &uid, NULL);
        return r != 0 ? r : ipc_objects_exist(uid);
}

/* Keeps useradd(8) and the like from taking the number meanwhile. Where /etc cannot be written to, neither can they. */
static int lock_passwords(int *ret, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = open(PASSWORD_LOCK, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
        if (fd < 0)
                return errno == EROFS || errno == ENOENT
                               ? 0
                               : reason_set(reason, -errno, "Cannot open " PASSWORD_LOCK ": %m");
        if (lockf(fd, F_LOCK, 0) < 0)
                return reason_set(reason, -errno, "Cannot lock " PASSWORD_LOCK ": %m");
        *ret = TAKE_FD(fd);
        return 0;
}

/* What is wrong with the directories is said by the step that makes them. */
static int find_owners(const UnitSettings *settings, const char *unit, uid_t *ret, size_t *ret_n) {
        _cleanup_(exec_directories_done) ExecDirectories directories = {};
        int exit_status;

        *ret_n = 0;
        const int r = exec_directories_plan(settings, unit, true, &directories, &exit_status, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return exec_directories_owners(&directories, ret, CANDIDATES_MAX, ret_n);
}

static int make_dynamic(const UnitSettings *settings, const char *unit, int registry_fd, const char *name,
                        DynamicUser *ret, Reason *reason) {
        uid_t candidates[CANDIDATES_MAX];
        DynamicUserWish wish = {
                .registry_fd = registry_fd,
                .name = name,
                .candidates = candidates,
                .is_taken = is_taken,
        };

        const int r = find_owners(settings, unit, candidates, &wish.n_candidates);
        return r < 0 ? r : dynamic_user_acquire(&wish, ret, reason);
}

static int set_dynamic(const DynamicUser *user, ExecIdentity *identity) {
        identity->dynamic = true;
        identity->uid = user->uid;
        identity->gid = user->uid;
        const int r = text_copy(user->name, &identity->user);
        return r < 0 ? r : text_copy(DYNAMIC_HOME, &identity->home);
}

/* The storage is locked: what is in it, or else a user of the host, or else a new one, which then is in it. */
static int dynamic_user_locked(const UnitSettings *settings, const char *unit, int registry_fd,
                               int storage_fd, const char *name, ExecIdentity *identity, Reason *reason) {
        _cleanup_(dynamic_user_done) DynamicUser user = { .lock_fd = -EBADF };
        _cleanup_(fd_closep) int password_fd = -EBADF;

        int r = user_storage_take(storage_fd, &user);
        const bool is_new = r == -EAGAIN;
        if (is_new) {
                r = lock_passwords(&password_fd, reason);
                if (r >= 0)
                        r = find_static(registry_fd, name, identity, reason);
                if (r != 0)
                        return MIN(r, 0);
                r = make_dynamic(settings, unit, registry_fd, name, &user, reason);
        }
        if (r < 0)
                return reason_set(reason, r, "Cannot get the dynamic user \"%s\": %m", name);
        r = user_storage_put(storage_fd, &user);
        if (r < 0) {
                if (is_new)
                        dynamic_user_release(registry_fd, &user);
                return reason_set(reason, r, "Cannot keep the dynamic user \"%s\": %m", name);
        }
        return set_dynamic(&user, identity);
}

static int dynamic_identity(const UnitSettings *settings, const char *unit, const char *registry,
                            int storage_fd, const char *name, ExecIdentity *identity, Reason *reason) {
        _cleanup_(fd_closep) int registry_fd = -EBADF;

        if (!user_name_is_valid(name))
                return reason_set(reason, -EINVAL, "\"%s\" cannot be the name of a dynamic user", name);
        if (storage_fd < 0 || !registry)
                return reason_set(reason, -EINVAL, "There is nobody who would keep the dynamic user \"%s\"",
                                  name);
        registry_fd = open(registry, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (registry_fd < 0)
                return reason_set(reason, -errno, "Cannot open the registry of dynamic users, %s: %m",
                                  registry);
        int r = user_storage_lock(storage_fd, true);
        if (r < 0)
                return reason_set(reason, r, "Cannot lock the storage of the dynamic user \"%s\": %m", name);

        for (size_t i = 0; i < ELEMENTSOF(bypass_variables); i++)
                (void)setenv(bypass_variables[i], "1", true);
        r = dynamic_user_locked(settings, unit, registry_fd, storage_fd, name, identity, reason);
        for (size_t i = 0; i < ELEMENTSOF(bypass_variables); i++)
                (void)unsetenv(bypass_variables[i]);
        user_storage_unlock(storage_fd);
        return r;
}

/* Who */

static int find_user(const UnitSettings *settings, const char *unit, const char *registry, int storage_fd,
                     ExecIdentity *identity, Reason *reason) {
        _cleanup_(freep) char *name = NULL;

        int r = user_name_of_service(settings, unit, &name, reason);
        if (r > 0)
                return dynamic_identity(settings, unit, registry, storage_fd, name, identity, reason);
        if (r < 0 || text_is_empty(settings->user))
                return r;
        r = specifier_expand(settings->user, unit, &name, reason);
        if (r < 0)
                return r;
        return static_user(name, identity, reason);
}

static int find_group(const UnitSettings *settings, const char *unit, ExecIdentity *identity,
                      Reason *reason) {
        _cleanup_(freep) char *name = NULL;

        if (!settings->group)
                return 0;
        const int r = specifier_expand(settings->group, unit, &name, reason);
        if (r < 0)
                return r;
        if (identity->dynamic && text_equal(name, identity->user))
                return 0;
        return group_read(name, &identity->gid, reason);
}

/* Those that the user has without being asked. */
static int own_groups(ExecIdentity *identity) {
        const bool by_name = identity->user && !identity->dynamic;
        int n = 0;

        if (identity->dynamic)
                return 0;
        if (by_name)
                (void)getgrouplist(identity->user, identity->gid, NULL, &n);
        else
                n = getgroups(0, NULL);
        if (n < 0 || n > GROUPS_MAX)
                return n < 0 ? -errno : -E2BIG;
        identity->groups = calloc((size_t)n + 1, sizeof(gid_t));
        if (!identity->groups)
                return -ENOMEM;
        if (by_name ? getgrouplist(identity->user, identity->gid, identity->groups, &n) < 0
                    : (n = getgroups(n, identity->groups)) < 0)
                return -EAGAIN;
        identity->n_groups = (size_t)n;
        return 0;
}

static int group_add(ExecIdentity *identity, gid_t gid) {
        for (size_t i = 0; i < identity->n_groups; i++)
                if (identity->groups[i] == gid)
                        return 0;
        gid_t *const grown = reallocarray(identity->groups, identity->n_groups + 1, sizeof(gid_t));
        if (!grown)
                return -ENOMEM;
        identity->groups = grown;
        grown[identity->n_groups++] = gid;
        return 0;
}

static int find_groups(const UnitSettings *settings, const char *unit, ExecIdentity *identity,
                       Reason *reason) {
        int r = own_groups(identity);

        for (char *const *item = settings->supplementary_groups; r >= 0 && item && *item; item++) {
                _cleanup_(freep) char *name = NULL;
                gid_t gid;

                r = specifier_expand(*item, unit, &name, reason);
                if (r >= 0)
                        r = group_read(name, &gid, reason);
                if (r >= 0)
                        r = group_add(identity, gid);
        }
        return r < 0 ? reason_set(reason, r, "Cannot find the groups of the service: %m") : 0;
}

int exec_identity_find(const UnitSettings *settings, const char *unit, const char *registry, int storage_fd,
                       ExecIdentity *ret, int *ret_exit, Reason *reason) {
        _cleanup_(exec_identity_done) ExecIdentity identity = {};

        int r = find_user(settings, unit, registry, storage_fd, &identity, reason);
        if (r < 0) {
                *ret_exit = EXEC_EXIT_USER;
                return r;
        }
        r = find_group(settings, unit, &identity, reason);
        if (r >= 0)
                r = find_groups(settings, unit, &identity, reason);
        if (r < 0) {
                *ret_exit = EXEC_EXIT_GROUP;
                return r;
        }
        *ret = identity;
        identity = (ExecIdentity){};
        return 0;
}
