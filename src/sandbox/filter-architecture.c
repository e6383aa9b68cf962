/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <seccomp.h>

#include "base/macro.h"
#include "base/text.h"
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

static const struct {
        const char *name;
        uint32_t architecture;
} names[] = {
        { "x86",         SCMP_ARCH_X86 },       { "x86-64",      SCMP_ARCH_X86_64 },
        { "x32",         SCMP_ARCH_X32 },       { "arm",         SCMP_ARCH_ARM },
        { "arm64",       SCMP_ARCH_AARCH64 },   { "mips",        SCMP_ARCH_MIPS },
        { "mips64",      SCMP_ARCH_MIPS64 },    { "mips64-n32",  SCMP_ARCH_MIPS64N32 },
        { "mips-le",     SCMP_ARCH_MIPSEL },    { "mips64-le",   SCMP_ARCH_MIPSEL64 },
        { "ppc",         SCMP_ARCH_PPC },       { "mips64-le-n32", SCMP_ARCH_MIPSEL64N32 },
        { "ppc64",       SCMP_ARCH_PPC64 },     { "ppc64-le",    SCMP_ARCH_PPC64LE },
        { "parisc",      SCMP_ARCH_PARISC },    { "parisc64",    SCMP_ARCH_PARISC64 },
        { "riscv64",     SCMP_ARCH_RISCV64 },   { "s390",        SCMP_ARCH_S390 },
        { "s390x",       SCMP_ARCH_S390X },
};
/* clang-format on */

uint32_t filter_architecture_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(names[i].name, name))
                        return names[i].architecture;
        return 0;
}

const uint32_t *filter_architectures(void) {
        static const uint32_t none[] = { 0 };
        const uint32_t native = seccomp_arch_native();

        for (size_t i = 0; i < ELEMENTSOF(compatible); i++)
                if (compatible[i][0] == native)
                        return compatible[i];
        return none;
}
