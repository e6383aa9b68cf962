/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/fd.h"
#include "base/thread.h"
#include "verity/verity-pass.h"

#define THREADS_MAX 256

/* What the threads share. */
typedef struct Run {
        const VerityPass *pass;
        uint64_t n_chunks;

        pthread_mutex_t lock; /* of what follows */
        uint64_t next;        /* the first chunk that nobody has taken */
        uint64_t n_done;
        uint64_t differing; /* the first block found to do so; UINT64_MAX: none */
        int error;
} Run;

/* Takes the next chunk. Chunks are taken in order: when a difference is found, all before it are taken already, and
 * those behind it do not matter. */
static bool take_chunk(Run *run, uint64_t *ret) {
        (void)pthread_mutex_lock(&run->lock);
        const bool more = run->next < run->n_chunks && run->differing == UINT64_MAX && run->error == 0;
        *ret = more ? run->next++ : 0;
        (void)pthread_mutex_unlock(&run->lock);
        return more;
}

/* Returns how many chunks are done. */
static uint64_t end_chunk(Run *run, int r, uint64_t differing) {
        (void)pthread_mutex_lock(&run->lock);
        if (r < 0 && run->error == 0)
                run->error = r;
        run->differing = MIN(run->differing, differing);
        const uint64_t n_done = ++run->n_done;
        (void)pthread_mutex_unlock(&run->lock);
        return n_done;
}

static int compare_chunk(const VerityPass *pass, uint64_t chunk, const Sha256Digest *digests,
                         uint64_t *ret_differing) {
        Sha256Digest there[VERITY_DIGESTS_PER_BLOCK];

        const int r =
                fd_pread_all(pass->to_fd, there, sizeof(there), pass->to_offset + chunk * VERITY_BLOCK_SIZE);
        if (r < 0)
                return r;
        for (size_t i = 0; i < VERITY_DIGESTS_PER_BLOCK; i++)
                if (memcmp(&there[i], &digests[i], sizeof(there[i])) != 0) {
                        *ret_differing = MIN(chunk * VERITY_DIGESTS_PER_BLOCK + i, pass->from.n_blocks);
                        break;
                }
        return 0;
}

static int run_chunk(const VerityPass *pass, ChunkHash *hash, uint64_t chunk, uint64_t *ret_differing) {
        Sha256Digest digests[VERITY_DIGESTS_PER_BLOCK];

        const int r = chunk_hash_run(hash, &pass->from, chunk, digests);
        if (r < 0)
                return r;
        if (pass->compare)
                return compare_chunk(pass, chunk, digests, ret_differing);
        return fd_pwrite_all(pass->to_fd, digests, sizeof(digests),
                             pass->to_offset + chunk * VERITY_BLOCK_SIZE);
}

static uint64_t bytes_of(const Run *run, uint64_t n_chunks) {
        return MIN(n_chunks * CHUNK_SIZE, run->pass->from.n_blocks * VERITY_BLOCK_SIZE);
}

/* What each thread does; only the first one tells of it. */
static void run_chunks(Run *run, Progress *progress) {
        _cleanup_(chunk_hash_freep) ChunkHash *hash = NULL;
        uint64_t chunk, n_told = 0;

        const int r = chunk_hash_new(run->pass->salt, &hash);
        if (r < 0) {
                (void)end_chunk(run, r, UINT64_MAX);
                return;
        }
        while (take_chunk(run, &chunk)) {
                uint64_t differing = UINT64_MAX;

                const int error = run_chunk(run->pass, hash, chunk, &differing);
                const uint64_t n_done = end_chunk(run, error, differing);
                progress_advance(progress, bytes_of(run, n_done) - bytes_of(run, n_told));
                n_told = n_done;
        }
}

static void *run_in_thread(void *argument) {
        run_chunks(argument, NULL);
        return NULL;
}

int verity_pass_run(const VerityPass *pass, uint64_t *ret_block) {
        Run run = {
                .pass = pass,
                .n_chunks = divide_round_up(pass->from.n_blocks, VERITY_DIGESTS_PER_BLOCK),
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .differing = UINT64_MAX,
        };
        pthread_t threads[THREADS_MAX];
        size_t n_threads = 0;

        assert(!pass->compare || ret_block);

        /* This thread is one of them. Fewer than wished do as well. */
        const unsigned n_wished = MIN(thread_count(pass->n_threads), (unsigned)THREADS_MAX);
        const uint64_t n_more = MIN(n_wished - 1, run.n_chunks);
        while (n_threads < n_more && thread_start(&threads[n_threads], run_in_thread, &run) == 0)
                n_threads++;
        run_chunks(&run, pass->progress);
        for (size_t i = 0; i < n_threads; i++)
                (void)pthread_join(threads[i], NULL);
        (void)pthread_mutex_destroy(&run.lock);

        if (run.error < 0)
                return run.error;
        if (run.differing == UINT64_MAX)
                return 0;
        *ret_block = run.differing;
        return 1;
}
