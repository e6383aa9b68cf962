/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that hold private keys, passphrases and root's password: what nobody is to see, whatever name leads to it. */

#include <sys/stat.h>

#include "config/config.h"

typedef struct SecretFile {
        dev_t device;
        ino_t inode;
} SecretFile;

typedef struct SecretFiles {
        SecretFile *items; /* those that are there */
        size_t n_items;
        char **paths; /* absolute: those that settings name, whether they are there or not */
} SecretFiles;

/* Those that the settings name, by a path or a URI "file:", and those of the usual names in the working directory, also
 * where the settings ask for nothing of the kind at the moment. */
int secret_files_list(const Config *config, SecretFiles *ret);
void secret_files_done(SecretFiles *files);

/* Adds what the path leads to. What is not there is fine. */
int secret_files_add(SecretFiles *files, const char *path);

/* Whether the path's last component is a usual name ("mkosi.passphrase"), or what an interrupted genkey left of one. */
bool secret_files_have_name(const char *path);

/* Whether what lies at the path, relative to a directory, is one of them, by name or as another name of the same inode.
 * Directories never are. */
bool secret_files_contain(const SecretFiles *files, const char *directory, const char *path,
                          const struct stat *status);

/* Appends which of them lie in trees that are copied into the image: by another name, or because the settings name them
 * there. What merely has a usual name is the tree's own. */
int secret_files_check_trees(const Config *config, char ***problems);
