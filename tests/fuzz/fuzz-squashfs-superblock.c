/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused with a reason, or the file system fits, and has sizes that exist. */

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "format/squashfs-superblock.h"

#define ROOM (16 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("image", MFD_CLOEXEC);
        _cleanup_(reason_done) Reason reason = {};
        SquashfsSuperblock superblock;

        check(fd >= 0 && fd_pwrite_all(fd, data, size, 0) == 0 && ftruncate(fd, ROOM) == 0);
        if (squashfs_superblock_read(fd, 0, ROOM, &superblock, &reason) < 0) {
                check(reason.text != NULL);
                return 0;
        }
        check(superblock.compressor && superblock.n_inodes > 0);
        check(superblock.block_size >= 4096 && superblock.block_size <= MIB);
        check(superblock.size > SQUASHFS_SUPERBLOCK_SIZE && superblock.size <= ROOM);
        return 0;
}
