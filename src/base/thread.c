/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/thread.h"

int thread_start(pthread_t *ret, void *(*function)(void *argument), void *argument) {
        sigset_t all, before;
        pthread_t thread;

        sigfillset(&all);
        int r = pthread_sigmask(SIG_SETMASK, &all, &before);
        if (r > 0)
                return -r;
        r = pthread_create(&thread, NULL, function, argument);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r > 0)
                return -r;

        *ret = thread;
        return 0;
}

unsigned thread_count(unsigned n_wished) {
        cpu_set_t processors;

        if (n_wished > 0)
                return n_wished;
        /* A machine with more processors than fit into the set is told by their number alone. */
        if (sched_getaffinity(0, sizeof(processors), &processors) == 0)
                return (unsigned)MAX(CPU_COUNT(&processors), 1);
        return (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
}
