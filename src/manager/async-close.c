/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/fd.h"
#include "manager/async-close.h"

typedef struct Closing {
        Manager *manager;
        AsyncCloseDone done;
        int pid_fd;
} Closing;

static void close_all(const int *fds, size_t n_fds) {
        for (size_t i = 0; i < n_fds; i++)
                (void)fd_close(fds[i]);
}

static void closing_free(void *userdata) {
        Closing *const closing = userdata;

        (void)fd_close(closing->pid_fd);
        free(closing);
}

static int on_closed(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        const Closing closing = *(const Closing *)userdata;
        siginfo_t info;

        /* Somebody who collects all children may have been faster. */
        (void)waitid(P_PIDFD, (id_t)closing.pid_fd, &info, WEXITED | WNOHANG);
        closing.manager->n_closing--;
        /* The loop held it; nobody does then. */
        (void)sd_event_source_set_floating(source, 0);
        closing.done(closing.manager);
        return 0;
}

/* It has all descriptors of the manager, and must not keep them when that has ended. */
static pid_t start(const int *fds, size_t n_fds) {
        const pid_t parent = getpid();
        const pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(EXIT_FAILURE);
                (void)prctl(PR_SET_NAME, "mkosi-close");
                close_all(fds, n_fds);
                _exit(EXIT_SUCCESS);
        }
        return pid;
}

void async_close(Manager *manager, const int *fds, size_t n_fds, AsyncCloseDone done) {
        sd_event_source *source;
        Closing *closing;

        if (n_fds == 0)
                return;
        closing = calloc(1, sizeof(*closing));
        const pid_t pid = closing ? start(fds, n_fds) : -1;
        if (pid < 0) {
                free(closing);
                close_all(fds, n_fds);
                return;
        }
        *closing = (Closing){ .manager = manager, .done = done };
        closing->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (closing->pid_fd < 0 ||
            sd_event_add_io(manager->event, &source, closing->pid_fd, EPOLLIN, on_closed, closing) < 0) {
                /* It closes them all the same, and is collected as any other child. */
                closing_free(closing);
                return;
        }
        (void)sd_event_source_set_destroy_callback(source, closing_free);
        (void)sd_event_source_set_floating(source, 1);
        sd_event_source_unref(source);
        manager->n_closing++;
}
