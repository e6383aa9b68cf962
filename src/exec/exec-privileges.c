/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-privileges.h"
#include "sandbox/sandbox-privileges.h"

#define BIT(capability) (UINT64_C(1) << (capability))

int exec_nice_set(const UnitSettings *settings, Reason *reason) {
        if (!settings->nice.set || setpriority(PRIO_PROCESS, 0, settings->nice.value) == 0)
                return 0;
        return reason_set(reason, -errno, "Cannot set Nice=%d: %m", settings->nice.value);
}

int exec_oom_score_set(const UnitSettings *settings, Reason *reason) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char text[16];

        if (!settings->oom_score_adjust.set)
                return 0;
        (void)snprintf(text, sizeof(text), "%d\n", settings->oom_score_adjust.value);
        fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        const int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
        if (r >= 0)
                return 0;
        (void)reason_set(reason, r, "Cannot set OOMScoreAdjust=%d: %m", settings->oom_score_adjust.value);
        return r == -EACCES || r == -EPERM ? 1 : r;
}

/* Limits */

static rlim_t limit_value(uint64_t value) {
        return value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)value;
}

static int limit_set(__rlimit_resource_t resource, const Limit *limit) {
        struct rlimit wanted = { .rlim_cur = limit_value(limit->soft), .rlim_max = limit_value(limit->hard) };
        struct rlimit before;

        if (setrlimit(resource, &wanted) == 0)
                return 0;
        if (errno != EPERM || getrlimit(resource, &before) < 0)
                return -errno;
        wanted.rlim_max = MIN(wanted.rlim_max, before.rlim_max);
        wanted.rlim_cur = MIN(wanted.rlim_cur, wanted.rlim_max);
        return setrlimit(resource, &wanted) < 0 ? -errno : 0;
}

int exec_limits_set(const UnitSettings *settings, Reason *reason) {
        for (int i = 0; i < SERVICE_LIMITS; i++) {
                if (!settings->limits[i].set)
                        continue;
                const int r = limit_set((__rlimit_resource_t)i, &settings->limits[i]);
                if (r < 0)
                        return reason_set(reason, r, "Cannot set the resource limit number %d: %m", i);
        }
        return 0;
}

/* Capabilities */

static uint64_t all_capabilities(void) {
        uint64_t all = 0;

        for (int i = 0; i < 64 && prctl(PR_CAPBSET_READ, (unsigned long)i, 0, 0, 0) >= 0; i++)
                all |= BIT(i);
        return all;
}

/* One line, on top of what those before it said. */
static int read_line(const char *line, const char *setting, uint64_t inverted_from, bool first,
                     uint64_t *capabilities, Reason *reason) {
        _cleanup_(strv_freep) char **names = NULL;
        const bool inverted = line[0] == '~';
        uint64_t named = 0;

        int r = strv_split(line + inverted, " \t\n\r,", &names);
        for (char **name = names; r >= 0 && name && *name; name++) {
                const int number = sandbox_capability_find(*name);

                if (number < 0)
                        return reason_set(reason, number, "%s=: there is no capability \"%s\"", setting,
                                          *name);
                named |= BIT(number);
        }
        if (r < 0)
                return r;
        if (!inverted)
                *capabilities |= named;
        else
                *capabilities = (first ? inverted_from : *capabilities) & ~named;
        return 0;
}

static int read_lines(char *const *lines, const char *setting, uint64_t *ret, Reason *reason) {
        const uint64_t all = all_capabilities();
        uint64_t capabilities = 0;

        for (char *const *line = lines; line && *line; line++) {
                const int r = read_line(*line, setting, all, line == lines, &capabilities, reason);
                if (r < 0)
                        return r;
        }
        *ret = capabilities;
        return 0;
}

/* What somebody could do with them is what the setting says that the service cannot do. */
static uint64_t implied_away(const UnitSettings *settings) {
        uint64_t away = 0;

        if (settings->private_devices == TRUTH_YES)
                away |= BIT(CAP_MKNOD) | BIT(CAP_SYS_RAWIO);
        if (settings->protect_kernel_modules == TRUTH_YES)
                away |= BIT(CAP_SYS_MODULE);
        if (settings->protect_kernel_logs == TRUTH_YES)
                away |= BIT(CAP_SYSLOG);
        if (settings->protect_clock == TRUTH_YES)
                away |= BIT(CAP_SYS_TIME) | BIT(CAP_WAKE_ALARM);
        return away;
}

static int read_secure_bits(const UnitSettings *settings, unsigned *ret, Reason *reason) {
        /* clang-format off */
        static const struct {
                const char *name;
                unsigned bit;
        } bits[] = {
                { "keep-caps",       SECBIT_KEEP_CAPS },
                { "keep-caps-locked", SECBIT_KEEP_CAPS_LOCKED },
                { "no-setuid-fixup", SECBIT_NO_SETUID_FIXUP },
                { "no-setuid-fixup-locked", SECBIT_NO_SETUID_FIXUP_LOCKED },
                { "noroot",          SECBIT_NOROOT },
                { "noroot-locked",   SECBIT_NOROOT_LOCKED },
        };
        /* clang-format on */
        for (char *const *line = settings->secure_bits; line && *line; line++) {
                _cleanup_(strv_freep) char **words = NULL;

                int r = strv_split(*line, " \t\n\r", &words);
                if (r < 0)
                        return r;
                for (char **word = words; word && *word; word++) {
                        size_t i = 0;

                        while (i < ELEMENTSOF(bits) && !text_equal(bits[i].name, *word))
                                i++;
                        if (i == ELEMENTSOF(bits))
                                return reason_set(reason, -EINVAL, "SecureBits=: there is no bit \"%s\"",
                                                  *word);
                        *ret |= bits[i].bit;
                }
        }
        return 0;
}

int exec_capabilities_read(const UnitSettings *settings, ExecCapabilities *ret, Reason *reason) {
        ExecCapabilities capabilities = { .bounded = settings->capability_bounding_set != NULL };
        const uint64_t away = implied_away(settings);

        int r = read_lines(settings->capability_bounding_set, "CapabilityBoundingSet", &capabilities.bounding,
                           reason);
        if (r >= 0)
                r = read_lines(settings->ambient_capabilities, "AmbientCapabilities", &capabilities.ambient,
                               reason);
        if (r >= 0)
                r = read_secure_bits(settings, &capabilities.secure_bits, reason);
        if (r < 0)
                return r;
        if (away != 0 && !capabilities.bounded)
                capabilities.bounding = all_capabilities();
        capabilities.bounded |= away != 0;
        capabilities.bounding &= ~away;
        capabilities.ambient &= ~away;
        *ret = capabilities;
        return 0;
}

int exec_ambient_clear(Reason *reason) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return reason_set(reason, -errno, "Cannot clear the ambient capabilities: %m");
        return 0;
}

/* The bounding set does not bound what is inherited: a program of root's gets that as well, execve(2) adds it. Whoever started
 * the manager may have had such capabilities, and the ambient ones, which are inheritable always, go with them. */
static int inheritable_bound(uint64_t bounding) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (unsigned i = 0; i < ELEMENTSOF(data); i++)
                data[i].inheritable &= (uint32_t)(bounding >> (32 * i));
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int exec_bounding_set(const ExecCapabilities *capabilities, Reason *reason) {
        const int r = capabilities->bounded ? inheritable_bound(capabilities->bounding) : 0;

        if (r < 0)
                return reason_set(reason, r, "Cannot bound the inheritable capabilities: %m");
        for (int i = 0; capabilities->bounded && i < 64; i++) {
                if (capabilities->bounding & BIT(i))
                        continue;
                const int has = prctl(PR_CAPBSET_READ, (unsigned long)i, 0, 0, 0);
                if (has < 0) /* beyond the last capability of this kernel */
                        return 0;
                if (has > 0 && prctl(PR_CAPBSET_DROP, (unsigned long)i, 0, 0, 0) < 0)
                        return reason_set(reason, -errno, "Cannot set CapabilityBoundingSet=: %m");
        }
        return 0;
}

/* To be ambient, a capability has to be inheritable and permitted. */
static int ambient_set(uint64_t ambient, bool root) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (unsigned i = 0; i < ELEMENTSOF(data); i++) {
                const uint32_t wanted = (uint32_t)(ambient >> (32 * i));

                if (!root)
                        data[i].permitted &= wanted;
                data[i].effective = data[i].permitted;
                data[i].inheritable = wanted;
        }
        if (syscall(SYS_capset, &header, data) < 0)
                return -errno;
        for (int i = 0; i < 64; i++)
                if ((ambient & BIT(i)) &&
                    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)i, 0, 0) < 0)
                        return -errno;
        return 0;
}

/* Who */

int exec_groups_set(const ExecIdentity *identity, Reason *reason) {
        if (setgroups(identity->n_groups, identity->groups) < 0)
                return reason_set(reason, -errno, "Cannot set the supplementary groups: %m");
        if (setresgid(identity->gid, identity->gid, identity->gid) < 0)
                return reason_set(reason, -errno, "Cannot become the group %u: %m", (unsigned)identity->gid);
        return 0;
}

/* The bits take a capability, which somebody who is not root any more has to fetch from what was kept. */
static int secure_bits_set(unsigned bits) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        data[0].effective |= data[0].permitted & (uint32_t)BIT(CAP_SETPCAP);
        if (syscall(SYS_capset, &header, data) < 0 ||
            prctl(PR_SET_SECUREBITS, (unsigned long)bits, 0, 0, 0) < 0)
                return -errno;
        return 0;
}

int exec_user_set(const ExecIdentity *identity, const ExecCapabilities *capabilities, bool *ret_secure_bits,
                  Reason *reason) {
        const bool root = identity->uid == 0, bits = capabilities->secure_bits != 0,
                   keep = (capabilities->ambient || bits) && !root;
        int r = 0;

        *ret_secure_bits = false;
        if (keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return reason_set(reason, -errno, "Cannot keep capabilities: %m");
        if (setresuid(identity->uid, identity->uid, identity->uid) < 0)
                return reason_set(reason, -errno, "Cannot become the user %u: %m", (unsigned)identity->uid);
        if (keep && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
                return reason_set(reason, -errno, "Cannot stop to keep capabilities: %m");
        if (bits) {
                r = secure_bits_set(capabilities->secure_bits);
                *ret_secure_bits = r < 0;
                if (r < 0)
                        return reason_set(reason, r, "Cannot set SecureBits=: %m");
        }
        /* Also where there are none: what was kept goes away, and what could be inherited. */
        if (capabilities->ambient || !root)
                r = ambient_set(capabilities->ambient, root);
        return r < 0 ? reason_set(reason, r, "Cannot set AmbientCapabilities=: %m") : 0;
}
