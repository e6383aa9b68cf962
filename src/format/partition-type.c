/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "format/partition-type.h"

/* A UUID written in the groups of its text form. */
#define UUID(time_low, time_mid, time_high, clock, node) \
        {                                                \
                .bytes = {                               \
                        BYTE(time_low, 24),              \
                        BYTE(time_low, 16),              \
                        BYTE(time_low, 8),               \
                        BYTE(time_low, 0),               \
                        BYTE(time_mid, 8),               \
                        BYTE(time_mid, 0),               \
                        BYTE(time_high, 8),              \
                        BYTE(time_high, 0),              \
                        BYTE(clock, 8),                  \
                        BYTE(clock, 0),                  \
                        BYTE(node, 40),                  \
                        BYTE(node, 32),                  \
                        BYTE(node, 24),                  \
                        BYTE(node, 16),                  \
                        BYTE(node, 8),                   \
                        BYTE(node, 0)                    \
                }                                        \
        }
#define BYTE(number, shift) (uint8_t)(UINT64_C(number) >> (shift))

/* The types that exist once per architecture stand last in PartitionType, in the order of the columns below. */
#define TYPE_FIRST_NATIVE PARTITION_ROOT
#define N_NATIVE_TYPES    (PARTITION_TYPE_MAX - TYPE_FIRST_NATIVE)

/* clang-format off */
static const struct {
        const char *name;
        Uuid uuid;
} types[] = {
        [PARTITION_ESP]                   = { "esp", UUID(0xc12a7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0c93ec93b) },
        [PARTITION_XBOOTLDR]              = { "xbootldr", UUID(0xbc13c2ff, 0x59e6, 0x4262, 0xa352, 0xb275fd6f7172) },
        [PARTITION_SWAP]                  = { "swap", UUID(0x0657fd6d, 0xa4ab, 0x43c4, 0x84e5, 0x0933c84b4f4f) },
        [PARTITION_HOME]                  = { "home", UUID(0x933ac7e1, 0x2eb4, 0x4f13, 0xb844, 0x0e14e2aef915) },
        [PARTITION_SRV]                   = { "srv", UUID(0x3b8f8425, 0x20e0, 0x4f3b, 0x907f, 0x1a25a76f98e8) },
        [PARTITION_ROOT]                  = { "root" },
        [PARTITION_ROOT_VERITY]           = { "root-verity" },
        [PARTITION_ROOT_VERITY_SIGNATURE] = { "root-verity-sig" },
};
static_assert(ELEMENTSOF(types) == PARTITION_TYPE_MAX, "A partition type has no row");

static const struct {
        const char *name;
        Uuid uuids[N_NATIVE_TYPES]; /* root, its verity data, the signature of its root hash */
} architectures[] = {
        { "alpha",
          { UUID(0x6523f8ae, 0x3eb1, 0x4e2a, 0xa05a, 0x18b695ae656f),
            UUID(0xfc56d9e9, 0xe6e5, 0x4c06, 0xbe32, 0xe74407ce09a5),
            UUID(0xd46495b7, 0xa053, 0x414f, 0x80f7, 0x700c99921ef8) } },
        { "arc",
          { UUID(0xd27f46ed, 0x2919, 0x4cb8, 0xbd25, 0x9531f3c16534),
            UUID(0x24b2d975, 0x0f97, 0x4521, 0xafa1, 0xcd531e421b8d),
            UUID(0x143a70ba, 0xcbd3, 0x4f06, 0x919f, 0x6c05683a78bc) } },
        { "arm",
          { UUID(0x69dad710, 0x2ce4, 0x4e3c, 0xb16c, 0x21a1d49abed3),
            UUID(0x7386cdf2, 0x203c, 0x47a9, 0xa498, 0xf2ecce45a2d6),
            UUID(0x42b0455f, 0xeb11, 0x491d, 0x98d3, 0x56145ba9d037) } },
        { "arm64",
          { UUID(0xb921b045, 0x1df0, 0x41c3, 0xaf44, 0x4c6f280d3fae),
            UUID(0xdf3300ce, 0xd69f, 0x4c92, 0x978c, 0x9bfb0f38d820),
            UUID(0x6db69de6, 0x29f4, 0x4758, 0xa7a5, 0x962190f00ce3) } },
        { "ia64",
          { UUID(0x993d8d3d, 0xf80e, 0x4225, 0x855a, 0x9daf8ed7ea97),
            UUID(0x86ed10d5, 0xb607, 0x45bb, 0x8957, 0xd350f23d0571),
            UUID(0xe98b36ee, 0x32ba, 0x4882, 0x9b12, 0x0ce14655f46a) } },
        { "loongarch64",
          { UUID(0x77055800, 0x792c, 0x4f94, 0xb39a, 0x98c91b762bb6),
            UUID(0xf3393b22, 0xe9af, 0x4613, 0xa948, 0x9d3bfbd0c535),
            UUID(0x5afb67eb, 0xecc8, 0x4f85, 0xae8e, 0xac1e7c50e7d0) } },
        { "mips",
          { UUID(0xe9434544, 0x6e2c, 0x47cc, 0xbae2, 0x12d6deafb44c),
            UUID(0x7a430799, 0xf711, 0x4c7e, 0x8e5b, 0x1d685bd48607),
            UUID(0xbba210a2, 0x9c5d, 0x45ee, 0x9e87, 0xff2ccbd002d0) } },
        { "mips64",
          { UUID(0xd113af76, 0x80ef, 0x41b4, 0xbdb6, 0x0cff4d3d4a25),
            UUID(0x579536f8, 0x6a33, 0x4055, 0xa95a, 0xdf2d5e2c42a8),
            UUID(0x43ce94d4, 0x0f3d, 0x4999, 0x8250, 0xb9deafd98e6e) } },
        { "mips-le",
          { UUID(0x37c58c8a, 0xd913, 0x4156, 0xa25f, 0x48b1b64e07f0),
            UUID(0xd7d150d2, 0x2a04, 0x4a33, 0x8f12, 0x16651205ff7b),
            UUID(0xc919cc1f, 0x4456, 0x4eff, 0x918c, 0xf75e94525ca5) } },
        { "mips64-le",
          { UUID(0x700bda43, 0x7a34, 0x4507, 0xb179, 0xeeb93d7a7ca3),
            UUID(0x16b417f8, 0x3e06, 0x4f57, 0x8dd2, 0x9b5232f41aa6),
            UUID(0x904e58ef, 0x5c65, 0x4a31, 0x9c57, 0x6af5fc7c5de7) } },
        { "parisc",
          { UUID(0x1aacdb3b, 0x5444, 0x4138, 0xbd9e, 0xe5c2239b2346),
            UUID(0xd212a430, 0xfbc5, 0x49f9, 0xa983, 0xa7feef2b8d0e),
            UUID(0x15de6170, 0x65d3, 0x431c, 0x916e, 0xb0dcd8393f25) } },
        { "ppc",
          { UUID(0x1de3f1ef, 0xfa98, 0x47b5, 0x8dcd, 0x4a860a654d78),
            UUID(0x98cfe649, 0x1588, 0x46dc, 0xb2f0, 0xadd147424925),
            UUID(0x1b31b5aa, 0xadd9, 0x463a, 0xb2ed, 0xbd467fc857e7) } },
        { "ppc64",
          { UUID(0x912ade1d, 0xa839, 0x4913, 0x8964, 0xa10eee08fbd2),
            UUID(0x9225a9a3, 0x3c19, 0x4d89, 0xb4f6, 0xeeff88f17631),
            UUID(0xf5e2c20c, 0x45b2, 0x4ffa, 0xbce9, 0x2a60737e1aaf) } },
        { "ppc64-le",
          { UUID(0xc31c45e6, 0x3f39, 0x412e, 0x80fb, 0x4809c4980599),
            UUID(0x906bd944, 0x4589, 0x4aae, 0xa4e4, 0xdd983917446a),
            UUID(0xd4a236e7, 0xe873, 0x4c07, 0xbf1d, 0xbf6cf7f1c3c6) } },
        { "riscv32",
          { UUID(0x60d5a7fe, 0x8e7d, 0x435c, 0xb714, 0x3dd8162144e1),
            UUID(0xae0253be, 0x1167, 0x4007, 0xac68, 0x43926c14c5de),
            UUID(0x3a112a75, 0x8729, 0x4380, 0xb4cf, 0x764d79934448) } },
        { "riscv64",
          { UUID(0x72ec70a6, 0xcf74, 0x40e6, 0xbd49, 0x4bda08e8f224),
            UUID(0xb6ed5582, 0x440b, 0x4209, 0xb8da, 0x5ff7c419ea3d),
            UUID(0xefe0f087, 0xea8d, 0x4469, 0x821a, 0x4c2a96a8386a) } },
        { "s390",
          { UUID(0x08a7acea, 0x624c, 0x4a20, 0x91e8, 0x6e0fa67d23f9),
            UUID(0x7ac63b47, 0xb25c, 0x463b, 0x8df8, 0xb4a94e6c90e1),
            UUID(0x3482388e, 0x4254, 0x435a, 0xa241, 0x766a065f9960) } },
        { "s390x",
          { UUID(0x5eead9a9, 0xfe09, 0x4a1e, 0xa1d7, 0x520d00531306),
            UUID(0xb325bfbe, 0xc7be, 0x4ab8, 0x8357, 0x139e652d2f6b),
            UUID(0xc80187a5, 0x73a3, 0x491a, 0x901a, 0x017c3fa953e9) } },
        { "tilegx",
          { UUID(0xc50cdd70, 0x3862, 0x4cc3, 0x90e1, 0x809a8c93ee2c),
            UUID(0x966061ec, 0x28e4, 0x4b2e, 0xb4a5, 0x1f0a825a1d84),
            UUID(0xb3671439, 0x97b0, 0x4a53, 0x90f7, 0x2d5a8f3ad47b) } },
        { "x86",
          { UUID(0x44479540, 0xf297, 0x41b2, 0x9af7, 0xd131d5f0458a),
            UUID(0xd13c5d3b, 0xb5d1, 0x422a, 0xb29f, 0x9454fdc89d76),
            UUID(0x5996fc05, 0x109c, 0x48de, 0x808b, 0x23fa0830b676) } },
        { "x86-64",
          { UUID(0x4f68bce3, 0xe8cd, 0x4db1, 0x96e7, 0xfbcaf984b709),
            UUID(0x2c7357ed, 0xebd2, 0x46d9, 0xaec1, 0x23d437ec2bf5),
            UUID(0x41092b05, 0x9fc8, 0x4523, 0x994f, 0x2def0408b176) } },
};
/* clang-format on */

const char *partition_architecture_name(unsigned architecture) {
        return architecture < ELEMENTSOF(architectures) ? architectures[architecture].name : NULL;
}

int partition_architecture_find(const char *name, unsigned *ret) {
        assert(name && ret);

        for (unsigned i = 0; i < ELEMENTSOF(architectures); i++)
                if (text_equal(architectures[i].name, name)) {
                        *ret = i;
                        return 0;
                }
        return -ENOENT;
}

Uuid partition_type_uuid(PartitionType type, unsigned architecture) {
        assert(type < PARTITION_TYPE_MAX);

        if (type < TYPE_FIRST_NATIVE)
                return types[type].uuid;

        assert(architecture < ELEMENTSOF(architectures));
        return architectures[architecture].uuids[type - TYPE_FIRST_NATIVE];
}

int partition_type_find(Uuid uuid, PartitionType *ret, unsigned *ret_architecture) {
        for (PartitionType type = 0; type < TYPE_FIRST_NATIVE; type++)
                if (uuid_equal(types[type].uuid, uuid)) {
                        *ret = type;
                        return 0;
                }
        for (unsigned i = 0; i < ELEMENTSOF(architectures); i++)
                for (size_t k = 0; k < N_NATIVE_TYPES; k++)
                        if (uuid_equal(architectures[i].uuids[k], uuid)) {
                                *ret = TYPE_FIRST_NATIVE + (PartitionType)k;
                                *ret_architecture = i;
                                return 0;
                        }
        return -ENOENT;
}

const char *partition_type_name(PartitionType type) {
        assert(type < PARTITION_TYPE_MAX);

        return types[type].name;
}
