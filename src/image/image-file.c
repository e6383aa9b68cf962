/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "format/hash-follower.h"
#include "image/image-file.h"

int image_file_fail(const Image *image, int r, const Reason *reason, const char *what, ...) {
        _cleanup_(freep) char *text = NULL;
        struct statfs status;
        char free_text[24];
        va_list arguments;

        va_start(arguments, what);
        const int length = vasprintf(&text, what, arguments);
        va_end(arguments);
        if (length < 0)
                return -ENOMEM;
        /* Full is the disk of the host: what a file system that is made runs short of has other messages. */
        if (r != -ENOSPC || statfs(image->workspace->path, &status) < 0)
                return log_error(r, "%s: %s", text, reason_text(reason, r));
        size_format_rounded((uint64_t)status.f_bavail * (uint64_t)status.f_bsize, free_text);
        return log_error(
                r, "%s: %s (%s has %s free: make room, or put the output elsewhere with OutputDirectory=)",
                text, reason_text(reason, r), image->config->output_directory, free_text);
}

int image_file_create(const Image *image, const char *name, char **ret_path) {
        _cleanup_(freep) char *path = NULL;

        const int r = path_join(image->workspace->path, name, &path);
        if (r < 0)
                return r;
        const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return log_error(-errno, "Cannot create %s: %m", path);
        *ret_path = TAKE_PTR(path);
        return fd;
}

/* What was built under sudo belongs to who called it, if it is put into a directory of his. */
static int give_to_caller(const Image *image, int fd) {
        const int r = image->config->no_chown ? 0 : caller_give(fd, image->config->output_directory);

        if (r < 0)
                return log_error(
                        r, "Cannot give the result to the user who called sudo: %m (--no-chown leaves it to "
                           "root)");
        return 0;
}

/* The disk and the processor work side by side: a file that was just written is read from memory. */
static int sync_and_hash(int fd, uint64_t size, bool hash, Sha256Digest *ret) {
        _cleanup_(hash_follower_freep) HashFollower *follower = NULL;

        if (hash) {
                const int r = hash_follower_start(fd, &follower);
                if (r < 0)
                        return r;
                hash_follower_advance(follower, size);
        }
        if (fsync(fd) < 0)
                return -errno;
        return hash ? hash_follower_finish(follower, size, ret) : 0;
}

int image_file_finish(Image *image, ArtefactKind kind, int fd, char *path, const Sha256Digest *digest) {
        const bool hash = !digest && artefact_hashes_wanted(image->config);
        _cleanup_(freep) char *owned = path;
        Sha256Digest computed;
        struct stat status;

        if (fstat(fd, &status) < 0)
                return log_error(-errno, "Cannot look at %s: %m", path);
        int r = sync_and_hash(fd, (uint64_t)status.st_size, hash, &computed);
        if (r < 0)
                return image_file_fail(image, r, NULL, "Cannot write %s to disk", path);
        if (fchmod(fd, 0666 & ~image->umask) < 0)
                return log_error(-errno, "Cannot set the mode of %s: %m", path);
        r = give_to_caller(image, fd);
        if (r < 0)
                return r;

        r = artefacts_add(&image->artefacts, image->config, kind, TAKE_PTR(owned), hash ? &computed : digest);
        if (r < 0)
                return log_error(r, "Cannot finish the %s file: %m", artefact_name(kind));
        return 0;
}

int image_file_write(Image *image, ArtefactKind kind, const char *data, size_t size) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = image_file_create(image, artefact_name(kind), &path);

        if (fd < 0)
                return fd;
        const int r = fd_write_all(fd, data, size);
        if (r < 0)
                return image_file_fail(image, r, NULL, "Cannot write %s", path);
        return image_file_finish(image, kind, fd, TAKE_PTR(path), NULL);
}
