/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filters of system calls that services ask for, by seccomp(2). For all architectures that the kernel runs: what is
 * not native is refused as soon as there is any filter, where it could get around it. */

#include <stdint.h>

#include "base/macro.h"
#include "base/reason.h"

/* What becomes of a system call instead of failing with an errno: the process is killed (SIGSYS). */
#define RESTRICT_KILL 0

/* A system call that is treated in another way than the rest. */
typedef struct RestrictCall {
        const char *name;
        bool allow;
        int error; /* when it is not allowed: an errno, or RESTRICT_KILL */
} RestrictCall;

typedef struct RestrictFilter {
        /* RestrictAddressFamilies=: socket(2) with another family is EAFNOSUPPORT; io_uring, which makes sockets
         * without it, is refused (EPERM). */
        bool families;          /* there is a list */
        bool families_allow;    /* and these are allowed, all others not; else the other way round */
        const int *family_list; /* AF_…; sorted */
        size_t n_families;
        /* SystemCallFilter=: what is in the list as it says; the rest is allowed, or fails with `error`; but what
         * the table of calls does not know, because it is newer, is ENOSYS, so that programs do as with an older
         * kernel. */
        bool calls;
        bool calls_allow; /* the list is what is allowed: the rest is not */
        const RestrictCall *call_list;
        size_t n_calls;
        int error; /* or RESTRICT_KILL */
        /* mmap with PROT_WRITE and PROT_EXEC, mprotect and pkey_mprotect with PROT_EXEC, and shmat with SHM_EXEC
         * are EPERM; where the kernel can (6.3), it also refuses what gets around that. */
        bool memory_deny_write_execute;
        /* chmod, open, mkdir, mknod … that set a set-user-ID or set-group-ID bit are EPERM; openat2, whose mode no
         * filter can see, is ENOSYS, and io_uring, which opens files and makes directories with modes that no filter
         * can see, and which nobody but the process itself can restrict, is refused (EPERM). */
        bool restrict_suid_sgid;
        /* personality(2) with another value than this is EPERM, also where it only asks. */
        bool lock_personality;
        uint32_t personality;
        /* sched_setscheduler(2) with a real-time policy is EPERM; sched_setattr(2), whose policy is in memory, is ENOSYS. */
        bool restrict_realtime;
        /* clone, unshare and setns for namespaces that are not in namespaces_allowed (CLONE_NEW…) are EPERM, so is setns
         * for one of any kind; clone3, whose flags no filter can see, is ENOSYS. */
        bool namespaces;
        uint64_t namespaces_allowed;
        /* Calls by another architecture than the native one and these (NULL at the end) kill the process. */
        bool architectures;
        const char *const *architecture_list;
        /* Calls in the list (NULL at the end), or with log_others those that are not, are written to the kernel's log. */
        bool log, log_others;
        const char *const *log_list;
} RestrictFilter;

/* Puts the filter into force for this process, for ever, with what it executes; needs CAP_SYS_ADMIN, or
 * no_new_privs, which it sets when the capability is missing. -EOPNOTSUPP with a reason when the kernel has no
 * filters. */
int restrict_apply(const RestrictFilter *filter, Reason *reason);

/* "AF_INET6": its number; -EINVAL. */
int restrict_family(const char *name);

/* "EPERM", a number, or "kill": an errno, or RESTRICT_KILL; -EINVAL or -ERANGE for what is none. */
int restrict_error(const char *text, int *ret);

/* A group of system calls, "@file-system": its members, of which some may be groups again; NULL: there is none. */
const char *const *restrict_call_group(const char *name);
/* "x86-64", as SystemCallArchitectures= has it; also "native". */
bool restrict_architecture_exists(const char *name);
/* CLONE_NEWNET for "net"; 0 for what is none. "all" is all of them. */
uint64_t restrict_namespace_flag(const char *name);
/* Whether the call is known on any architecture. */
bool restrict_call_exists(const char *name);
