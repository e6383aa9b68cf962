/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/secret.h"

/* Whole pages, so that nothing else shares what is locked. */
static size_t mapping_size(size_t capacity) {
        return align_up(sizeof(Secret) + capacity, (uint64_t)sysconf(_SC_PAGESIZE));
}

int secret_new(size_t capacity, Secret **ret) {
        assert(ret && capacity > 0 && capacity <= SIZE_MAX / 2);

        const size_t size = mapping_size(capacity);
        Secret *secret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (secret == MAP_FAILED)
                return -errno;
        /* What a user may lock is little, and old kernels know less: the secret is still wiped. */
        (void)mlock(secret, size);
        (void)madvise(secret, size, MADV_DONTDUMP);
        (void)madvise(secret, size, MADV_WIPEONFORK);
        secret->capacity = capacity;

        *ret = secret;
        return 0;
}

int secret_new_random(size_t size, Secret **ret) {
        _cleanup_(secret_freep) Secret *secret = NULL;

        int r = secret_new(size, &secret);
        if (r < 0)
                return r;
        while (secret->size < size) {
                const ssize_t n = getrandom(secret->bytes + secret->size, size - secret->size, 0);

                if (n < 0 && errno != EINTR)
                        return -errno;
                r = interrupt_check();
                if (r < 0)
                        return r;
                secret->size += n > 0 ? (size_t)n : 0;
        }

        *ret = TAKE_PTR(secret);
        return 0;
}

void secret_free(Secret *secret) {
        /* A child has a page of zeros in its place, whose size is not known; it ends with the child. */
        if (!secret || secret->capacity == 0)
                return;
        const size_t size = mapping_size(secret->capacity);
        explicit_bzero(secret, size);
        (void)munmap(secret, size);
}

int secret_guard_process(void) {
        return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}
