/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of a git tree, as git itself lists them: what is tracked, and what is not ignored. */

#include "base/macro.h"
#include "base/reason.h"

typedef struct GitFiles {
        char **items; /* paths relative to the directory, sorted bytewise */
        size_t n_items, n_allocated;
} GitFiles;

/* Lists what git tracks below the directory, which is in a git tree, and with others also what it neither tracks nor
 * ignores. Submodules that are checked out, and trees of git inside of it, are listed with what they have. Files that are
 * tracked and were deleted are listed as well. The program git is looked for in search_path (NULL: $PATH); -ENOENT when it
 * is not there. Git says on standard error what it does not like; then this is -EIO with a reason. */
int git_files_list(const char *directory, const char *search_path, bool others, GitFiles *ret,
                   Reason *reason);
void git_files_done(GitFiles *files);

/* Whether a file of that path is listed, or, of a directory, any that lies in it. */
bool git_files_contain(const GitFiles *files, const char *path, bool is_directory);

/* Whether the directory belongs to a git tree, its own or one that begins above it and does not ignore the directory, as a
 * tree ignores what is built in it. Nothing that git tracks is ignored, nor anything where git cannot tell. */
int git_holds_directory(const char *directory, const char *search_path);
