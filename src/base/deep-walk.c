/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deep-walk.h"
#include "base/fd.h"
#include "base/text.h"
#include "base/tree.h"

/* So many of the innermost directories are open. */
#define OPEN_MAX 32

/* A directory on the way down. */
typedef struct DeepLevel {
        DIR *stream;   /* NULL: closed for now, or not open yet */
        long position; /* of the stream, while it is closed */
        char *name;    /* in the directory above; of the first level NULL */
        dev_t device;
        ino_t inode;
} DeepLevel;

typedef struct DeepStack {
        const DeepWalk *walk;
        DeepLevel *levels;
        size_t n_levels, n_allocated;
} DeepStack;

static void level_done(DeepLevel *level) {
        directory_closep(&level->stream);
        free(level->name);
        *level = (DeepLevel){};
}

static void stack_done(DeepStack *stack) {
        while (stack->n_levels > 0)
                level_done(&stack->levels[--stack->n_levels]);
        free(stack->levels);
}

static int stack_grow(DeepStack *stack) {
        if (stack->n_levels < stack->n_allocated)
                return 0;
        const size_t n = stack->n_allocated ? 2 * stack->n_allocated : OPEN_MAX;
        DeepLevel *const grown = reallocarray(stack->levels, n, sizeof(DeepLevel));
        if (!grown)
                return -ENOMEM;
        stack->levels = grown;
        stack->n_allocated = n;
        return 0;
}

/* Takes the descriptor. */
static int level_open(DeepLevel *level, int fd) {
        level->stream = fdopendir(fd);
        if (level->stream)
                return 0;
        const int r = -errno;
        (void)fd_close(fd);
        return r;
}

static void level_close(DeepLevel *level) {
        if (!level->stream)
                return;
        level->position = telldir(level->stream);
        (void)closedir(TAKE_PTR(level->stream));
}

/* One level more; takes the descriptor. The one that is too far up to stay open is closed. */
static int stack_push(DeepStack *stack, int fd, const char *name) {
        struct stat status;

        int r = fstat(fd, &status) < 0 ? -errno : stack_grow(stack);
        if (r < 0) {
                (void)fd_close(fd);
                return r;
        }
        DeepLevel *const level = &stack->levels[stack->n_levels++];
        *level = (DeepLevel){ .device = status.st_dev, .inode = status.st_ino };
        r = level_open(level, fd);
        if (r >= 0 && name)
                r = text_copy(name, &level->name);
        if (r < 0)
                return r;
        if (stack->n_levels > OPEN_MAX)
                level_close(&stack->levels[stack->n_levels - 1 - OPEN_MAX]);
        return 0;
}

/* The directory above is looked for from the one that is left, and has to be the one that it was. Positions are those of the
 * file on Linux, which another stream can start from. */
static int level_reopen(DeepLevel *level, const DeepLevel *below) {
        _cleanup_(fd_closep) int fd =
                openat(dirfd(below->stream), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        if (status.st_dev != level->device || status.st_ino != level->inode)
                return -ESTALE;
        const int r = level_open(level, TAKE_FD(fd));
        if (r >= 0)
                seekdir(level->stream, level->position);
        return r;
}

/* All that is in the last level was visited: now itself. */
static int stack_pop(DeepStack *stack) {
        DeepLevel *const level = &stack->levels[stack->n_levels - 1], *const above = stack->n_levels > 1
                                                                                             ? level - 1
                                                                                             : NULL;
        int r = 0;

        if (above && !above->stream)
                r = level_reopen(above, level);
        if (r >= 0 && above)
                r = stack->walk->visit(&(DeepNode){ .parent_fd = dirfd(above->stream),
                                                    .name = level->name,
                                                    .fd = dirfd(level->stream) },
                                       stack->walk->userdata);
        if (r == DEEP_AGAIN) {
                rewinddir(level->stream);
                return 0;
        }
        level_done(level);
        stack->n_levels--;
        return r;
}

/* One entry of the last level. */
static int stack_step(DeepStack *stack, const struct dirent *entry) {
        const DeepWalk *const walk = stack->walk;
        DeepNode node = {
                .parent_fd = dirfd(stack->levels[stack->n_levels - 1].stream),
                .name = entry->d_name,
                .fd = -EBADF,
        };
        _cleanup_(fd_closep) int fd = -ENOTDIR;

        if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
                fd = tree_open_directory(node.parent_fd, node.name);
        if (fd == -EXDEV)
                return walk->mounted ? walk->mounted(&node, walk->userdata) : 0;
        if (fd == -ENOENT)
                return 0;
        if (fd == -ENOTDIR || fd == -ELOOP)
                return walk->visit(&node, walk->userdata);
        if (fd < 0)
                return fd;
        node.fd = fd;
        const int r = walk->enter ? walk->enter(&node, walk->userdata) : DEEP_GO_ON;
        if (r != DEEP_GO_ON)
                return r == DEEP_SKIP ? 0 : r;
        return stack_push(stack, TAKE_FD(fd), node.name);
}

static int stack_run(DeepStack *stack) {
        while (stack->n_levels > 0) {
                int r;

                errno = 0;
                const struct dirent *const entry = readdir(stack->levels[stack->n_levels - 1].stream);
                if (!entry)
                        r = errno != 0 ? -errno : stack_pop(stack);
                else if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;
                else
                        r = stack_step(stack, entry);
                if (r != 0)
                        return r;
        }
        return 0;
}

int deep_walk(int fd, const DeepWalk *walk) {
        _cleanup_(stack_done) DeepStack stack = { .walk = walk };

        const int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (own < 0)
                return -errno;
        const int r = stack_push(&stack, own, NULL);
        return r < 0 ? r : stack_run(&stack);
}
