/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/worker-pool.h"

/* A job squares a number, some of them slowly. */
typedef struct Square {
        uint64_t number, result;
        char *memory; /* of job_init() */
} Square;

/* What is there now, and what the next calls do. */
static atomic_int n_workers, n_memories, n_runs;
static int workers_wanted = INT32_MAX, memories_wanted = INT32_MAX, error_without_worker = -EAGAIN;

static int square_init(void *job) {
        Square *square = job;

        assert_null(square->memory);
        if (n_memories >= memories_wanted)
                return -ENOMEM;
        square->memory = malloc(1);
        n_memories++;
        return 0;
}

static void square_done(void *job) {
        Square *square = job;

        n_memories -= square->memory != NULL;
        free(square->memory);
}

static int worker_new(const void *userdata, void **ret) {
        if (n_workers >= workers_wanted)
                return error_without_worker;
        *ret = malloc(sizeof(uint64_t));
        *(uint64_t *)*ret = *(const uint64_t *)userdata;
        n_workers++;
        return 0;
}

static void worker_free(void *worker) {
        n_workers--;
        free(worker);
}

static int run(void *worker, void *job) {
        Square *square = job;

        n_runs++;
        if (square->number % 5 == 0)
                (void)usleep(300);
        square->result = square->number * square->number + *(uint64_t *)worker;
        return square->number == 13 ? -EIO : 0;
}

static const WorkerKind kind = {
        .job_size = sizeof(Square),
        .job_init = square_init,
        .job_done = square_done,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .run = run,
};

static WorkerPool *make_pool(unsigned n_threads) {
        WorkerPool *pool = NULL;

        assert_int_equal(worker_pool_new(&kind, &(const uint64_t){ 7 }, n_threads, &pool), 0);
        return pool;
}

static void submit(WorkerPool *pool, uint64_t number) {
        Square *square = worker_pool_room(pool);

        assert_non_null(square);
        square->number = number;
        square->result = 0;
        worker_pool_submit(pool);
}

static void take(WorkerPool *pool, uint64_t number) {
        void *job;

        assert_int_equal(worker_pool_take(pool, true, &job), 1);
        const Square *square = job;
        assert_int_equal(square->number, number);
        assert_int_equal(square->result, number * number + 7);
        worker_pool_release(pool);
}

static void test_order(void **state) {
        for (unsigned n_threads = 0; n_threads <= 5; n_threads++) {
                _cleanup_(worker_pool_freep) WorkerPool *pool = make_pool(n_threads);
                uint64_t n_submitted = 100, n_taken = 100;
                void *job;

                assert_int_equal(worker_pool_take(pool, true, &job), 0);
                for (; n_submitted < 1000; submit(pool, n_submitted++))
                        if (!worker_pool_room(pool))
                                take(pool, n_taken++);
                assert_true(n_taken > 100);
                while (n_taken < n_submitted)
                        take(pool, n_taken++);
                assert_int_equal(worker_pool_take(pool, true, &job), 0);
        }
        assert_int_equal(n_workers, 0);
        assert_int_equal(n_memories, 0);
}

/* Who does not wait is answered at once, and gets the job in the end. */
static void test_without_waiting(void **state) {
        _cleanup_(worker_pool_freep) WorkerPool *pool = make_pool(1);
        void *job;
        int r;

        submit(pool, 5);
        submit(pool, 6);
        while ((r = worker_pool_take(pool, false, &job)) == 0)
                (void)usleep(10);
        assert_int_equal(r, 1);
        assert_int_equal(((const Square *)job)->number, 5);
        worker_pool_release(pool);
        take(pool, 6);
}

/* An error comes in its turn. */
static void test_error(void **state) {
        _cleanup_(worker_pool_freep) WorkerPool *pool = make_pool(3);
        void *job = NULL;

        submit(pool, 10);
        submit(pool, 13);
        submit(pool, 14);
        take(pool, 10);
        assert_int_equal(worker_pool_take(pool, true, &job), -EIO);
        assert_null(job);
}

/* What nobody began is dropped. */
static void test_free_at_work(void **state) {
        WorkerPool *pool = make_pool(1);
        int n_submitted = 0;

        n_runs = 0;
        for (; worker_pool_room(pool); n_submitted++)
                submit(pool, 5);
        worker_pool_free(pool);
        assert_true(n_runs < n_submitted);
        assert_int_equal(n_workers, 0);
        assert_int_equal(n_memories, 0);
        worker_pool_free(NULL);
}

/* Fewer threads do as well, none does not; other failures of a worker count. */
static void test_few_workers(void **state) {
        WorkerPool *pool = NULL;

        workers_wanted = 2;
        pool = make_pool(5);
        assert_int_equal(n_workers, 2);
        submit(pool, 3);
        take(pool, 3);
        worker_pool_free(TAKE_PTR(pool));

        workers_wanted = 0;
        assert_int_equal(worker_pool_new(&kind, &(const uint64_t){ 7 }, 5, &pool), -EAGAIN);
        workers_wanted = 2;
        error_without_worker = -EINVAL;
        assert_int_equal(worker_pool_new(&kind, &(const uint64_t){ 7 }, 5, &pool), -EINVAL);
        workers_wanted = INT32_MAX;
        memories_wanted = 3;
        assert_int_equal(worker_pool_new(&kind, &(const uint64_t){ 7 }, 5, &pool), -ENOMEM);
        memories_wanted = INT32_MAX;
        assert_null(pool);
        assert_int_equal(n_workers, 0);
        assert_int_equal(n_memories, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),       cmocka_unit_test(test_without_waiting),
                cmocka_unit_test(test_error),       cmocka_unit_test(test_free_at_work),
                cmocka_unit_test(test_few_workers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
