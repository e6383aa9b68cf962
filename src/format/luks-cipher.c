/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/thread.h"
#include "format/luks-cipher.h"

#define THREADS_MAX 256

/* What a thread reads, encrypts and writes at a time: it stays in the processor's cache meanwhile. */
#define PIECE_SIZE (256 * KIB)

#define TWEAK_UNIT 512

typedef struct Job {
        const LuksCipherRange *range;
        const uint8_t *key;
        _Atomic uint64_t n_taken;  /* bytes that a thread has begun with */
        _Atomic uint64_t n_untold; /* bytes that are done, and progress has not heard of */
        _Atomic int error;         /* the first one; the others stop then */
} Job;

/* A thread's own. */
typedef struct Worker {
        EVP_CIPHER_CTX *context;
        uint8_t *buffer;
} Worker;

static void worker_done(Worker *worker) {
        EVP_CIPHER_CTX_free(worker->context); /* which wipes the key */
        free(worker->buffer);
}

static int worker_init(Worker *worker, const uint8_t *key) {
        worker->buffer = malloc(PIECE_SIZE);
        worker->context = EVP_CIPHER_CTX_new();
        if (!worker->buffer || !worker->context)
                return -ENOMEM;
        crypto_ensure();
        return EVP_EncryptInit_ex(worker->context, EVP_aes_256_xts(), NULL, key, NULL) == 1 ? 0 : -ENOTSUP;
}

/* Position and size are those within the volume; both are whole sectors. */
static int encrypt_sectors(const Worker *worker, unsigned sector_size, uint64_t position, size_t size) {
        for (size_t done = 0; done < size; done += sector_size) {
                const uint64_t tweak[2] = { htole64((position + done) / TWEAK_UNIT), 0 };
                uint8_t *sector = worker->buffer + done;
                int n;

                if (EVP_EncryptInit_ex(worker->context, NULL, NULL, NULL, (const uint8_t *)tweak) != 1 ||
                    EVP_EncryptUpdate(worker->context, sector, &n, sector, (int)sector_size) != 1 ||
                    n != (int)sector_size)
                        return -EIO;
        }
        return 0;
}

static int encrypt_piece(const Job *job, const Worker *worker, uint64_t position, size_t size) {
        const LuksCipherRange *range = job->range;

        int r = fd_pread_all(range->fd, worker->buffer, size, range->offset + position);
        if (r >= 0)
                r = encrypt_sectors(worker, range->sector_size, position, size);
        if (r >= 0)
                r = fd_pwrite_all(range->fd, worker->buffer, size, range->offset + position);
        return r;
}

/* Encrypts pieces as long as there are any. Only the main thread has a progress to tell. */
static int encrypt_pieces(Job *job, Progress *progress) {
        _cleanup_(worker_done) Worker worker = {};

        int r = worker_init(&worker, job->key);
        while (r >= 0 && atomic_load(&job->error) == 0) {
                const uint64_t position = atomic_fetch_add(&job->n_taken, PIECE_SIZE);
                if (position >= job->range->size)
                        return 0;
                const size_t size = (size_t)MIN(job->range->size - position, PIECE_SIZE);

                r = encrypt_piece(job, &worker, position, size);
                if (r >= 0)
                        r = interrupt_check();
                (void)atomic_fetch_add(&job->n_untold, size);
                if (progress)
                        progress_advance(progress, atomic_exchange(&job->n_untold, 0));
        }
        return r;
}

static void work(Job *job, Progress *progress) {
        int none = 0;

        const int r = encrypt_pieces(job, progress);
        if (r < 0)
                (void)atomic_compare_exchange_strong(&job->error, &none, r);
}

static void *work_in_thread(void *argument) {
        work(argument, NULL);
        return NULL;
}

/* All blocks are written in the end, so they may as well be reserved in one piece; not every file system can. */
static int reserve_blocks(const LuksCipherRange *range) {
        if (fallocate(range->fd, 0, (off_t)range->offset, (off_t)range->size) < 0) {
                if (errno != EOPNOTSUPP && errno != ENOSYS)
                        return -errno;
                return fd_extend(range->fd, range->offset + range->size);
        }
        return 0;
}

int luks_cipher_encrypt(const LuksCipherRange *range, const uint8_t key[static LUKS_CIPHER_KEY_SIZE],
                        unsigned n_threads, Progress *progress) {
        Job job = { .range = range, .key = key };
        pthread_t threads[THREADS_MAX];
        unsigned n_started = 0;

        assert(range->sector_size >= TWEAK_UNIT && PIECE_SIZE % range->sector_size == 0);
        assert(range->size % range->sector_size == 0 && range->size <= INT64_MAX - range->offset);

        int r = interrupt_check();
        if (r >= 0 && range->size > 0)
                r = reserve_blocks(range);
        if (r < 0)
                return r;

        /* One of them is this one. What cannot be started is no failure: fewer threads do the same. */
        n_threads = MIN(thread_count(n_threads), (unsigned)THREADS_MAX);
        while (n_started + 1 < n_threads && thread_start(&threads[n_started], work_in_thread, &job) >= 0)
                n_started++;
        work(&job, progress);
        for (unsigned i = 0; i < n_started; i++)
                (void)pthread_join(threads[i], NULL);
        if (progress)
                progress_advance(progress, atomic_exchange(&job.n_untold, 0));
        return atomic_load(&job.error);
}
