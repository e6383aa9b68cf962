/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/thread.h"
#include "format/hash-follower.h"

#define BUFFER_SIZE (256 * KIB)

/* The thread is not woken for less. */
#define ADVANCE_SIZE_MIN (4 * MIB)

static const uint8_t zero_bytes[BUFFER_SIZE];

struct HashFollower {
        int fd;        /* with a position of its own, which looking for holes moves */
        uint64_t told; /* the last limit that the thread was told of; the caller's own */

        pthread_mutex_t lock; /* of what follows */
        pthread_cond_t changed;
        uint64_t limit; /* all bytes below are final */
        bool ended, given_up;

        pthread_t thread;
        bool has_thread;
        int result;

        /* The thread's own. */
        Sha256 *hash;
        uint64_t position; /* what is hashed */
        uint64_t data_begin,
                data_end; /* the hole from the position on ends with it; and where the next one begins */
        uint8_t *buffer;
};

/* Hashes a piece of a hole or of data. A hole is believed below the limit only: behind it one may still be filled. Data stay
 * data, so that nothing is asked about them twice. */
static int hash_piece(HashFollower *follower, uint64_t limit) {
        if (follower->position >= follower->data_end) {
                const int r = fd_find_data_beyond(follower->fd, follower->position, limit,
                                                  &follower->data_begin, &follower->data_end);
                if (r < 0)
                        return r;
        }
        const bool hole = follower->position < follower->data_begin;
        const uint64_t end = hole ? follower->data_begin : MIN(limit, follower->data_end);
        const size_t part = (size_t)MIN(end - follower->position, BUFFER_SIZE);

        int r = hole ? 0 : fd_pread_all(follower->fd, follower->buffer, part, follower->position);
        if (r >= 0)
                r = sha256_add(follower->hash, hole ? zero_bytes : follower->buffer, part);
        if (r < 0)
                return r;
        follower->position += part;
        return interrupt_check();
}

/* Waits until there is more to hash. False when there will be nothing more. */
static bool wait_for_limit(HashFollower *follower, uint64_t *ret) {
        (void)pthread_mutex_lock(&follower->lock);
        while (follower->limit <= follower->position && !follower->ended)
                (void)pthread_cond_wait(&follower->changed, &follower->lock);
        const bool more = follower->limit > follower->position && !follower->given_up;
        *ret = follower->limit;
        (void)pthread_mutex_unlock(&follower->lock);
        return more;
}

static void *follow(void *argument) {
        HashFollower *follower = argument;
        uint64_t limit;
        int r = 0;

        while (r >= 0 && wait_for_limit(follower, &limit))
                r = hash_piece(follower, limit);
        follower->result = r;
        return NULL;
}

/* Tells the thread how far it may go, and with end that it will not be told again. */
static void tell(HashFollower *follower, uint64_t limit, bool end, bool give_up) {
        (void)pthread_mutex_lock(&follower->lock);
        follower->limit = MAX(follower->limit, limit);
        follower->ended = end;
        follower->given_up = give_up;
        (void)pthread_cond_signal(&follower->changed);
        (void)pthread_mutex_unlock(&follower->lock);
        follower->told = limit;
}

static void end_thread(HashFollower *follower, uint64_t limit, bool give_up) {
        if (!follower->has_thread)
                return;
        tell(follower, limit, true, give_up);
        (void)pthread_join(follower->thread, NULL);
        follower->has_thread = false;
}

void hash_follower_free(HashFollower *follower) {
        if (!follower)
                return;
        end_thread(follower, 0, true);
        sha256_free(follower->hash);
        free(follower->buffer);
        (void)fd_close(follower->fd);
        (void)pthread_cond_destroy(&follower->changed);
        (void)pthread_mutex_destroy(&follower->lock);
        free(follower);
}

int hash_follower_start(int fd, HashFollower **ret) {
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

        assert(ret);

        follower = calloc(1, sizeof(HashFollower));
        if (!follower)
                return -ENOMEM;
        (void)pthread_mutex_init(&follower->lock, NULL);
        (void)pthread_cond_init(&follower->changed, NULL);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        follower->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (follower->fd < 0)
                return -errno;
        follower->buffer = malloc(BUFFER_SIZE);
        if (!follower->buffer)
                return -ENOMEM;
        int r = sha256_new(&follower->hash);
        if (r < 0)
                return r;
        r = thread_start(&follower->thread, follow, follower);
        if (r < 0)
                return r;
        follower->has_thread = true;

        *ret = TAKE_PTR(follower);
        return 0;
}

void hash_follower_advance(HashFollower *follower, uint64_t offset) {
        if (follower && offset >= follower->told + ADVANCE_SIZE_MIN)
                tell(follower, offset, false, false);
}

int hash_follower_finish(HashFollower *follower, uint64_t size, Sha256Digest *ret) {
        struct stat status;

        assert(follower && follower->has_thread && size >= follower->told && ret);

        if (fstat(follower->fd, &status) < 0)
                return -errno;
        if ((uint64_t)status.st_size < size)
                return -ENODATA;
        end_thread(follower, size, false);
        return follower->result < 0 ? follower->result : sha256_finish(follower->hash, ret);
}
