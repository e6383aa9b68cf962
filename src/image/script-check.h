/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps the project's scripts from being started: said before anything is done where the script and the host are
 * enough to know it, and before the script is run where its tree is needed. */

#include "config/config-load.h"
#include "image/script.h"

/* What the beginning of a script says of how it is run. */
typedef struct ScriptHead {
        char *interpreter;    /* NULL: none is named */
        char *sought;         /* the program that env(1), as the interpreter, is to look for; NULL: none */
        bool marked;          /* begins with a byte order mark, behind which nobody looks for "#!" */
        bool carriage_return; /* the line that names the interpreter ends in CR LF */
        bool program;         /* it is no script, but a program (ELF) */
        unsigned program_machine; /* of a program, ELF's e_machine */
} ScriptHead;

int script_head_parse(const char *data, size_t size, ScriptHead *ret);
void script_head_done(ScriptHead *head);

/* Looks at all scripts that the configuration has, and appends what is wrong: where it was said that there is such a
 * script, which one it is, and what helps. */
int scripts_check(const LoadedConfig *loaded, char ***problems);

/* Whether the script, which is well in itself, can be run in the tree: what it is run by must be there. Otherwise that is
 * logged, and the answer is -ENOENT or -ENOEXEC; setting is the name of that by which packages get into the tree. */
int script_check_tree(const LoadedConfig *loaded, ScriptKind kind, const char *root, const char *setting);

/* Whether the interpreter is a shell that cannot tell in which line it failed. */
bool script_is_of_plain_shell(const LoadedConfig *loaded, ScriptKind kind);
