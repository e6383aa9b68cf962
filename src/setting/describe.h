/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything that is said about settings comes out of the table: help, manual, completion, summary, JSON, example. */

#include "setting/load-args.h"
#include "setting/setting.h"

typedef struct SettingProgram {
        const char *name, *version, *purpose; /* "mkosi", "0.1.0", "Build OS images" */
        const char *date;                     /* of this version, "2025-01-31", for the manual; NULL: none */
        const char *about; /* the manual's DESCRIPTION, paragraphs separated by empty lines */
        const char *
                synopsis; /* what a page about files says in place of options and verbs; NULL: a program's page */
        const char *files_about; /* the manual's FILES, as "name\ttext\n" lines; NULL: none */
        const char *see_also;    /* the manual's SEE ALSO: "systemd-nspawn(1), bootctl(1)"; NULL: none */
        const SettingVerb *verbs;
        size_t n_verbs;
        const SettingTable *table;
} SettingProgram;

/* At most 80 columns. */
void describe_help(const SettingProgram *program, FILE *file);
/* man(7) source: of section 1, or of section 5 for one about files. */
void describe_manual(const SettingProgram *program, FILE *file);
/* A settings file with everything commented out. */
void describe_example(const SettingProgram *program, FILE *file);
/* shell is "bash", "zsh" or "fish"; -EINVAL for another. */
int describe_completion(const SettingProgram *program, const char *shell, FILE *file);

/* Every setting by section: value, and origin of every value. all false: only what is not unset. -ENOMEM. */
int describe_summary(const SettingStore *store, bool all, FILE *file);
/* { "Output": { "Format": { "value": …, "origin": [ { "source": "file", "file": …, "line": …, "items": … } ] } } }
 * inside the object that is open. */
int describe_json(const SettingStore *store, JsonWriter *writer);
