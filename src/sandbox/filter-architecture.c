/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <seccomp.h>

#include "sandbox/filter-architecture.h"

#define COMPATIBLE_MAX 3

/* clang-format off */
static const uint32_t compatible[][COMPATIBLE_MAX + 1] = {
        { SCMP_ARCH_X86_64,  SCMP_ARCH_X86, SCMP_ARCH_X32 },
        { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
        { SCMP_ARCH_S390X,   SCMP_ARCH_S390 },
        { SCMP_ARCH_PPC64,   SCMP_ARCH_PPC },
        /* The others run nothing but their own. */
        { SCMP_ARCH_X86 },   { SCMP_ARCH_ARM },     { SCMP_ARCH_PPC },       { SCMP_ARCH_PPC64LE },
        { SCMP_ARCH_MIPS },  { SCMP_ARCH_MIPSEL },  { SCMP_ARCH_RISCV64 },   { SCMP_ARCH_S390 },
};
/* clang-format on */

const uint32_t *filter_architectures(void) {
        static const uint32_t none[] = { 0 };
        const uint32_t native = seccomp_arch_native();

        for (size_t i = 0; i < ELEMENTSOF(compatible); i++)
                if (compatible[i][0] == native)
                        return compatible[i];
        return none;
}
