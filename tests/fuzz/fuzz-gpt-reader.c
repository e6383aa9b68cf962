/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused with a reason, or partitions lie within the disk and do not overlap. The input
 * is two megabytes at most, of which the last 17 KiB are at the end of the disk. */

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "format/gpt-reader.h"

#define DISK_SIZE (2 * MIB)
#define END_SIZE  (17 * KIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
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
