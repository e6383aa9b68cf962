/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One level of a hash tree from the blocks below it: by all threads, in pieces that do not depend on each other, and
 * without more memory than a few blocks for each. */

#include "base/progress.h"
#include "verity/chunk-hash.h"

typedef struct VerityPass {
        const VeritySalt *salt;
        BlockRange from;
        int to_fd;          /* the digests' file; not owned */
        uint64_t to_offset; /* in bytes */
        bool compare;       /* the digests are compared with what is there, not written */
        unsigned n_threads; /* at most; 0: one for each processor that this process may run on */
        Progress *progress; /* is told of the bytes of blocks; NULL: nobody is */
} VerityPass;

/* 0 when the digests are written, or are those that are there. 1 when they differ, with the number of the first block
 * that does not fit to its digest; from.n_blocks when only the unused room behind the last digest is not zero. */
int verity_pass_run(const VerityPass *pass, uint64_t *ret_block);
