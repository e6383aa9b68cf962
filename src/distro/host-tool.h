/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs of programs of the host on a tree. All that configures them is written to a directory of the workspace, which
 * they find at /run/NAME; nothing of the host is read but the programs themselves: neither configuration nor keys nor
 * databases. */

#include "distro/distro-run.h"

#define HOST_TOOL_MOUNTS_MAX 20
#define HOST_TOOL_HOME       "home" /* below the directory: what is /root inside */

/* What a status of the program means: 0 all is well, 1 all is installed but a script of a package failed, negative
 * errno: it failed. */
typedef int (*HostToolJudge)(int status);

typedef struct HostTool {
        const char *name;          /* of the directory of the workspace */
        const char *const *places; /* directories below it; HOST_TOOL_HOME and the cache are always there */
        const char *cache;         /* such a directory, where the package cache is mounted if there is one */
        const char *const *hidden; /* directories of the host's configuration, hidden where they are */
        const char *const *tree_places; /* directories of the tree that have to be there; NULL: none */
        const char *const *environment; /* NULL: nothing beside the usual */
} HostTool;

/* The work of a tool on one tree. */
typedef struct HostRun {
        const HostTool *tool;
        const Installation *installation;
        int directory_fd;         /* the tool's directory of the workspace */
        char *directory, *inside; /* its path, and that of the same inside */
        char *home, *cache_inside;
        const char *mirror_directory; /* of this machine; NULL: the mirror is elsewhere */
        SandboxMount mounts[HOST_TOOL_MOUNTS_MAX];
        size_t n_mounts;
} HostRun;

#define HOST_RUN_INIT(t, i) \
        { .tool = (t), .installation = (i), .directory_fd = -EBADF }

void host_run_done(HostRun *run);

/* Makes the directory and its places, and hides the host's configuration. Not logged, like the next. */
int host_run_open(HostRun *run);

/* For what installs packages: the package cache, a mirror on this machine, and what scripts of packages find in the
 * tree. */
int host_run_mount_tree(HostRun *run);

/* A command line, for one stage of an installation. */
typedef struct HostCommand {
        const char *const *argv;
        const char *doing;
        bool network;           /* unless the mirror is a directory of this machine */
        HostToolJudge judge;    /* NULL: any status but 0 is a failure */
        const DistroData *data; /* as in DistroCommand, like the next two */
        void (*on_line)(const char *line, void *userdata);
        void *userdata;
} HostCommand;

/* Runs it and returns its status; what is no status is logged, and a negative errno. */
int host_run_execute(const HostRun *run, const HostCommand *command, ToolLog *log);

/* The same, with failures logged by what the tool says. A script that fails behind the installation of its package is
 * for people to judge, since many of them mean little: that is a warning. */
int host_run_command(const HostRun *run, const HostCommand *command);
