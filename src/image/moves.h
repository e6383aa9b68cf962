/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Several results at once: a list of moves, which is undone from its end if one of them fails. */

#include "base/macro.h"

#define MOVES_MAX 32

typedef struct Move {
        char *from, *to;
        bool exchanged; /* what was at `to` is at `from` now */
        bool thawed;    /* and was a read-only subvolume */
} Move;

/* Those that were made. */
typedef struct Moves {
        Move items[MOVES_MAX];
        size_t n_items;
} Moves;

void moves_done(Moves *moves);

/* Moves what is at `from` to `to`, as output_publish() does. */
int moves_add(Moves *moves, const char *from, const char *to, bool replace);

/* Takes back all of them, the last one first. */
void moves_undo(const Moves *moves);

/* Brings the names in a directory to the disk. Failures are logged. */
int moves_sync(const char *directory);
