/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused with a reason, or partitions lie within the disk and do not overlap. The input
 * is two megabytes at most, of which the last 17 KiB are at the end of the disk. If the first byte, which means nothing, is
 * 1, the check sums are put right, so that what they stand for is reached. */

#include <endian.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "format/gpt-reader.h"
#include "format/partition-table.h"

#define DISK_SIZE (2 * MIB)
#define END_SIZE  (17 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static uint64_t number_at(const uint8_t *bytes, size_t size) {
        uint64_t number = 0;

        memcpy(&number, bytes, size);
        return le64toh(number);
}

static void put_sum(uint8_t *to, const uint8_t *bytes, size_t size) {
        const uint32_t sum = htole32((uint32_t)crc32(0, bytes, (unsigned)size));

        memcpy(to, &sum, sizeof(sum));
}

/* Of the header in the sector, and of the entries that it tells of, as far as that is on the disk. */
static void mend(uint8_t *disk, uint64_t sector) {
        uint8_t *header = disk + sector * SECTOR_SIZE;
        const uint64_t header_size = number_at(header + 12, 4), entries = number_at(header + 72, 8);
        const uint64_t entries_size = number_at(header + 80, 4) * number_at(header + 84, 4);

        if (entries < DISK_SIZE / SECTOR_SIZE && entries_size <= DISK_SIZE - entries * SECTOR_SIZE)
                put_sum(header + 88, disk + entries * SECTOR_SIZE, entries_size);
        memset(header + 16, 0, 4);
        if (header_size <= SECTOR_SIZE)
                put_sum(header + 16, header, header_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("disk", MFD_CLOEXEC);
        _cleanup_(gpt_disk_done) GptDisk disk = {};
        _cleanup_(reason_done) Reason reason = {};
        const size_t end = MIN(size, (size_t)END_SIZE),
                     begin = MIN(size - end, (size_t)(DISK_SIZE - END_SIZE));

        check(fd >= 0 && ftruncate(fd, DISK_SIZE) == 0);
        check(fd_pwrite_all(fd, data, begin, 0) == 0);
        check(fd_pwrite_all(fd, data + size - end, end, DISK_SIZE - end) == 0);
        if (size > 0 && data[0] == 1) {
                uint8_t *bytes = mmap(NULL, DISK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

                check(bytes != MAP_FAILED);
                mend(bytes, 1);
                mend(bytes, DISK_SIZE / SECTOR_SIZE - 1);
                check(munmap(bytes, DISK_SIZE) == 0);
        }
        if (gpt_read(fd, DISK_SIZE, &disk, &reason) < 0) {
                check(reason.text != NULL);
                return 0;
        }
        for (size_t i = 0; i < disk.n_entries; i++) {
                const GptEntry *entry = &disk.entries[i];

                check(entry->name && entry->size > 0 && entry->offset < DISK_SIZE &&
                      entry->size <= DISK_SIZE - entry->offset);
                for (size_t k = 0; k < i; k++)
                        check(disk.entries[k].offset + disk.entries[k].size <= entry->offset ||
                              entry->offset + entry->size <= disk.entries[k].offset);
        }
        return 0;
}
