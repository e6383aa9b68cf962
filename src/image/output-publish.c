/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/stat.h>

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/moves.h"
#include "image/output.h"

static_assert(MOVES_MAX >= 2 * ARTEFACT_MAX, "there may be more results than moves");

static int move_aside(Moves *moves, const char *path, const char *aside) {
        _cleanup_(freep) char *to = NULL;

        int r = text_format(&to, "%s/old-%zu", aside, moves->n_items);
        if (r >= 0)
                r = moves_add(moves, path, to, false);
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

static int publish(Moves *moves, const Config *config, const Artefacts *artefacts, const char *aside,
                   bool replace) {
        int r = replace ? clear_the_way(moves, config, artefacts, aside) : 0;

        for (size_t i = 0; i < artefacts->n_items && r >= 0; i++) {
                const Artefact *artefact = &artefacts->items[i];

                r = moves_add(moves, artefact->path, artefact->output, replace);
                if (r == -EEXIST)
                        return log_error(r, "%s exists already: use --force to replace it", artefact->output);
                if (r < 0)
                        return log_error(r, "Cannot put the result at %s: %m", artefact->output);
        }
        return r < 0 ? r : moves_sync(config->output_directory);
}

int output_publish_all(const Config *config, const Artefacts *artefacts, const char *aside, bool replace) {
        _cleanup_(moves_done) Moves moves = {};

        const int r = publish(&moves, config, artefacts, aside, replace);
        if (r < 0)
                moves_undo(&moves);
        return r;
}
