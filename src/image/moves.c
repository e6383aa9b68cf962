/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "image/moves.h"
#include "image/output.h"

void moves_done(Moves *moves) {
        for (size_t i = 0; i < moves->n_items; i++) {
                free(moves->items[i].from);
                free(moves->items[i].to);
        }
}

/* Sets the property of a subvolume; returns 1 when it was otherwise before. */
static int set_read_only(const char *path, bool read_only) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || subvolume_is(fd) <= 0)
                return 0;
        int r = subvolume_get_read_only(fd);
        if (r < 0 || (r > 0) == read_only)
                return MIN(r, 0);
        r = subvolume_set_read_only(fd, read_only);
        return r < 0 ? r : 1;
}

void moves_undo(const Moves *moves) {
        for (size_t i = moves->n_items; i-- > 0;) {
                const Move *move = &moves->items[i];

                if (move->exchanged)
                        (void)output_publish(move->from, move->to, true);
                else
                        (void)rename(move->to, move->from);
                if (move->thawed)
                        (void)set_read_only(move->exchanged ? move->to : move->from, true);
        }
}

int moves_add(Moves *moves, const char *from, const char *to, bool replace) {
        Move *item = &moves->items[moves->n_items];
        struct stat status;

        assert(moves->n_items < MOVES_MAX);

        *item = (Move){};
        int r = text_copy(from, &item->from);
        if (r >= 0)
                r = text_copy(to, &item->to);
        /* Subvolumes that are read-only cannot be renamed. */
        if (r >= 0)
                r = set_read_only(replace ? to : from, false);
        if (r >= 0) {
                item->thawed = r > 0;
                r = output_publish(from, to, replace);
        }
        if (r < 0) {
                if (item->thawed)
                        (void)set_read_only(replace ? to : from, true);
                free(item->from);
                free(item->to);
                return r;
        }
        item->exchanged = lstat(from, &status) == 0;
        moves->n_items++;
        return 0;
}

int moves_sync(const char *directory) {
        _cleanup_(fd_closep) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
                return log_error(-errno, "Cannot write the directory %s to disk: %m", directory);
        return 0;
}
