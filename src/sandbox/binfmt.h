/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs for other machines, which the kernel hands to an interpreter such as qemu-aarch64. It knows those that somebody
 * has registered (binfmt_misc, Documentation/admin-guide/binfmt-misc.rst of Linux); what packages bring to be registered is
 * in files of binfmt.d(5). Nothing here registers anything. */

#include "base/macro.h"

/* What tells an ELF program of one machine from those of others; all of these are little-endian. */
typedef struct BinfmtProgram {
        uint8_t bits;     /* 32 or 64 */
        uint16_t machine; /* e_machine */
} BinfmtProgram;

typedef enum BinfmtSource {
        BINFMT_NONE,
        BINFMT_KERNEL, /* the kernel runs such programs in every tree already */
        BINFMT_FILE,   /* a file has what may be registered, and its interpreter is there */
} BinfmtSource;

typedef struct Binfmt {
        BinfmtSource source;
        char *file;         /* what says so: "/usr/lib/binfmt.d/qemu-aarch64.conf" */
        char *registration; /* BINFMT_FILE: what is to be written to "register" */
} Binfmt;

/* Looks on the host whose root directory is `root` ("/"). Only what keeps its interpreter open (flag F) counts, as trees have
 * none; what is registered in the kernel comes first. */
int binfmt_find(const char *root, const BinfmtProgram *program, Binfmt *ret);
void binfmt_done(Binfmt *binfmt);
