/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command lines of unit files, systemd.service(5), "Command lines". */

#include "base/macro.h"
#include "base/reason.h"

typedef enum ExecCommandFlags {
        EXEC_COMMAND_IGNORE_FAILURE = 1 << 0, /* "-": a failure counts as a success */
        EXEC_COMMAND_UNCONFINED = 1 << 1,     /* "+": as root, without confinement */
        EXEC_COMMAND_NO_USER = 1 << 2,        /* "!": as root, but confined */
        EXEC_COMMAND_LITERAL = 1 << 3,        /* ":": variables are not replaced */
} ExecCommandFlags;

typedef struct ExecCommand {
        char *path;  /* absolute, or a name that is looked for in the usual directories */
        char **argv; /* argv[0] is what the program is told that it is called */
        unsigned flags;
} ExecCommand;

void exec_command_done(ExecCommand *command);

typedef struct ExecCommandList {
        ExecCommand *items;
        size_t n_items;
} ExecCommandList;

void exec_command_list_done(ExecCommandList *list);

/* The words of a value, with quotes and the escapes of C taken out, systemd.syntax(7): as many as there are. -EINVAL when a quote
 * has no end. */
int exec_words_read(const char *text, char ***ret, Reason *reason);

/* Adds the commands of a line (several have a ";" between them) to the list, with the specifiers replaced for the unit. A
 * backslash that escapes nothing stays. -EINVAL with a reason when it is no command, -E2BIG when it is too long; the list
 * has what it had then. */
int exec_command_parse(const char *line, const char *unit, ExecCommandList *list, Reason *reason);

/* The words with their variables replaced: "${NAME}" by the value, wherever it stands; "$NAME" as a word of its own by
 * none or more words; "$$" by "$". What is not set is empty; `missing` gets its name, once, if that is not NULL. */
int exec_command_expand(const char *const *argv, const char *const *environment, char ***ret,
                        char ***missing);
