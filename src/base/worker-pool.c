/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/thread.h"
#include "base/worker-pool.h"

#define THREADS_MAX 256

/* So many jobs are there that all threads have work while one of them, with the oldest job, has to wait for a processor
 * that others use as well. */
#define JOBS_PER_THREAD 4
#define JOBS_MORE       16

typedef struct Worker {
        WorkerPool *pool;
        void *own; /* of worker_new() */
        pthread_t thread;
} Worker;

typedef struct JobState {
        bool done;
        int error;
} JobState;

/* The jobs are a ring; the counters only grow, and what they count is found modulo the number of jobs: released <= started
 * <= submitted <= released + n_jobs. */
struct WorkerPool {
        const WorkerKind *kind;
        uint8_t *jobs;
        JobState *states; /* of the jobs; done belongs to the lock */
        size_t n_jobs, n_initialized;
        Worker *workers;
        unsigned n_workers; /* those that run */

        pthread_mutex_t lock; /* of what follows */
        pthread_cond_t submitted, done;
        uint64_t n_submitted, n_started, n_released;
        bool stop;
};

static void *job_at(const WorkerPool *pool, uint64_t number) {
        return pool->jobs + number % pool->n_jobs * pool->kind->job_size;
}

static JobState *state_at(const WorkerPool *pool, uint64_t number) {
        return &pool->states[number % pool->n_jobs];
}

static void *work(void *argument) {
        Worker *worker = argument;
        WorkerPool *pool = worker->pool;

        (void)pthread_mutex_lock(&pool->lock);
        for (;;) {
                while (!pool->stop && pool->n_started == pool->n_submitted)
                        (void)pthread_cond_wait(&pool->submitted, &pool->lock);
                if (pool->stop)
                        break;

                const uint64_t number = pool->n_started++;
                JobState *state = state_at(pool, number);
                (void)pthread_mutex_unlock(&pool->lock);
                state->error = pool->kind->run(worker->own, job_at(pool, number));
                (void)pthread_mutex_lock(&pool->lock);

                state->done = true;
                if (number == pool->n_released)
                        (void)pthread_cond_signal(&pool->done);
        }
        (void)pthread_mutex_unlock(&pool->lock);
        return NULL;
}

void worker_pool_free(WorkerPool *pool) {
        if (!pool)
                return;

        (void)pthread_mutex_lock(&pool->lock);
        pool->stop = true;
        (void)pthread_cond_broadcast(&pool->submitted);
        (void)pthread_mutex_unlock(&pool->lock);
        for (unsigned i = 0; i < pool->n_workers; i++) {
                (void)pthread_join(pool->workers[i].thread, NULL);
                pool->kind->worker_free(pool->workers[i].own);
        }

        for (size_t i = 0; pool->kind->job_done && i < pool->n_initialized; i++)
                pool->kind->job_done(job_at(pool, i));
        free(pool->jobs);
        free(pool->states);
        free(pool->workers);
        (void)pthread_cond_destroy(&pool->submitted);
        (void)pthread_cond_destroy(&pool->done);
        (void)pthread_mutex_destroy(&pool->lock);
        free(pool);
}

static int start_worker(WorkerPool *pool, const void *userdata) {
        Worker *worker = &pool->workers[pool->n_workers];

        worker->pool = pool;
        int r = pool->kind->worker_new(userdata, &worker->own);
        if (r < 0)
                return r;
        r = thread_start(&worker->thread, work, worker);
        if (r < 0) {
                pool->kind->worker_free(worker->own);
                return r;
        }
        pool->n_workers++;
        return 0;
}

static int make_jobs(WorkerPool *pool) {
        pool->jobs = calloc(pool->n_jobs, pool->kind->job_size);
        pool->states = calloc(pool->n_jobs, sizeof(JobState));
        if (!pool->jobs || !pool->states)
                return -ENOMEM;
        while (pool->kind->job_init && pool->n_initialized < pool->n_jobs) {
                const int r = pool->kind->job_init(job_at(pool, pool->n_initialized++));

                if (r < 0)
                        return r;
        }
        return 0;
}

int worker_pool_new(const WorkerKind *kind, const void *userdata, unsigned n_threads, WorkerPool **ret) {
        _cleanup_(worker_pool_freep) WorkerPool *pool = calloc(1, sizeof(WorkerPool));

        assert(kind && kind->job_size > 0 && kind->worker_new && kind->worker_free && kind->run && ret);

        if (!pool)
                return -ENOMEM;
        n_threads = MIN(thread_count(n_threads), (unsigned)THREADS_MAX);
        pool->kind = kind;
        pool->n_jobs = JOBS_PER_THREAD * (size_t)n_threads + JOBS_MORE;
        /* None of these fails with the default attributes. */
        (void)pthread_mutex_init(&pool->lock, NULL);
        (void)pthread_cond_init(&pool->submitted, NULL);
        (void)pthread_cond_init(&pool->done, NULL);

        int r = make_jobs(pool);
        if (r < 0)
                return r;
        pool->workers = calloc(n_threads, sizeof(Worker));
        if (!pool->workers)
                return -ENOMEM;
        while (pool->n_workers < n_threads) {
                r = start_worker(pool, userdata);
                /* Only the first one is needed, if it is threads that are short. */
                if (r == -EAGAIN && pool->n_workers > 0)
                        break;
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(pool);
        return 0;
}

/* Only this thread changes the two counters. */
void *worker_pool_room(WorkerPool *pool) {
        return pool->n_submitted - pool->n_released == pool->n_jobs ? NULL : job_at(pool, pool->n_submitted);
}

void worker_pool_submit(WorkerPool *pool) {
        assert(worker_pool_room(pool));

        state_at(pool, pool->n_submitted)->done = false;
        (void)pthread_mutex_lock(&pool->lock);
        pool->n_submitted++;
        (void)pthread_cond_signal(&pool->submitted);
        (void)pthread_mutex_unlock(&pool->lock);
}

int worker_pool_take(WorkerPool *pool, bool wait, void **ret_job) {
        const JobState *state = state_at(pool, pool->n_released);

        if (pool->n_released == pool->n_submitted)
                return 0;
        (void)pthread_mutex_lock(&pool->lock);
        while (wait && !state->done)
                (void)pthread_cond_wait(&pool->done, &pool->lock);
        const bool done = state->done;
        (void)pthread_mutex_unlock(&pool->lock);
        if (!done)
                return 0;
        if (state->error < 0)
                return state->error;
        *ret_job = job_at(pool, pool->n_released);
        return 1;
}

void worker_pool_release(WorkerPool *pool) {
        (void)pthread_mutex_lock(&pool->lock);
        pool->n_released++;
        (void)pthread_mutex_unlock(&pool->lock);
}
