/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are: they are refused with a reason, or all files can be read, and lie in different places of the
 * file system. */

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "format/vfat-reader.h"

#define SIZE_MAX_IN (16 * MIB) /* files may be holes behind what was given */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition) {
        if (!condition)
                abort();
}

static void check_file(const VfatReader *reader, const VfatFile *file, uint8_t *used) {
        _cleanup_(fd_closep) int fd = memfd_create("copy", MFD_CLOEXEC);
        _cleanup_(freep) VfatExtent *extents = NULL;
        size_t n;

        check(vfat_reader_find(reader, file->path) == file);
        check(vfat_reader_locate(reader, file, &extents, &n) == 0);
        for (size_t i = 0; i < n; i++) {
                check(extents[i].offset >= reader->data_offset &&
                      extents[i].offset + extents[i].size <= reader->size);
                for (uint64_t k = 0; k < extents[i].size; k += reader->sector_size)
                        check(used[(extents[i].offset + k) / reader->sector_size]++ == 0);
        }
        check(vfat_reader_copy(reader, file, fd) == 0);
        check(lseek(fd, 0, SEEK_END) == (off_t)file->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("image", MFD_CLOEXEC);
        _cleanup_(vfat_reader_freep) VfatReader *reader = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) uint8_t *used = NULL;

        check(fd >= 0 && fd_pwrite_all(fd, data, size, 0) == 0 && ftruncate(fd, SIZE_MAX_IN) == 0);
        if (vfat_reader_new(fd, 0, SIZE_MAX_IN, &reader, &reason) < 0) {
                check(reason.text != NULL);
                return 0;
        }
        used = calloc(1, SIZE_MAX_IN / reader->sector_size + 1);
        check(used != NULL);
        for (size_t i = 0; i < reader->n_files; i++)
                check_file(reader, &reader->files[i], used);
        return 0;
}
