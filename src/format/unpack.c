/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "format/unpack.h"

#define READ_SIZE (128 * KIB)

/* What is not said to be kept is lost; the last three refuse what would be written outside. */
#define KEPT                                                                                         \
        (ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_ACL | \
         ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SPARSE | ARCHIVE_EXTRACT_SECURE_SYMLINKS |          \
         ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS)

static inline void archive_read_freep(struct archive **archive) {
        (void)archive_read_free(*archive);
}

static inline void archive_write_freep(struct archive **archive) {
        (void)archive_write_free(*archive);
}

bool unpack_is_archive_name(const char *path) {
        static const char *const suffixes[] = { ".tar", ".tar.gz",  ".tgz",  ".tar.bz2", ".tbz2", ".tar.xz",
                                                ".txz", ".tar.zst", ".tzst", ".cpio",    ".zip",  ".7z" };

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (text_ends_with(path, suffixes[i]))
                        return true;
        return false;
}

/* Errors of what is read and of what is written look the same; only the latter are the system's. */
static int read_error(struct archive *archive, Reason *reason) {
        return reason_set(reason, archive_errno(archive) == ENOMEM ? -ENOMEM : -EBADMSG, "%s",
                          archive_error_string(archive) ?: "It is no archive");
}

static int write_error(struct archive *archive, struct archive_entry *entry, Reason *reason) {
        const int error = archive_errno(archive);

        return reason_set(reason, error > 0 ? -error : -EBADMSG, "Cannot unpack '%s': %s",
                          archive_entry_pathname(entry) ?: "?",
                          archive_error_string(archive) ?: "Unknown error");
}

static int copy_data(struct archive *from, struct archive *to, struct archive_entry *entry,
                     Progress *progress, Reason *reason) {
        for (;;) {
                const void *block;
                size_t size;
                la_int64_t offset;

                int r = interrupt_check();
                if (r < 0)
                        return r;
                r = archive_read_data_block(from, &block, &size, &offset);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r < ARCHIVE_WARN)
                        return read_error(from, reason);
                if (archive_write_data_block(to, block, size, offset) < ARCHIVE_WARN)
                        return write_error(to, entry, reason);
                progress_advance(progress, size);
        }
}

/* A warning says that something of the member was not kept, which is not for us to shrug off. */
static int unpack_member(struct archive *from, struct archive *to, struct archive_entry *entry,
                         Progress *progress, Reason *reason) {
        if (archive_write_header(to, entry) != ARCHIVE_OK)
                return write_error(to, entry, reason);
        int r = 0;
        if (archive_entry_size(entry) > 0)
                r = copy_data(from, to, entry, progress, reason);
        if (r >= 0 && archive_write_finish_entry(to) != ARCHIVE_OK)
                r = write_error(to, entry, reason);
        return r;
}

static int unpack_members(struct archive *from, struct archive *to, Progress *progress, Reason *reason) {
        struct archive_entry *entry;

        for (;;) {
                int r = interrupt_check();
                if (r < 0)
                        return r;
                r = archive_read_next_header(from, &entry);
                if (r == ARCHIVE_EOF)
                        break;
                if (r < ARCHIVE_WARN)
                        return read_error(from, reason);
                r = unpack_member(from, to, entry, progress, reason);
                if (r < 0)
                        return r;
        }
        /* Times and modes of directories, once nothing is written to them any more. */
        if (archive_write_close(to) != ARCHIVE_OK)
                return reason_set(reason, -EIO, "%s", archive_error_string(to) ?: "Unknown error");
        return 0;
}

/* libarchive writes below the current directory. */
static int unpack_here(int archive_fd, Progress *progress, Reason *reason) {
        _cleanup_(archive_read_freep) struct archive *from = archive_read_new();
        _cleanup_(archive_write_freep) struct archive *to = archive_write_disk_new();

        if (!from || !to)
                return -ENOMEM;
        if (archive_read_support_filter_all(from) < ARCHIVE_WARN ||
            archive_read_support_format_all(from) < ARCHIVE_WARN ||
            archive_write_disk_set_options(to, KEPT) != ARCHIVE_OK)
                return -ENOMEM;
        if (archive_read_open_fd(from, archive_fd, READ_SIZE) != ARCHIVE_OK)
                return read_error(from, reason);
        return unpack_members(from, to, progress, reason);
}

int unpack_archive(int archive_fd, int directory_fd, Progress *progress, Reason *reason) {
        _cleanup_(fd_closep) int before_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat status;

        assert(archive_fd >= 0 && directory_fd >= 0);

        if (before_fd < 0)
                return -errno;
        if (fstat(archive_fd, &status) == 0 && S_ISREG(status.st_mode))
                progress_expect(progress, PROGRESS_BYTES, 0);
        if (fchdir(directory_fd) < 0)
                return -errno;
        const mode_t mask = umask(0);
        const int r = unpack_here(archive_fd, progress, reason);
        (void)umask(mask);
        return fchdir(before_fd) < 0 ? -errno : r;
}
