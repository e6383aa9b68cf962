/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Goes through all that is in a directory, however deep it is nested, without recursion and with few open descriptors: for trees
 * that others have made. No link is followed, and what is mounted is not entered. A directory comes after what is in it. What is
 * made, moved or removed meanwhile may be missed. */

#include "base/macro.h"

/* What is there. The names last until the callback returns. */
typedef struct DeepNode {
        int parent_fd; /* the directory that it lies in, not O_PATH */
        const char *name;
        int fd; /* of a directory, not O_PATH; of all else -EBADF */
} DeepNode;

/* Answers of callbacks: a negative errno ends the walk, and so does a positive one. */
typedef enum DeepAnswer {
        DEEP_GO_ON = 0,
        DEEP_END = 1,  /* found what was looked for */
        DEEP_SKIP = 2, /* enter(): it is gone, or none of our business: neither what is in it nor visit() */
        DEEP_AGAIN =
                3, /* visit() of a directory: what is in it comes once more, because it may have more entries now */
} DeepAnswer;

typedef struct DeepWalk {
        /* Of a directory, before what is in it; NULL: always gone into. */
        int (*enter)(const DeepNode *node, void *userdata);
        int (*visit)(const DeepNode *node, void *userdata);
        /* Of a directory on which something is mounted; NULL: nothing is done. */
        int (*mounted)(const DeepNode *node, void *userdata);
        void *userdata;
} DeepWalk;

/* The directory itself is not visited, and stays open. 0 at the end, DEEP_END, or a negative errno: -ESTALE when a directory
 * deep below was moved elsewhere meanwhile, and the way back is lost. */
int deep_walk(int fd, const DeepWalk *walk);
