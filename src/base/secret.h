/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys and passphrases: bytes in memory of their own, which is kept out of swap space and core dumps as far as the system
 * allows it, which children find empty, and which is wiped when it is freed. */

#include "base/macro.h"

typedef struct Secret {
        size_t capacity; /* as it was asked for */
        size_t size;     /* what of it is in use */
        uint8_t bytes[];
} Secret;

/* Memory for so many bytes, all zero, of which none is in use yet. */
int secret_new(size_t capacity, Secret **ret);
/* As many random bytes, of the kernel's generator once that was seeded. */
int secret_new_random(size_t size, Secret **ret);
void secret_free(Secret *secret);
DEFINE_CLEANUP(Secret, secret_free)

/* From now on no core dump is made of this process, and no other process of its user may look into it: for one that has secrets
 * in the memory of a library. */
int secret_guard_process(void);
