/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>

#include "base/crc32c.h"

/* A checksum is linear: the sum of a byte is the exclusive or of the sums of its bits. A row has the sums of the eight
 * bits of a byte that so many zero bytes follow; the tables are made of them by the compiler. */
// clang-format off
#define BITS_0 0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78
#define BITS_1 0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9
#define BITS_2 0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743
#define BITS_3 0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f
#define BITS_4 0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c
#define BITS_5 0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6
#define BITS_6 0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4
#define BITS_7 0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664
// clang-format on

#define BIT(n, bit, sum) ((n) >> (bit)&1 ? UINT32_C(sum) : 0)
#define ENTRY_OF(n, b0, b1, b2, b3, b4, b5, b6, b7)                                                      \
        (BIT(n, 0, b0) ^ BIT(n, 1, b1) ^ BIT(n, 2, b2) ^ BIT(n, 3, b3) ^ BIT(n, 4, b4) ^ BIT(n, 5, b5) ^ \
         BIT(n, 6, b6) ^ BIT(n, 7, b7))
#define ENTRY(n, ...) ENTRY_OF(n, __VA_ARGS__)
#define ENTRIES_4(n, ...) \
        ENTRY(n, __VA_ARGS__), ENTRY(n + 1, __VA_ARGS__), ENTRY(n + 2, __VA_ARGS__), ENTRY(n + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                                                       \
        ENTRIES_4(n, __VA_ARGS__), ENTRIES_4(n + 4, __VA_ARGS__), ENTRIES_4(n + 8, __VA_ARGS__), \
                ENTRIES_4(n + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                                                            \
        ENTRIES_16(n, __VA_ARGS__), ENTRIES_16(n + 16, __VA_ARGS__), ENTRIES_16(n + 32, __VA_ARGS__), \
                ENTRIES_16(n + 48, __VA_ARGS__)
#define TABLE(...)                                                                                     \
        {                                                                                              \
                ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__), \
                        ENTRIES_64(192, __VA_ARGS__)                                                   \
        }

static const uint32_t tables[8][256] = {
        TABLE(BITS_0), TABLE(BITS_1), TABLE(BITS_2), TABLE(BITS_3),
        TABLE(BITS_4), TABLE(BITS_5), TABLE(BITS_6), TABLE(BITS_7),
};

static uint64_t load(const uint8_t *data) {
        uint64_t word;

        memcpy(&word, data, sizeof(word));
        return word;
}

static uint32_t portable(uint32_t crc, const uint8_t *data, size_t size) {
        for (; size >= 8; size -= 8, data += 8) {
                const uint64_t word = le64toh(load(data)) ^ crc;

                crc = 0;
                for (unsigned i = 0; i < 8; i++)
                        crc ^= tables[7 - i][word >> (8 * i) & 0xff];
        }
        for (; size > 0; size--, data++)
                crc = crc >> 8 ^ tables[0][(crc ^ *data) & 0xff];
        return crc;
}

static void portable_blocks(const uint8_t *data, size_t n_blocks, size_t block_size, uint32_t *ret) {
        for (size_t i = 0; i < n_blocks; i++)
                ret[i] = ~portable(UINT32_MAX, data + i * block_size, block_size);
}

#ifdef __x86_64__
#define _fast_ __attribute__((target("sse4.2")))

static bool is_fast(void) {
        return __builtin_cpu_supports("sse4.2");
}

_fast_ static uint32_t fast(uint32_t crc, const uint8_t *data, size_t size) {
        uint64_t sum = crc;

        for (; size >= 8; size -= 8, data += 8)
                sum = __builtin_ia32_crc32di(sum, load(data));
        crc = (uint32_t)sum;
        for (; size > 0; size--, data++)
                crc = __builtin_ia32_crc32qi(crc, *data);
        return crc;
}

/* The instruction has its result three cycles later and can start in every cycle: four blocks at once keep it busy. */
_fast_ static void fast_blocks(const uint8_t *data, size_t n_blocks, size_t block_size, uint32_t *ret) {
        for (; n_blocks >= 4; n_blocks -= 4, data += 4 * block_size, ret += 4) {
                uint64_t a = UINT32_MAX, b = UINT32_MAX, c = UINT32_MAX, d = UINT32_MAX;

                for (size_t i = 0; i < block_size; i += 8) {
                        a = __builtin_ia32_crc32di(a, load(data + i));
                        b = __builtin_ia32_crc32di(b, load(data + block_size + i));
                        c = __builtin_ia32_crc32di(c, load(data + 2 * block_size + i));
                        d = __builtin_ia32_crc32di(d, load(data + 3 * block_size + i));
                }
                ret[0] = ~(uint32_t)a;
                ret[1] = ~(uint32_t)b;
                ret[2] = ~(uint32_t)c;
                ret[3] = ~(uint32_t)d;
        }
        for (size_t i = 0; i < n_blocks; i++)
                ret[i] = ~fast(UINT32_MAX, data + i * block_size, block_size);
}
#else
static bool is_fast(void) {
        return false;
}

static uint32_t fast(uint32_t crc, const uint8_t *data, size_t size) {
        return portable(crc, data, size);
}

static void fast_blocks(const uint8_t *data, size_t n_blocks, size_t block_size, uint32_t *ret) {
        portable_blocks(data, n_blocks, block_size, ret);
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t size) {
        return is_fast() ? fast(crc, data, size) : portable(crc, data, size);
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size) {
        return portable(crc, data, size);
}

void crc32c_blocks(const void *data, size_t n_blocks, size_t block_size, uint32_t *ret) {
        assert(block_size % 8 == 0);

        if (is_fast())
                fast_blocks(data, n_blocks, block_size, ret);
        else
                portable_blocks(data, n_blocks, block_size, ret);
}
