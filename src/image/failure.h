/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What helps whoever has to find out why a script or a package manager failed: its last lines, a shell in the state it left,
 * the tree kept for later, and how to ask for these. */

#include "distro/distro-run.h"
#include "image/image.h"

#define FAILURE_TAIL_LINES 20

/* The last lines of output. */
typedef struct FailureTail {
        char *lines[FAILURE_TAIL_LINES]; /* the oldest at n_lines % FAILURE_TAIL_LINES */
        size_t n_lines;
} FailureTail;

void failure_tail_add(FailureTail *tail, const char *line);
void failure_tail_log(const FailureTail *tail);
void failure_tail_done(FailureTail *tail);

/* Opens a shell in the tree, with all that the command has around it, on our own standard input; returns when it ends. */
int failure_shell(Image *image, const DistroCommand *command);

/* What a package manager, or another tool that works on the tree, has returned: if it failed, which is logged, does what
 * --debug-shell and --keep-failed ask for, or says how to. Where the tree has no shell that runs, one of the host is opened,
 * which sees the tree at DISTRO_TREE. Returns the same; -EINTR when interrupted. */
int failure_of_tool(Image *image, int r);

/* Where a failed tree is kept. */
int failure_tree_path(const Config *config, char **ret);
/* Keeps the tree of the image beside the output, in the place of one that was kept before. */
int failure_keep_tree(Image *image);

/* Says how to get a shell where it failed: the command that we were called by, with --debug-shell. */
int failure_hint(void);
/* The words of a command, quoted for a shell, with the option behind the first. */
int failure_quote_command(const char *const *words, const char *option, char **ret);
