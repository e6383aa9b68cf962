/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of `mkosi-run`, and the transient unit that comes of it. */

#include "base/macro.h"

typedef struct RunOptions {
        const char *runtime; /* where the manager is; NULL: the usual place */
        const char *helper;  /* the exec helper of a manager of our own; NULL: the installed one */
        char *unit;          /* its name, complete; NULL: one is made up */
        char **properties;   /* "NAME=VALUE" in the order in which they were given */
        char **environment;  /* "NAME=VALUE" */
        char **command;      /* words of argv, not owned */
        bool wait, pty, pipe, quiet, collect, no_block;
        bool help, version;
} RunOptions;

/* Reads the command line, and says what is wrong with it: -EINVAL then. */
int run_options_read(int argc, char *argv[], RunOptions *ret);
void run_options_done(RunOptions *options);
void run_options_help(void);

/* The unit's settings: what was asked for, and the command, found in $PATH. terminal: path of the terminal that the service
 * gets; NULL: none. -ENOENT when there is no such program, which was logged then. */
int run_options_unit(const RunOptions *options, const char *terminal, char ***ret);

/* A word as exec_command_parse() reads it back, whatever is in it. */
int exec_command_quote(const char *word, char **ret);
