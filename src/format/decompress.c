/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "format/decompress.h"

#define READ_SIZE (MIB)
#define HOLE_SIZE (4 * KIB)

static inline void archive_freep(struct archive **archive) {
        (void)archive_read_free(*archive);
}

static const struct {
        const char *bytes;
        size_t size;
} signatures[] = {
        { "\xfd"
          "7zXZ\0",
          6 },
        { "\x28\xb5\x2f\xfd", 4 },
        { "\x1f\x8b", 2 },
};

int decompress_is_wanted(int fd) {
        char bytes[8] = {};

        if (pread(fd, bytes, sizeof(bytes), 0) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(signatures); i++)
                if (memcmp(bytes, signatures[i].bytes, signatures[i].size) == 0)
                        return 1;
        return 0;
}

static int fail(struct archive *archive, Reason *reason) {
        return reason_set(reason, -EBADMSG, "The compressed data is damaged: %s",
                          archive_error_string(archive) ?: "Unknown error");
}

static bool is_zero(const uint8_t *data, size_t size) {
        return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static int write_block(int fd, const uint8_t *data, size_t size, uint64_t offset) {
        while (size > 0) {
                /* Pieces end where pages of the file do. */
                const size_t piece = (size_t)MIN((uint64_t)size, HOLE_SIZE - offset % HOLE_SIZE);
                const int r = is_zero(data, piece) ? 0 : fd_pwrite_all(fd, data, piece, offset);

                if (r < 0)
                        return r;
                data += piece;
                size -= piece;
                offset += piece;
        }
        return 0;
}

static int copy_content(struct archive *archive, int to_fd, Progress *progress, Reason *reason) {
        uint64_t total = 0, n_read = 0;

        for (;;) {
                const void *block;
                size_t size;
                int64_t offset;

                int r = interrupt_check();
                if (r < 0)
                        return r;
                r = archive_read_data_block(archive, &block, &size, &offset);
                if (r == ARCHIVE_EOF)
                        break;
                if (r != ARCHIVE_OK)
                        return fail(archive, reason);
                r = write_block(to_fd, block, size, (uint64_t)offset);
                if (r < 0)
                        return r;
                total = (uint64_t)offset + size;
                const uint64_t now = (uint64_t)archive_filter_bytes(archive, -1);
                progress_advance(progress, now - n_read);
                n_read = now;
        }
        return ftruncate(to_fd, (off_t)total) < 0 ? -errno : 0;
}

int decompress_file(int from_fd, int to_fd, Progress *progress, Reason *reason) {
        _cleanup_(archive_freep) struct archive *archive = archive_read_new();
        struct archive_entry *entry;
        struct stat status;

        assert(from_fd >= 0 && to_fd >= 0);

        if (!archive)
                return -ENOMEM;
        if (fstat(from_fd, &status) < 0 || lseek(from_fd, 0, SEEK_SET) < 0)
                return -errno;
        progress_expect(progress, PROGRESS_BYTES, (uint64_t)status.st_size);
        if (archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
            archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
            archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
            archive_read_support_format_raw(archive) != ARCHIVE_OK ||
            archive_read_open_fd(archive, from_fd, READ_SIZE) != ARCHIVE_OK ||
            archive_read_next_header(archive, &entry) != ARCHIVE_OK)
                return fail(archive, reason);
        return copy_content(archive, to_fd, progress, reason);
}
