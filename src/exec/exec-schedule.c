/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/time-span.h"
#include "exec/exec-schedule.h"

#define IO_PRIORITY_USUAL 4
#define NSEC_PER_USEC     UINT64_C(1000)

int exec_cpu_policy_set(const UnitSettings *settings, Reason *reason) {
        static const int policies[] = {
                [CPU_POLICY_OPEN] = SCHED_OTHER,  [CPU_POLICY_OTHER] = SCHED_OTHER,
                [CPU_POLICY_BATCH] = SCHED_BATCH, [CPU_POLICY_IDLE] = SCHED_IDLE,
                [CPU_POLICY_FIFO] = SCHED_FIFO,   [CPU_POLICY_RR] = SCHED_RR,
        };
        const int policy = policies[settings->cpu_policy],
                  flags = settings->cpu_reset_on_fork == TRUTH_YES ? SCHED_RESET_ON_FORK : 0;
        const bool realtime = policy == SCHED_FIFO || policy == SCHED_RR;
        struct sched_param parameter = { .sched_priority = realtime ? 1 : 0 };

        static_assert(ELEMENTSOF(policies) == CPU_POLICY_MAX, "every word has a policy");
        if (settings->cpu_policy == CPU_POLICY_OPEN && flags == 0)
                return 0;
        if (realtime && settings->cpu_priority.set)
                parameter.sched_priority = settings->cpu_priority.value;
        if (sched_setscheduler(0, policy | flags, &parameter) < 0)
                return reason_set(reason, -errno, "Cannot set CPUSchedulingPolicy= with the priority %d: %m",
                                  parameter.sched_priority);
        return 0;
}

/* "3", or "0-3". */
static int read_range(const char *text, cpu_set_t *set) {
        _cleanup_(freep) char *first = strndup(text, strcspn(text, "-"));
        const char *const dash = strchr(text, '-');
        uint64_t from, to;

        if (!first)
                return -ENOMEM;
        if (parse_uint64(first, &from) < 0 || parse_uint64(dash ? dash + 1 : text, &to) < 0 || from > to ||
            to >= CPU_SETSIZE)
                return -EINVAL;
        for (uint64_t i = from; i <= to; i++)
                CPU_SET(i, set);
        return 0;
}

int exec_cpu_affinity_set(const UnitSettings *settings, Reason *reason) {
        cpu_set_t set;

        if (strv_length(STRV(settings->cpu_affinity)) == 0)
                return 0;
        CPU_ZERO(&set);
        for (char *const *line = settings->cpu_affinity; *line; line++) {
                _cleanup_(strv_freep) char **words = NULL;

                int r = strv_split(*line, " \t\n\r,", &words);
                for (char **word = words; r >= 0 && word && *word; word++) {
                        r = read_range(*word, &set);
                        if (r == -EINVAL)
                                return reason_set(
                                        reason, r,
                                        "CPUAffinity=%s: no number of a processor, and no range of them",
                                        *word);
                }
                if (r < 0)
                        return r;
        }
        return sched_setaffinity(0, sizeof(set), &set) < 0
                       ? reason_set(reason, -errno, "Cannot set CPUAffinity=: %m")
                       : 0;
}

int exec_io_priority_set(const UnitSettings *settings, Reason *reason) {
        static const int classes[] = {
                [IO_CLASS_OPEN] = IOPRIO_CLASS_BE,     [IO_CLASS_NONE] = IOPRIO_CLASS_NONE,
                [IO_CLASS_REALTIME] = IOPRIO_CLASS_RT, [IO_CLASS_BEST_EFFORT] = IOPRIO_CLASS_BE,
                [IO_CLASS_IDLE] = IOPRIO_CLASS_IDLE,
        };
        const int class = classes[settings->io_class];
        const bool ranked = class == IOPRIO_CLASS_RT || class == IOPRIO_CLASS_BE;
        const int priority = settings->io_priority.set ? settings->io_priority.value : IO_PRIORITY_USUAL;

        static_assert(ELEMENTSOF(classes) == IO_CLASS_MAX, "every word has a class");
        if (settings->io_class == IO_CLASS_OPEN && !settings->io_priority.set)
                return 0;
        if (priority < 0 || priority >= IOPRIO_NR_LEVELS)
                return reason_set(reason, -EINVAL, "IOSchedulingPriority=%d: not between 0 and 7", priority);
        if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, ranked ? priority : 0)) <
            0)
                return reason_set(reason, -errno, "Cannot set IOSchedulingClass=: %m");
        return 0;
}

int exec_timer_slack_set(const UnitSettings *settings, Reason *reason) {
        const char *const text = settings->timer_slack;
        uint64_t nsec, usec;

        if (text_is_empty(text))
                return 0;
        if (parse_uint64(text, &nsec) < 0) {
                if (time_span_parse(text, &usec) < 0 || usec > UINT64_MAX / NSEC_PER_USEC)
                        return reason_set(reason, -EINVAL, "TimerSlackNSec=%s: no length of time", text);
                nsec = usec * NSEC_PER_USEC;
        }
        return prctl(PR_SET_TIMERSLACK, (unsigned long)nsec, 0, 0, 0) < 0
                       ? reason_set(reason, -errno, "Cannot set TimerSlackNSec=: %m")
                       : 0;
}
