/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Threads that work on jobs, which come out in the order in which they went in: so nothing shows of how many threads there
 * were. All functions are for the one thread that hands out jobs and takes results. */

#include "base/macro.h"

/* What is done, and on what. Jobs are memory of job_size bytes, zeroed once and used again and again; each thread has a
 * worker of its own, which is what it need not share. */
typedef struct WorkerKind {
        size_t job_size;
        int (*job_init)(void *job);  /* allocates what every job needs; NULL: nothing */
        void (*job_done)(void *job); /* frees it, also after job_init() failed halfway; NULL: nothing */
        int (*worker_new)(const void *userdata, void **ret);
        void (*worker_free)(void *worker);
        int (*run)(void *worker, void *job); /* in a thread; an error is what worker_pool_take() answers */
} WorkerKind;

typedef struct WorkerPool WorkerPool;

/* Starts n_threads threads, or one for each processor that this process may run on; with fewer than wished it works as
 * well. Kind lives as long as the pool, userdata as long as this call. Errors are those of the kind's functions, and
 * -EAGAIN when there is no thread to be had. */
int worker_pool_new(const WorkerKind *kind, const void *userdata, unsigned n_threads, WorkerPool **ret);

/* Waits for the jobs that are being worked on, and drops those that are not. */
void worker_pool_free(WorkerPool *pool);
DEFINE_CLEANUP(WorkerPool, worker_pool_free)

/* The job to be filled and submitted next; NULL when all are under way, and one must be taken and released first. It has
 * what it had when it was released. */
void *worker_pool_room(WorkerPool *pool);
void worker_pool_submit(WorkerPool *pool);

/* Takes the oldest job that was submitted. 1 and the job when it is done; 0 when there is none, or, without a wish to wait,
 * none that is done; the error of its run(). A job that was taken is released before the next is. */
int worker_pool_take(WorkerPool *pool, bool wait, void **ret_job);
void worker_pool_release(WorkerPool *pool);
