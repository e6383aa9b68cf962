/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The project's scripts: where each runs, what it finds there, and what is said when it fails. */

#include "image/image.h"

typedef enum ScriptKind {
        SCRIPT_PREPARE,
        SCRIPT_BUILD,
        SCRIPT_POSTINST,
        SCRIPT_FINALIZE,
        SCRIPT_MAX,
} ScriptKind;

typedef struct ScriptType {
        size_t setting;
        const char *title;
        const char *place;  /* path inside; NULL: in /root, by its own name */
        bool takes_phase;   /* the argument "build" or "final" */
        bool needs_network; /* whatever WithNetwork= says */
        bool on_host;       /* it is not run inside of the tree */
} ScriptType;

extern const ScriptType script_types[SCRIPT_MAX];

/* Where the build script finds things, inside of the development tree. */
#define SCRIPT_SOURCES     "/root/src"
#define SCRIPT_DESTINATION "/root/dest"
#define SCRIPT_BUILD_ROOT  "/root/build"

/* What of the host the build script sees: paths of directories. */
typedef struct ScriptPlaces {
        const char *sources, *destination;
        const char *build; /* NULL: none */
        char *const *
                hidden; /* files in the sources, by relative paths, that are seen as empty ones; NULL: none */
} ScriptPlaces;

/* Runs the script of the kind, which the configuration has, on the tree of the image under way: inside of it, or, to finalize
 * it, on the host. Its output is shown line by line. Places are the build script's, NULL for others. When it fails, that is
 * logged with everything that helps to find out why; with --debug-shell a shell is opened then, and with --keep-failed the
 * tree is kept. -EINTR when interrupted. */
int script_run(Image *image, ScriptKind kind, const ScriptPlaces *places);

/* Reads what the shell has noted of the last command that failed ("14 /root/mkosi.build"). -EBADMSG when that is no
 * number and path. */
int script_parse_failure(const char *text, unsigned *ret_line, const char **ret_file);

/* What bash, and only bash, reads before the script at that place: for the script itself, and for no other that it runs, the
 * place of the last command that failed is noted. A trap that the script sets takes precedence. */
int script_bash_environment(const char *place, char **ret);
