/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "exec/exec-isolation.h"
#include "unit/specifier.h"

#define PERSONALITY_ASK  0xffffffffUL
#define PERSONALITY_MASK 0xffUL /* the rest are flags, which stay */

#define IDENTITY_COUNT 65536

/* Personalities */

/* clang-format off */
static const struct {
        const char *name;
        unsigned long personality;
} personalities[] = {
#if defined(__x86_64__)
        { "x86-64",   PER_LINUX }, { "x86", PER_LINUX32 },
#elif defined(__i386__)
        { "x86",      PER_LINUX },
#elif defined(__aarch64__)
        { "arm64",    PER_LINUX }, { "arm", PER_LINUX32 },
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        { "ppc64-le", PER_LINUX },
#elif defined(__powerpc64__)
        { "ppc64",    PER_LINUX }, { "ppc", PER_LINUX32 },
#elif defined(__s390x__)
        { "s390x",    PER_LINUX }, { "s390", PER_LINUX32 },
#elif defined(__riscv)
        { "riscv64",  PER_LINUX },
#endif
        { "native",   PER_LINUX },
};
/* clang-format on */

uint32_t exec_personality_get(void) {
        const int now = personality(PERSONALITY_ASK);

        return now < 0 ? PER_LINUX : (uint32_t)now;
}

int exec_personality_set(const UnitSettings *settings, Reason *reason) {
        const char *const name = settings->personality;

        if (text_is_empty(name))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(personalities); i++) {
                if (!text_equal(personalities[i].name, name))
                        continue;
                const unsigned long flags = exec_personality_get() & ~PERSONALITY_MASK;
                if (personality(flags | personalities[i].personality) < 0)
                        return reason_set(reason, -errno, "Cannot set Personality=%s: %m", name);
                return 0;
        }
        return reason_set(reason, -EINVAL, "Personality=%s: this processor cannot pose as that", name);
}

/* Keys */

static bool has_no_keys(int error) {
        return error == ENOSYS || error == EACCES || error == EPERM || error == EDQUOT;
}

/* A keyring belongs to who the process really is when it is made. */
static int become(const ExecIdentity *identity, uid_t uid, gid_t gid) {
        if (identity->uid == 0 && identity->gid == 0)
                return 0;
        return setregid(gid, (gid_t)-1) < 0 || setreuid(uid, (uid_t)-1) < 0 ? -errno : 0;
}

static int keyring_make(const ExecIdentity *identity, bool shared, Reason *reason) {
        int r = become(identity, identity->uid, identity->gid);
        if (r < 0)
                return reason_set(reason, r, "Cannot make a keyring as the user %u: %m",
                                  (unsigned)identity->uid);
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0)
                return has_no_keys(errno) ? 0
                                          : reason_set(reason, -errno, "Cannot make a session keyring: %m");
        if (shared &&
            syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING, 0, 0) < 0)
                return reason_set(reason, -errno,
                                  "Cannot share the keys of the user (KeyringMode=shared): %m");
        return 0;
}

int exec_keyring_join(const UnitSettings *settings, const ExecIdentity *identity, Reason *reason) {
        const uid_t uid = getuid();
        const gid_t gid = getgid();

        if (settings->keyring_mode == KEYRING_INHERIT)
                return 0;
        int r = keyring_make(identity, settings->keyring_mode == KEYRING_SHARED, reason);
        if (r < 0)
                return r;
        r = become(identity, uid, gid);
        return r < 0 ? reason_set(reason, r, "Cannot become root again behind the keyring: %m") : 0;
}

/* Namespaces of others */

int exec_namespace_join(const char *name, const char *path, int kind, const char *unit, Reason *reason) {
        _cleanup_(freep) char *expanded = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        if (text_is_empty(path))
                return 0;
        const int r = specifier_expand(path, unit, &expanded, reason);
        if (r < 0)
                return r;
        if (expanded[0] != '/')
                return reason_set(reason, -EINVAL, "%s=%s: the path is not absolute", name, expanded);
        fd = open(expanded, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || setns(fd, kind) < 0)
                return reason_set(reason, -errno, "Cannot enter the namespace that %s=%s names: %m", name,
                                  expanded);
        return 0;
}

/* Users */

/* "INSIDE OUTSIDE COUNT" lines. */
static int format_map(unsigned mode, unsigned id, char **ret) {
        if (mode == PRIVATE_USERS_IDENTITY)
                return text_format(ret, "0 0 %d\n", IDENTITY_COUNT);
        return id == 0 ? text_copy("0 0 1\n", ret) : text_format(ret, "0 0 1\n%u %u 1\n", id, id);
}

static int write_file(pid_t pid, const char *name, const char *text) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

static int write_maps(pid_t pid, unsigned mode, const ExecIdentity *identity) {
        _cleanup_(freep) char *users = NULL, *groups = NULL;

        int r = format_map(mode, identity->uid, &users);
        if (r >= 0)
                r = format_map(mode, identity->gid, &groups);
        if (r >= 0)
                r = write_file(pid, "uid_map", users);
        /* More groups than there are names for in the namespace: nobody may set them. */
        if (r >= 0 && mode == PRIVATE_USERS_SELF)
                r = write_file(pid, "setgroups", "deny");
        return r < 0 ? r : write_file(pid, "gid_map", groups);
}

/* Who is in the namespace may not say who is who in it, so a child that is outside does. It waits until there is one; 0 or
 * an errno is how it ends. */
static _Noreturn void map_outside(int go_fd, pid_t pid, unsigned mode, const ExecIdentity *identity) {
        struct pollfd poll_fd = { .fd = go_fd, .events = POLLIN };
        uint64_t number;
        int r = 0;

        if (poll(&poll_fd, 1, -1) < 0 || read(go_fd, &number, sizeof(number)) < 0)
                r = -errno;
        if (r >= 0)
                r = number > 1 ? -ECANCELED : write_maps(pid, mode, identity);
        _exit(MIN(-r, 255));
}

int exec_user_namespace_enter(const UnitSettings *settings, const ExecIdentity *identity, Reason *reason) {
        _cleanup_(fd_closep) int go_fd = -EBADF;
        uint64_t go = 1;
        int status = 0, r = 0;

        if (settings->private_users == PRIVATE_USERS_NO)
                return 0;
        go_fd = eventfd(0, EFD_CLOEXEC);
        const pid_t self = getpid(), child = go_fd < 0 ? -1 : fork();
        if (child < 0)
                return reason_set(reason, -errno, "Cannot make a user namespace for PrivateUsers=: %m");
        if (child == 0)
                map_outside(go_fd, self, settings->private_users, identity);
        if (unshare(CLONE_NEWUSER) < 0) {
                r = -errno;
                go = 2; /* nothing is to be done */
        }
        if (write(go_fd, &go, sizeof(go)) < 0 && r >= 0)
                r = -errno;
        if (waitpid(child, &status, 0) < 0 && r >= 0)
                r = -errno;
        if (r >= 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
                r = WIFEXITED(status) ? -WEXITSTATUS(status) : -ECANCELED;
        return r < 0 ? reason_set(reason, r, "Cannot make a user namespace for PrivateUsers=: %m") : 0;
}
