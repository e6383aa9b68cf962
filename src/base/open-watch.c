/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/open-watch.h"

typedef struct OpenedInode {
        dev_t device;
        ino_t inode;
} OpenedInode;

struct OpenWatch {
        int fd;
        OpenedInode *inodes; /* sorted when it is finished */
        size_t n_inodes, n_allocated;
};

void open_watch_free(OpenWatch *watch) {
        if (!watch)
                return;
        (void)fd_close(watch->fd);
        free(watch->inodes);
        free(watch);
}

/* The queue has no limit: it is read when all is done, and a file that is opened twice is in it once or twice. */
int open_watch_new(const char *directory, OpenWatch **ret) {
        _cleanup_(open_watch_freep) OpenWatch *watch = calloc(1, sizeof(*watch));

        if (!watch)
                return -ENOMEM;
        watch->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE,
                                  O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK);
        if (watch->fd < 0)
                return -errno;
        if (fanotify_mark(watch->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, directory) < 0)
                return -errno;
        *ret = TAKE_PTR(watch);
        return 0;
}

static int add_inode(OpenWatch *watch, int fd) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return -errno;
        if (watch->n_inodes == watch->n_allocated) {
                const size_t n = MAX(2 * watch->n_allocated, (size_t)1024);
                OpenedInode *more = reallocarray(watch->inodes, n, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                watch->inodes = more;
                watch->n_allocated = n;
        }
        watch->inodes[watch->n_inodes++] = (OpenedInode){ .device = status.st_dev, .inode = status.st_ino };
        return 0;
}

/* The event has a descriptor, which is ours to close. */
static int take_event(OpenWatch *watch, const struct fanotify_event_metadata *event) {
        int r = 0;

        if (event->vers != FANOTIFY_METADATA_VERSION)
                return -EPROTO;
        if (event->fd >= 0) {
                r = add_inode(watch, event->fd);
                (void)close(event->fd);
        }
        return event->mask & FAN_Q_OVERFLOW ? -EOVERFLOW : r;
}

static int compare_inodes(const void *a, const void *b) {
        const OpenedInode *x = a, *y = b;

        if (x->device != y->device)
                return x->device < y->device ? -1 : 1;
        return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* One at a time: of several, the kernel would drop the one whose file it cannot open, and say nothing. */
int open_watch_finish(OpenWatch *watch) {
        struct fanotify_event_metadata event;

        for (;;) {
                const ssize_t n = read(watch->fd, &event, sizeof(event));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno != EAGAIN)
                        return -errno;
                if (n <= 0)
                        break;
                const int r = (size_t)n < sizeof(event) ? -EPROTO : take_event(watch, &event);
                if (r < 0)
                        return r;
        }
        watch->fd = fd_close(watch->fd);
        if (watch->n_inodes > 1)
                qsort(watch->inodes, watch->n_inodes, sizeof(*watch->inodes), compare_inodes);
        return 0;
}

bool open_watch_saw(const OpenWatch *watch, const struct stat *status) {
        const OpenedInode key = { .device = status->st_dev, .inode = status->st_ino };

        return watch->n_inodes > 0 &&
               bsearch(&key, watch->inodes, watch->n_inodes, sizeof(key), compare_inodes);
}
