/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* FAT file systems that mkfs.fat(8) and mtools make, read by us. */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/vfat-reader.h"

/* Fills "image" by a script, whose $size is the number of KiB and $bits the kind of FAT. */
static inline void vfat_image_make(unsigned bits, unsigned kib, const char *script) {
        char command[4096];
        const int n = snprintf(
                command, sizeof(command),
                "set -e; rm -f image; mkfs.fat -F %u -C image %u >/dev/null; export MTOOLS_SKIP_CHECK=1\n%s",
                bits, kib, script);

        assert_true(n > 0 && (size_t)n < sizeof(command));
        free(FOREIGN_CHECK("sh", "-c", command));
}

static inline int vfat_image_read(VfatReader **ret, Reason *reason) {
        const int fd = open("image", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        const int r = vfat_reader_new(fd, 0, (uint64_t)lseek(fd, 0, SEEK_END), ret, reason);
        if (r < 0)
                assert_int_equal(close(fd), 0);
        return r;
}

static inline VfatReader *vfat_image_read_well(void) {
        _cleanup_(reason_done) Reason reason = {};
        VfatReader *reader;

        const int r = vfat_image_read(&reader, &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
        return reader;
}

static inline void vfat_image_done(VfatReader *reader) {
        assert_int_equal(close(reader->fd), 0);
        vfat_reader_free(reader);
}

static inline void vfat_image_refuse(const char *said) {
        _cleanup_(reason_done) Reason reason = {};
        VfatReader *reader;

        assert_int_equal(vfat_image_read(&reader, &reason), -EBADMSG);
        assert_string_equal(reason.text, said);
}

/* Overwrites bytes of the image. */
static inline void vfat_image_poke(uint64_t offset, const void *bytes, size_t size) {
        _cleanup_(fd_closep) int fd = open("image", O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(fd_pwrite_all(fd, bytes, size, offset), 0);
}
