/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/filter-architecture.h"
#include "sandbox/restrict.h"

#define ERROR_MAX 4095 /* what the kernel takes for one */

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* The names of a multiplexed call differ by the low bits of its first argument; what is above is a version. */
#define IPC_CALL_MASK UINT64_C(0xffff)
#define IPC_SHMAT     21

/* The kernel takes the lower half of an argument that is an int, whatever the upper one holds. */
#define INT_MASK UINT64_C(0xffffffff)

/* The library gives what an architecture does not have numbers below this. */
#define NUMBER_MIN (-10000)

#define CONDITIONS_MAX 2

/* Scheduling policies of the kernel. */
#define POLICY_NORMAL   0
#define POLICY_FIFO     1
#define POLICY_RR       2
#define POLICY_BATCH    3
#define POLICY_RESERVED 4
#define POLICY_IDLE     5 /* those above are deadlines, and what programs in the kernel schedule */

typedef struct Condition {
        unsigned argument;
        uint64_t mask, value;
} Condition;

/* A system call that fails when all conditions are met. */
typedef struct Rule {
        const char *call;
        int error;
        Condition conditions[CONDITIONS_MAX]; /* a mask of zero: none */
        uint32_t architecture;                /* only there; 0: everywhere */
        uint32_t except;                      /* not there; 0: everywhere */
        int number; /* where the library is older than the call; the same on all architectures; 0: it is not */
} Rule;

typedef struct RuleSet {
        const Rule *rules;
        size_t n_rules;
} RuleSet;

#define BITS(argument, bits) \
        { argument, bits, bits }
#define MODE_RULES(call, argument)                      \
        { call, EPERM, { BITS(argument, S_ISUID) } }, { \
                call, EPERM, {                          \
                        BITS(argument, S_ISGID)         \
                }                                       \
        }
#define OPEN_RULES(call, flags, mode)                                                 \
        { call, EPERM, { BITS(flags, O_CREAT), BITS(mode, S_ISUID) } },               \
                { call, EPERM, { BITS(flags, O_CREAT), BITS(mode, S_ISGID) } },       \
                { call, EPERM, { BITS(flags, __O_TMPFILE), BITS(mode, S_ISUID) } }, { \
                call, EPERM, {                                                        \
                        BITS(flags, __O_TMPFILE), BITS(mode, S_ISGID)                 \
                }                                                                     \
        }

/* clang-format off */
/* Does nearly everything without a system call that a filter would see. */
static const Rule ring_rules[] = {
        { "io_uring_setup",    EPERM },
        { "io_uring_enter",    EPERM },
        { "io_uring_register", EPERM },
};

static const Rule memory_rules[] = {
        { "mmap",          EPERM, { BITS(2, PROT_WRITE | PROT_EXEC) }, .except = SCMP_ARCH_S390X },
        { "mmap2",         EPERM, { BITS(2, PROT_WRITE | PROT_EXEC) } },
        /* Its arguments are in memory, out of sight; nothing has called it since there is mmap2. (Of s390x it is
         * the only one: there the kernel has to do without a filter.) */
        { "mmap",          EPERM, { }, SCMP_ARCH_X86 },
        { "mmap",          EPERM, { }, SCMP_ARCH_S390 },
        { "mprotect",      EPERM, { BITS(2, PROT_EXEC) } },
        { "pkey_mprotect", EPERM, { BITS(2, PROT_EXEC) } },
        { "shmat",         EPERM, { BITS(2, SHM_EXEC) } },
        { "ipc",           EPERM, { { 0, IPC_CALL_MASK, IPC_SHMAT }, BITS(2, SHM_EXEC) } },
};

static const Rule mode_rules[] = {
        MODE_RULES("chmod",     1),
        MODE_RULES("fchmod",    1),
        MODE_RULES("fchmodat",  2),
        { "fchmodat2", EPERM, { BITS(2, S_ISUID) }, .number = 452 },
        { "fchmodat2", EPERM, { BITS(2, S_ISGID) }, .number = 452 },
        MODE_RULES("mkdir",     1),
        MODE_RULES("mkdirat",   2),
        MODE_RULES("mknod",     1),
        MODE_RULES("mknodat",   2),
        MODE_RULES("creat",     1),
        OPEN_RULES("open",      1, 2),
        OPEN_RULES("openat",    2, 3),
        { "openat2", ENOSYS },
};

static const Rule realtime_rules[] = {
        { "sched_setscheduler", EPERM, { { 1, INT_MASK, POLICY_FIFO } } },
        { "sched_setscheduler", EPERM, { { 1, INT_MASK, POLICY_RR } } },
        { "sched_setscheduler", EPERM, { { 1, INT_MASK, POLICY_RESERVED } } },
        { "sched_setattr",      ENOSYS },
};

static const struct {
        const char *name;
        uint64_t flag;
} namespaces[] = {
        { "cgroup", CLONE_NEWCGROUP }, { "ipc",  CLONE_NEWIPC },  { "net", CLONE_NEWNET },
        { "mnt",    CLONE_NEWNS },     { "pid",  CLONE_NEWPID },  { "user", CLONE_NEWUSER },
        { "uts",    CLONE_NEWUTS },    { "time", CLONE_NEWTIME },
};
/* clang-format on */

uint64_t restrict_namespace_flag(const char *name) {
        uint64_t all = 0;

        for (size_t i = 0; i < ELEMENTSOF(namespaces); i++) {
                if (text_equal(namespaces[i].name, name))
                        return namespaces[i].flag;
                all |= namespaces[i].flag;
        }
        return text_equal(name, "all") ? all : 0;
}

static void filter_releasep(scmp_filter_ctx *filter) {
        if (*filter)
                seccomp_release(*filter);
}

/* What is newer than the library is known to nobody, or has a number everywhere; 1: there is no such call here. */
static int call_number(uint32_t architecture, const char *name, int fallback, int *ret) {
        const int there = seccomp_syscall_resolve_name_arch(architecture, name);

        if (there == __NR_SCMP_ERROR && fallback == 0)
                return 1;
        if (there != __NR_SCMP_ERROR && there <= NUMBER_MIN)
                return 1;
        /* Rules are added by native numbers, also of calls that are not native. */
        *ret = there == __NR_SCMP_ERROR ? fallback : seccomp_syscall_resolve_name(name);
        return 0;
}

static int rule_add(scmp_filter_ctx filter, uint32_t architecture, const Rule *rule) {
        struct scmp_arg_cmp comparisons[CONDITIONS_MAX];
        unsigned n = 0;
        int number;

        if ((rule->architecture != 0 && rule->architecture != architecture) || rule->except == architecture)
                return 0;
        if (call_number(architecture, rule->call, rule->number, &number) != 0)
                return 0;
        for (; n < CONDITIONS_MAX && rule->conditions[n].mask != 0; n++)
                comparisons[n] = SCMP_CMP(rule->conditions[n].argument, SCMP_CMP_MASKED_EQ,
                                          rule->conditions[n].mask, rule->conditions[n].value);
        const int r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(rule->error), number, n, comparisons);
        return r == -EEXIST ? 0 : r;
}

static int rules_add(scmp_filter_ctx filter, uint32_t architecture, const RuleSet *set, Reason *reason) {
        for (size_t i = 0; i < set->n_rules; i++) {
                const int r = rule_add(filter, architecture, &set->rules[i]);
                if (r < 0)
                        return reason_set(reason, r, "the filter of %s(): %m", set->rules[i].call);
        }
        return 0;
}

static bool family_is_listed(const RestrictFilter *filter, int family) {
        for (size_t i = 0; i < filter->n_families; i++)
                if (filter->family_list[i] == family)
                        return true;
        return false;
}

/* Allowed ones: all below, above and between are refused. Numbers with something in their upper half are above. */
static int families_add(scmp_filter_ctx filter, const RestrictFilter *what) {
        const uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
        const int last = what->n_families > 0 ? what->family_list[what->n_families - 1] : 0;
        int r = 0;

        if (what->families_allow && what->n_families == 0)
                return seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 0);
        if (what->families_allow)
                r = seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1,
                                     SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)last));
        for (int family = 0; r >= 0 && family <= last; family++)
                if (family_is_listed(what, family) != what->families_allow)
                        r = seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1,
                                             SCMP_A0(SCMP_CMP_MASKED_EQ, INT_MASK, (scmp_datum_t)family));
        return r;
}

/* What is above the last policy, flags among it, takes a comparison that rules of bits cannot make. */
static int realtime_add(scmp_filter_ctx filter, uint32_t architecture) {
        int number;

        if (call_number(architecture, "sched_setscheduler", 0, &number) != 0)
                return 0;
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 1, SCMP_A1(SCMP_CMP_GT, POLICY_IDLE));
}

static int personality_add(scmp_filter_ctx filter, uint32_t architecture, uint32_t personality) {
        int number;

        if (call_number(architecture, "personality", 0, &number) != 0)
                return 0;
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 1,
                                SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)personality));
}

/* One kind of namespaces. The lowest byte of clone()'s flags is a signal, so that it makes no namespace of time. */
static int namespace_add(scmp_filter_ctx filter, uint32_t architecture, uint64_t flag) {
        const bool reversed = architecture == SCMP_ARCH_S390 || architecture == SCMP_ARCH_S390X;
        const Rule rules[] = {
                { "unshare", EPERM, { BITS(0, flag) } },
                { "setns", EPERM, { BITS(1, flag) } },
                { "clone", EPERM, { BITS(reversed ? 1 : 0, flag) } },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rules) - (flag == CLONE_NEWTIME); i++)
                r = rule_add(filter, architecture, &rules[i]);
        return r;
}

static int namespaces_add(scmp_filter_ctx filter, uint32_t architecture, uint64_t allowed) {
        static const Rule any[] = {
                { "setns", EPERM, { { 1, INT_MASK, 0 } } },
                { "clone3", ENOSYS },
        };
        int r = 0;

        if ((allowed & restrict_namespace_flag("all")) == restrict_namespace_flag("all"))
                return 0;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(any); i++)
                r = rule_add(filter, architecture, &any[i]);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(namespaces); i++)
                if (!(allowed & namespaces[i].flag))
                        r = namespace_add(filter, architecture, namespaces[i].flag);
        return r;
}

/* What depends on values. */
static int values_add(scmp_filter_ctx filter, uint32_t architecture, const RestrictFilter *what,
                      Reason *reason) {
        int r = 0;

        if (what->families) {
                r = families_add(filter, what);
                if (r < 0)
                        return reason_set(reason, r, "the filter of address families: %m");
        }
        if (what->restrict_realtime)
                r = realtime_add(filter, architecture);
        if (r >= 0 && what->lock_personality)
                r = personality_add(filter, architecture, what->personality);
        if (r >= 0 && what->namespaces)
                r = namespaces_add(filter, architecture, what->namespaces_allowed);
        return r;
}

/* A filter of one architecture with all rules that refuse something and let the rest pass. */
static int refuse_one(scmp_filter_ctx filter, uint32_t architecture, const RestrictFilter *what,
                      Reason *reason) {
        const bool ring = what->families || what->restrict_suid_sgid;
        const RuleSet sets[] = {
                { ring_rules, ring ? ELEMENTSOF(ring_rules) : 0 },
                { memory_rules, what->memory_deny_write_execute ? ELEMENTSOF(memory_rules) : 0 },
                { mode_rules, what->restrict_suid_sgid ? ELEMENTSOF(mode_rules) : 0 },
                { realtime_rules, what->restrict_realtime ? ELEMENTSOF(realtime_rules) : 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
                const int r = rules_add(filter, architecture, &sets[i], reason);
                if (r < 0)
                        return r;
        }
        return values_add(filter, architecture, what, reason);
}

static uint32_t call_action(const RestrictFilter *what, const char *name) {
        const RestrictCall *call = NULL;
        int error = what->calls_allow ? what->error : -1;

        for (size_t i = 0; !call && i < what->n_calls; i++)
                if (text_equal(what->call_list[i].name, name))
                        call = &what->call_list[i];
        if (call)
                error = call->allow ? -1 : call->error;
        return error < 0                ? SCMP_ACT_ALLOW
               : error == RESTRICT_KILL ? SCMP_ACT_KILL_PROCESS
                                        : SCMP_ACT_ERRNO(error);
}

static uint32_t calls_default(const RestrictFilter *what) {
        return what->calls_allow ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW;
}

static int call_add(scmp_filter_ctx filter, uint32_t architecture, const RestrictFilter *what,
                    const char *name, Reason *reason) {
        const uint32_t action = call_action(what, name);
        int number;

        if (action == calls_default(what) || call_number(architecture, name, 0, &number) != 0)
                return 0;
        const int r = seccomp_rule_add(filter, action, number, 0);
        return r < 0 && r != -EEXIST ? reason_set(reason, r, "the filter of %s(): %m", name) : 0;
}

/* Every call that is known is treated as the list says. */
static int calls_one(scmp_filter_ctx filter, uint32_t architecture, const RestrictFilter *what,
                     Reason *reason) {
        for (const char *const *name = restrict_call_group("@known"); *name; name++) {
                const int r = (*name)[0] == '@' ? 0 : call_add(filter, architecture, what, *name, reason);
                if (r < 0)
                        return r;
        }
        /* The library may know some that the table does not. */
        for (size_t i = 0; i < what->n_calls; i++) {
                const int r = call_add(filter, architecture, what, what->call_list[i].name, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int log_add(scmp_filter_ctx filter, uint32_t architecture, const char *name, Reason *reason) {
        int number;

        if (call_number(architecture, name, 0, &number) != 0)
                return 0;
        const int r = seccomp_rule_add(filter, SCMP_ACT_LOG, number, 0);
        return r < 0 && r != -EEXIST ? reason_set(reason, r, "noting %s(): %m", name) : 0;
}

static int log_one(scmp_filter_ctx filter, uint32_t architecture, const RestrictFilter *what,
                   Reason *reason) {
        if (!what->log_others) {
                for (const char *const *name = what->log_list; name && *name; name++) {
                        const int r = log_add(filter, architecture, *name, reason);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        for (const char *const *name = restrict_call_group("@known"); *name; name++) {
                const bool listed = (*name)[0] == '@' || strv_contains(what->log_list, *name);
                const int r = listed ? 0 : log_add(filter, architecture, *name, reason);
                if (r < 0)
                        return r;
        }
        return 0;
}

typedef int (*FilterOne)(scmp_filter_ctx filter, uint32_t architecture, const RestrictFilter *what,
                         Reason *reason);

static int filter_new(uint32_t action, uint32_t architecture, scmp_filter_ctx *ret) {
        _cleanup_(filter_releasep) scmp_filter_ctx filter = seccomp_init(action);

        if (!filter)
                return -ENOMEM;
        if (architecture != seccomp_arch_native()) {
                int r = seccomp_arch_add(filter, architecture);
                if (r >= 0)
                        r = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
                if (r < 0)
                        return r;
        }
        /* What the kernel runs beside these is not known to the filter, and is not to get around it. */
        int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r >= 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
        if (r >= 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
        if (r >= 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
        if (r < 0)
                return r;
        *ret = filter;
        filter = NULL;
        return 0;
}

/* Each architecture has rules of its own, as calls differ in more than their numbers. */
static int filter_build(const RestrictFilter *what, uint32_t action, FilterOne one, scmp_filter_ctx *ret,
                        Reason *reason) {
        _cleanup_(filter_releasep) scmp_filter_ctx all = NULL;

        for (const uint32_t *architecture = filter_architectures(); *architecture != 0; architecture++) {
                _cleanup_(filter_releasep) scmp_filter_ctx filter = NULL;

                int r = filter_new(action, *architecture, &filter);
                if (r < 0)
                        return r;
                r = one(filter, *architecture, what, reason);
                if (r < 0)
                        return r;
                if (all) {
                        r = seccomp_merge(all, filter);
                        if (r < 0)
                                return r;
                } else {
                        all = filter;
                }
                filter = NULL;
        }
        if (!all)
                return reason_set(reason, -EOPNOTSUPP, "system calls of this processor are not known");
        *ret = all;
        all = NULL;
        return 0;
}

static int filter_load(scmp_filter_ctx filter, Reason *reason) {
        int r = seccomp_load(filter);

        if (r == -EACCES) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                        return -errno;
                r = seccomp_load(filter);
        }
        if (r == -EINVAL || r == -ENOSYS)
                return reason_set(reason, -EOPNOTSUPP,
                                  "the kernel has no filters of system calls (CONFIG_SECCOMP_FILTER)");
        return r < 0 ? reason_set(reason, r, "a filter of system calls: %m") : 0;
}

/* Nothing but the check of the architecture, which is made of each call. */
static int architectures_build(const RestrictFilter *what, scmp_filter_ctx *ret) {
        _cleanup_(filter_releasep) scmp_filter_ctx filter = NULL;

        int r = filter_new(SCMP_ACT_ALLOW, seccomp_arch_native(), &filter);
        for (const char *const *name = what->architecture_list; r >= 0 && name && *name; name++) {
                const uint32_t architecture = filter_architecture_find(*name);

                if (architecture != 0 && architecture != seccomp_arch_native())
                        r = seccomp_arch_add(filter, architecture);
                r = r == -EEXIST ? 0 : r;
        }
        if (r < 0)
                return r;
        *ret = filter;
        filter = NULL;
        return 0;
}

int restrict_error(const char *text, int *ret) {
        uint64_t number;

        if (text_equal(text, "kill")) {
                *ret = RESTRICT_KILL;
                return 0;
        }
        if (parse_uint64(text, &number) >= 0) {
                if (number == 0 || number > ERROR_MAX)
                        return -ERANGE;
                *ret = (int)number;
                return 0;
        }
        for (int error = 1; error <= ERROR_MAX; error++) {
                const char *const known = strerrorname_np(error);

                if (known && text_equal(known, text)) {
                        *ret = error;
                        return 0;
                }
        }
        return -EINVAL;
}

bool restrict_architecture_exists(const char *name) {
        return text_equal(name, "native") || filter_architecture_find(name) != 0;
}

/* In the order in which they come into force: the last one may forbid what is needed to load another one. */
typedef enum FilterKind {
        FILTER_ARCHITECTURES,
        FILTER_REFUSE,
        FILTER_LOG,
        FILTER_CALLS,
        FILTER_KINDS
} FilterKind;

static void filters_release(scmp_filter_ctx (*filters)[FILTER_KINDS]) {
        for (size_t i = 0; i < FILTER_KINDS; i++)
                filter_releasep(&(*filters)[i]);
}

static int filters_build(const RestrictFilter *what, scmp_filter_ctx filters[FILTER_KINDS], Reason *reason) {
        const bool refuse = what->families || what->memory_deny_write_execute || what->restrict_suid_sgid ||
                            what->lock_personality || what->restrict_realtime || what->namespaces;
        int r = 0;

        if (what->architectures)
                r = architectures_build(what, &filters[FILTER_ARCHITECTURES]);
        if (r >= 0 && refuse)
                r = filter_build(what, SCMP_ACT_ALLOW, refuse_one, &filters[FILTER_REFUSE], reason);
        if (r >= 0 && what->log)
                r = filter_build(what, SCMP_ACT_ALLOW, log_one, &filters[FILTER_LOG], reason);
        /* A program that searches a tree takes the library longer to make than it ever saves: the kernel goes
         * through the program once for each call that is always allowed, and remembers that. */
        if (r >= 0 && what->calls)
                r = filter_build(what, calls_default(what), calls_one, &filters[FILTER_CALLS], reason);
        return r < 0 ? reason_set(reason, r, "filters of system calls: %m") : 0;
}

int restrict_apply(const RestrictFilter *what, Reason *reason) {
        _cleanup_(filters_release) scmp_filter_ctx filters[FILTER_KINDS] = {};

        int r = filters_build(what, filters, reason);
        if (r < 0)
                return r;
        /* Personalities that make all memory executable, and memory that is written to by way of a file, are beyond
         * filters. */
        if (what->memory_deny_write_execute && prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0 &&
            errno != EINVAL)
                return reason_set(reason, -errno, "memory that is never written to and executed: %m");
        for (size_t i = 0; r >= 0 && i < FILTER_KINDS; i++)
                if (filters[i])
                        r = filter_load(filters[i], reason);
        return r;
}
