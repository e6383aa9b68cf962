/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>

#include "manager/manager.h"

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        (void)manager_reap_orphans(userdata);
        return 0;
}

int manager_take_process(Manager *manager, sd_event *event) {
        struct rlimit limit;

        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return -errno;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
        (void)signal(SIGPIPE, SIG_IGN);
        return sd_event_add_signal(event, NULL, SIGCHLD | SD_EVENT_SIGNAL_PROCMASK, on_child, manager);
}
