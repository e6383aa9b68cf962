/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files describe a unit, systemd.unit(5): its own, which is found by name, by alias, or by template, and others
 * that add to it. Among files of the same name in several directories the one of the highest precedence counts. */

#include "setting/setting.h"

/* The most files of a kind that may add to one unit, and the most aliases on the way to it. */
#define UNIT_FILES_MAX   1000
#define UNIT_ALIASES_MAX 16

/* Where units lie, highest precedence first: "/etc/systemd/system" and so on, each with the root in front. */
typedef struct UnitPaths {
        char *root; /* links are followed as if this were "/"; NULL: "/" */
        char **directories;
} UnitPaths;

/* The usual directories, below root ("/" or another), those of `own` first. */
int unit_paths_new(const char *root, const char *const *own, UnitPaths *ret);
/* One more, below the root. */
int unit_paths_add(UnitPaths *paths, const char *directory);
void unit_paths_done(UnitPaths *paths);

typedef struct UnitFiles {
        char *name;               /* of an alias that of the file */
        char *fragment;           /* path of its own file; NULL when it has none, or is masked */
        char **drop_ins;          /* NAME.d/X.conf, in the order in which they are to be read */
        char **wants, **requires; /* names that stand in NAME.wants/ and NAME.requires/ */
        bool masked;              /* its file is empty, or a link to /dev/null */
} UnitFiles;

/* Finds the files of the unit, or template, of a valid name. Drop-ins, wants and requires are also looked for under the name of
 * the template ("NAME@.service.d"), under what comes before a dash ("NA-.service.d" for NA-ME), and of drop-ins under the type
 * alone ("service.d"); all of this also under the names that lead to this one. What stands in the way is a mistake; -ENOMEM
 * is the only error. */
int unit_files_find(const UnitPaths *paths, const char *name, SettingMistakes *mistakes, UnitFiles *ret);
void unit_files_done(UnitFiles *files);

/* Whether a name is that of a link in the directory which makes it another name of a unit: 1 with that one's name, 0. What cannot
 * be looked at is none; -ENOMEM is the only error. */
int unit_alias_read(const UnitPaths *paths, const char *directory, const char *name, char **ret);

/* Whether a unit's own file is a link to one that lies outside of all directories of units. */
bool unit_file_is_linked(const UnitPaths *paths, const char *path);
/* Where the name is found first, whatever it is there; NULL when nowhere. */
const char *unit_file_directory(const UnitPaths *paths, const char *name);

/* Opens a path that begins with the root; all links on the way stay below the root. */
int unit_path_open(const UnitPaths *paths, const char *path, int flags);
/* Reads one of these files; errors as of file_read(). */
int unit_file_read(const UnitPaths *paths, const char *path, char **ret, size_t *ret_size);
