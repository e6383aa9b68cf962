/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "image/beside.h"

#define BUFFER_SIZE (256 * KIB)

void beside_done(Beside *beside) {
        free(beside->path);
        free(beside->parent);
        (void)fd_close(beside->directory_fd);
        for (size_t i = 0; i < beside->n_files; i++)
                free(beside->files[i].name);
        free(beside->files);
        *beside = (Beside){ .directory_fd = -EBADF };
}

int beside_open(const char *image, Progress *progress, Beside *ret) {
        _cleanup_(beside_done) Beside beside = { .directory_fd = -EBADF, .progress = progress };

        int r = text_copy(image, &beside.path);
        if (r < 0)
                return r;
        for (size_t length = strlen(beside.path); length > 1 && beside.path[length - 1] == '/'; length--)
                beside.path[length - 1] = '\0';
        beside.name = path_base_name(beside.path);
        r = path_parent(beside.path, &beside.parent);
        if (r < 0)
                return r;
        beside.directory_fd = open(beside.parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (beside.directory_fd < 0)
                return -errno;
        *ret = beside;
        beside = (Beside){ .directory_fd = -EBADF };
        return 0;
}

int beside_name(const Beside *beside, const char *suffix, char **ret) {
        _cleanup_(freep) char *stem = NULL;

        const int r = config_output_stem_of(beside->name, &stem);
        return r < 0 ? r : text_format(ret, "%s%s", stem, suffix);
}

static int hash_all(int fd, Progress *progress, Sha256Digest *ret) {
        _cleanup_(freep) uint8_t *buffer = malloc(BUFFER_SIZE);
        _cleanup_(sha256_freep) Sha256 *hash = NULL;

        if (!buffer)
                return -ENOMEM;
        int r = sha256_new(&hash);
        while (r >= 0) {
                r = interrupt_check();
                if (r < 0)
                        return r;
                const ssize_t n = read(fd, buffer, BUFFER_SIZE);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return sha256_finish(hash, ret);
                r = sha256_add(hash, buffer, (size_t)n);
                progress_advance(progress, (uint64_t)n);
        }
        return r;
}

static int hash_new(Beside *beside, const char *name, BesideFile *ret) {
        _cleanup_(fd_closep) int fd =
                openat(beside->directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                return 0;
        ret->size = (uint64_t)status.st_size;
        progress_detail(beside->progress, name);
        progress_expect(beside->progress, PROGRESS_BYTES, ret->size);
        const int r = hash_all(fd, beside->progress, &ret->digest);
        return r < 0 ? r : 1;
}

int beside_hash(Beside *beside, const char *name, BesideFile *ret) {
        BesideFile file = {};

        for (size_t i = 0; i < beside->n_files; i++)
                if (text_equal(beside->files[i].name, name)) {
                        *ret = beside->files[i];
                        return 1;
                }
        int r = hash_new(beside, name, &file);
        if (r <= 0)
                return r;
        BesideFile *more = reallocarray(beside->files, beside->n_files + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        beside->files = more;
        r = text_copy(name, &file.name);
        if (r < 0)
                return r;
        *ret = more[beside->n_files++] = file;
        return 1;
}
