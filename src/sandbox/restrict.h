/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Filters of system calls that services ask for, by seccomp(2). For all architectures that the kernel runs: what is not native
 * is refused as soon as there is any filter, where it could get around it. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct RestrictFilter {
        /* RestrictAddressFamilies=: socket(2) with another family is EAFNOSUPPORT; io_uring, which makes sockets
         * without it, is refused (EPERM). */
        bool families;          /* there is a list */
        bool families_allow;    /* and these are allowed, all others not; else the other way round */
        const int *family_list; /* AF_…; sorted */
        size_t n_families;
        /* SystemCallFilter=: numbers by name; what is refused fails with `error`, or kills when that is 0. */
        bool calls;
        bool calls_allow;
        const char *const *call_list; /* names, groups already replaced by their members */
        int error;
        bool memory_deny_write_execute; /* mmap, mprotect, pkey_mprotect, shmat with both are EPERM */
        bool restrict_suid_sgid; /* chmod, open, mkdir, mknod … that set a set-user-ID or set-group-ID bit are EPERM */
} RestrictFilter;

/* Puts the filter into force for this process, for ever; needs CAP_SYS_ADMIN, or no_new_privs, which it sets when the
 * capability is missing. -EOPNOTSUPP with a reason when the kernel has no filters. */
int restrict_apply(const RestrictFilter *filter, Reason *reason);

/* "AF_INET6": its number; -EINVAL. */
int restrict_family(const char *name);

/* A group of system calls, "@file-system": its members, of which some may be groups again; NULL: there is none. */
const char *const *restrict_call_group(const char *name);
/* The words "~", names, groups of SystemCallFilter= with "NAME:ERRNO" are of service/; this only says whether the call is
 * known on any architecture. */
bool restrict_call_exists(const char *name);
