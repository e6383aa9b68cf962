/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How package tools are run: in a sandbox on the tree or on the host's root, their output followed. */

#include "distro/distro.h"
#include "distro/tool-log.h"

/* Where the tree is for a tool that runs on the host's root: the same on every machine, so that no path of ours gets into
 * what it writes. */
#define DISTRO_TREE "/run/tree"

/* For a command that reads or writes data. */
typedef struct DistroData {
        int stdin_fd;  /* -EBADF: nothing to read */
        int stdout_fd; /* standard output, of which nothing is followed or logged then; -EBADF: as without */
} DistroData;

typedef struct DistroCommand {
        const char *const *argv;
        const char *doing; /* for messages: "install packages" */
        bool on_host; /* on the host's root, read-only, with the tree at DISTRO_TREE; else inside the tree */
        bool network;
        const char *const *environment; /* beside the usual, or in the place of it */
        const SandboxMount *mounts;     /* after the usual */
        size_t n_mounts;
        const char *working_directory; /* inside; NULL: "/" */
        bool lasting;                  /* writes what outlives the build: syncing is not suppressed */
        bool terminal;          /* a person works with it: our standard input, and output to standard error */
        const DistroData *data; /* NULL: neither; not with terminal */
        /* Called for every line of output instead of following it as that of a package tool. */
        void (*on_line)(const char *line, void *userdata);
        void *userdata;
} DistroCommand;

/* Runs the command and follows its output in log, which is to be freed in any case. Returns the exit status; a command
 * that could not be run is logged and a negative errno. -EINTR when interrupted, not logged. */
int distro_execute(const Installation *installation, const DistroCommand *command, ToolLog *log);

/* The same where any other status than 0 is a failure: logs it and returns a negative errno. */
int distro_run(const Installation *installation, const DistroCommand *command);

/* Where the host's tools are looked for, as $PATH has it: ExtraSearchPaths=, and the standard directories. */
int distro_search_path(const Config *config, char **ret);

/* What the command finds in its environment, each name once; what comes later replaces what came before: what every tool
 * finds ($HOME, $LC_ALL, $TERM, $SYSTEMD_OFFLINE, $PATH), of ours only the time to clamp to and, with the network, the
 * proxies, then what the command has of its own. */
int distro_environment(const Config *config, const DistroCommand *command, char ***ret);
