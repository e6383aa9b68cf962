/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: what is taken for a superblock is one that we would write, and a hash tree that fits to
 * data and root hash is the one that we would make of the data, to the last byte. The input is the hash area with the
 * data behind it; and once more the data with a tree of ours, into which the input's last bytes are written. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "verity/verity-check.h"

/* Of data; more blocks are not worth the time. */
#define BLOCKS_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static bool equal(int a_fd, int b_fd, uint64_t size) {
        bool result = true;

        for (uint64_t offset = 0; offset < size; offset += VERITY_BLOCK_SIZE) {
                uint8_t a[VERITY_BLOCK_SIZE], b[VERITY_BLOCK_SIZE];

                check(fd_pread_all(a_fd, a, sizeof(a), offset) == 0 &&
                      fd_pread_all(b_fd, b, sizeof(b), offset) == 0);
                result = result && memcmp(a, b, sizeof(a)) == 0;
        }
        return result;
}

/* Fits exactly when the area is the one that we make. */
static void check_area(int fd, uint64_t area_size, uint64_t file_size) {
        _cleanup_(fd_closep) int ours_fd = memfd_create("ours", MFD_CLOEXEC);
        _cleanup_(reason_done) Reason reason = {};
        VerityCheck wish = {
                .data = { .fd = fd, .offset = area_size },
                .area = { .fd = fd, .size = area_size },
                .n_threads = 1,
        };
        VeritySuperblock superblock;
        VerityFault fault;

        if (verity_superblock_read(&wish.area, &superblock, &reason) < 0) {
                check(reason.text != NULL);
                return;
        }
        const uint64_t data_size = superblock.n_data_blocks * VERITY_BLOCK_SIZE;
        check(verity_size(data_size) > 0 && verity_size(data_size) <= area_size);
        if (superblock.n_data_blocks > BLOCKS_MAX)
                return;
        if (data_size > file_size - area_size)
                check(ftruncate(fd, (off_t)(area_size + data_size)) == 0);
        wish.data.size = data_size;

        const VerityOptions options = { .uuid = superblock.uuid, .salt = superblock.salt, .n_threads = 1 };
        check(verity_hash_file(&wish.data, &options, &(VerityPlace){ .fd = ours_fd }, &wish.root_hash,
                               NULL) == 0);
        const int r = verity_check(&wish, &fault, NULL);
        check(r >= 0 && (r == 0) == equal(fd, ours_fd, verity_size(data_size)));
        check(r == 0 || fault.kind != VERITY_FAULT_NONE);
}

/* A superblock of ours that somebody has changed, so that the search does not have to find all of one. */
static void check_changed_superblock(const uint8_t *data, size_t size) {
        static const VeritySuperblock ours = { .salt.size = 32, .n_data_blocks = 5 };
        _cleanup_(fd_closep) int fd = memfd_create("changed", MFD_CLOEXEC);
        uint8_t block[VERITY_BLOCK_SIZE];

        verity_superblock_encode(&ours, block);
        for (; size >= 3; size -= 3, data += 3)
                block[(data[0] << 8 | data[1]) % VERITY_BLOCK_SIZE] ^= data[2];
        check(fd >= 0 && fd_pwrite_all(fd, block, sizeof(block), 0) == 0 && ftruncate(fd, 1 << 20) == 0);
        check_area(fd, 1 << 20, 1 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("area", MFD_CLOEXEC);
        VeritySuperblock superblock;
        uint64_t area_size = size;

        check(fd >= 0 && fd_pwrite_all(fd, data, size, 0) == 0);
        /* The data follows the tree, when there is as much as the superblock says. */
        if (size >= VERITY_BLOCK_SIZE && verity_superblock_decode(data, &superblock, NULL) == 0)
                area_size = MIN(area_size, verity_size(superblock.n_data_blocks * VERITY_BLOCK_SIZE));
        check_area(fd, area_size, size);
        check_changed_superblock(data, size);
        return 0;
}
