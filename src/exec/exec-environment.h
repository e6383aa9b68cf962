/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The environment of a service, systemd.exec(5), "Environment": nothing of the helper's own but what is asked for. */

#include "exec/exec-context.h"
#include "exec/exec-directories.h"
#include "exec/exec-user.h"

#define EXEC_SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* In this order, of which the later counts: $PATH and $LANG, what the manager gives, $USER and the like, the directories,
 * $TERM where there is a terminal, PassEnvironment=, Environment=, EnvironmentFile=; at last UnsetEnvironment=. -EINVAL with a reason for
 * a file or a value that is none. */
typedef struct ExecEnvironment {
        const ExecContext *context;
        const UnitSettings *settings;
        const ExecIdentity *identity;
        const ExecDirectories *directories;
        bool terminal;
} ExecEnvironment;

int exec_environment_make(const ExecEnvironment *wish, char ***ret, Reason *reason);

/* Adds what a line of Environment= says, specifiers replaced; what is no variable is passed over. */
int exec_environment_add(const char *line, const char *unit, char ***list, Reason *reason);

/* What a file of EnvironmentFile= says, in its order: variables of which the name is one; other lines are passed over. */
int exec_environment_parse(const char *text, char ***ret);
