/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of the assembled image: another container, compression; and the tree as an archive, which is both at once. */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "format/stream.h"
#include "format/tar.h"
#include "image/compression-choice.h"
#include "image/image-file.h"
#include "image/plan.h"
#include "image/tree-usage.h"

/* The last form of the image, that is. */
static int finish(Image *image, int fd, char *path, const StreamResult *result) {
        return image_file_finish(image, ARTEFACT_IMAGE, fd, path, result ? &result->digest : NULL);
}

/* Nobody reads it again: its room is for what comes. */
static int drop(const char *path) {
        if (unlink(path) < 0)
                return log_error(-errno, "Cannot remove %s: %m", path);
        return 0;
}

/* qemu-img(1) knows the format best. */
int step_convert(Image *image) {
        _cleanup_(freep) char *path = NULL, *search_path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = path_join(image->workspace->path, "qcow2", &path);
        if (r >= 0)
                r = distro_search_path(image->config, &search_path);
        if (r < 0)
                return r;
        const char *const argv[] = { "qemu-img", "convert",       "-f", "raw", "-O",
                                     "qcow2",    image->raw_path, path, NULL };
        r = process_run(&(ProcessOptions){
                .argv = argv, .search_path = search_path, .stdin_fd = -EBADF, .stdout_fd = -EBADF });
        if (r == -EINTR)
                return r;
        if (r != 0)
                return log_error(r < 0 ? r : -EIO,
                                 "Failed to convert the image to QCOW2: qemu-img ended with status %d", r);

        r = drop(image->raw_path);
        if (r < 0)
                return r;
        free(TAKE_PTR(image->packed_path));
        r = text_copy(path, &image->packed_path);
        if (r < 0 || compression_choice_outside(image->config))
                return r;
        fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return log_error(-errno, "Cannot open %s: %m", path);
        return finish(image, fd, TAKE_PTR(path), NULL);
}

/* Opens a stream into a new file of the workspace. */
static int open_stream(const Image *image, int *ret_fd, char **ret_path, Stream **ret) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = image_file_create(image, "packed", &path);

        if (fd < 0)
                return fd;
        const int r = stream_new(&(StreamOptions){ .fd = fd,
                                                   .compressor = compression_choice_outside(image->config),
                                                   .level = (int)image->config->compress_output.level },
                                 ret);
        if (r < 0)
                return log_error(r, "Cannot begin to write %s: %m", path);
        *ret_fd = TAKE_FD(fd);
        *ret_path = TAKE_PTR(path);
        return 0;
}

static int close_stream(Image *image, Stream *stream, int fd, char *path) {
        StreamResult result;

        _cleanup_(freep) char *owned = path;

        const int r = stream_finish(stream, &result);
        if (r < 0)
                return image_file_fail(image, r, NULL, "Cannot write %s", path);
        return finish(image, fd, TAKE_PTR(owned), &result);
}

int step_compress(Image *image) {
        _cleanup_(stream_freep) Stream *stream = NULL;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int from = open(image->packed_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
                                 fd = -EBADF;
        struct stat status;

        if (from < 0 || fstat(from, &status) < 0)
                return log_error(-errno, "Cannot open %s: %m", image->packed_path);
        int r = open_stream(image, &fd, &path, &stream);
        if (r < 0)
                return r;
        progress_expect(image->progress, PROGRESS_BYTES, (uint64_t)status.st_size);
        r = stream_write_file(stream, from, 0, (uint64_t)status.st_size, image->progress);
        if (r < 0)
                return image_file_fail(image, r, NULL, "Cannot compress the image");
        r = close_stream(image, stream, fd, TAKE_PTR(path));
        return r < 0 ? r : drop(image->packed_path);
}

int step_archive(Image *image) {
        _cleanup_(stream_freep) Stream *stream = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = image_load_tree(image->root_path, "the image", &tree);
        if (r < 0)
                return r;
        r = open_stream(image, &fd, &path, &stream);
        if (r < 0)
                return r;
        progress_expect(image->progress, PROGRESS_BYTES, tree_usage_total(tree));
        r = tar_write(tree, &(TarOptions){ .time = image_time(image), .progress = image->progress }, stream,
                      &reason);
        if (r < 0)
                return image_file_fail(image, r, &reason, "Cannot write the archive");
        return close_stream(image, stream, fd, TAKE_PTR(path));
}
