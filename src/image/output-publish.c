/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several results at once: a list of moves, which is undone from its end if one of them fails. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/subvolume.h"
#include "base/text.h"
#include "image/output.h"

#define MOVES_MAX (2 * ARTEFACT_MAX)

typedef struct Move {
        char *from, *to;
        bool exchanged; /* what was at `to` is at `from` now */
        bool thawed;    /* and was a read-only subvolume */
} Move;

typedef struct Moves {
        Move items[MOVES_MAX];
        size_t n_items;
} Moves;

static void moves_done(Moves *moves) {
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

static void moves_undo(const Moves *moves) {
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

static int move(Moves *moves, const char *from, const char *to, bool replace) {
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

static int move_aside(Moves *moves, const char *path, const char *aside) {
        _cleanup_(freep) char *to = NULL;

        int r = text_format(&to, "%s/old-%zu", aside, moves->n_items);
        if (r >= 0)
                r = move(moves, path, to, false);
        if (r < 0)
                return log_error(r, "Cannot move %s out of the way: %m", path);
        return 0;
}

static bool is_made(const Artefacts *artefacts, const char *path) {
        for (size_t i = 0; i < artefacts->n_items; i++)
                if (text_equal(artefacts->items[i].output, path))
                        return true;
        return false;
}

/* Check sums and signatures that are there, and what earlier builds made and this one did not. */
static int clear_the_way(Moves *moves, const Config *config, const Artefacts *artefacts, const char *aside) {
        static const ArtefactKind first[] = { ARTEFACT_SIGNATURE, ARTEFACT_CHECKSUMS };
        _cleanup_(strv_freep) char **existing = NULL;
        struct stat status;

        int r = output_existing(config, true, &existing);
        if (r < 0)
                return log_error(r, "Cannot look for older results: %m");

        for (size_t i = 0; i < ELEMENTSOF(first); i++) {
                _cleanup_(freep) char *path = NULL;

                r = artefact_output(config, first[i], &path);
                if (r < 0)
                        return r;
                if (!strv_contains(STRV(existing), path))
                        continue;
                r = move_aside(moves, path, aside);
                if (r < 0)
                        return r;
        }
        for (char **path = existing; path && *path; path++) {
                if (is_made(artefacts, *path) || lstat(*path, &status) < 0)
                        continue;
                r = move_aside(moves, *path, aside);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The names are on disk when this returns. */
static int sync_directory(const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
                return log_error(-errno, "Cannot write the directory %s to disk: %m", path);
        return 0;
}

static int publish(Moves *moves, const Config *config, const Artefacts *artefacts, const char *aside,
                   bool replace) {
        int r = replace ? clear_the_way(moves, config, artefacts, aside) : 0;

        for (size_t i = 0; i < artefacts->n_items && r >= 0; i++) {
                const Artefact *artefact = &artefacts->items[i];

                r = move(moves, artefact->path, artefact->output, replace);
                if (r == -EEXIST)
                        return log_error(r, "%s exists already: use --force to replace it", artefact->output);
                if (r < 0)
                        return log_error(r, "Cannot put the result at %s: %m", artefact->output);
        }
        return r < 0 ? r : sync_directory(config->output_directory);
}

int output_publish_all(const Config *config, const Artefacts *artefacts, const char *aside, bool replace) {
        _cleanup_(moves_done) Moves moves = {};

        const int r = publish(&moves, config, artefacts, aside, replace);
        if (r < 0)
                moves_undo(&moves);
        return r;
}
