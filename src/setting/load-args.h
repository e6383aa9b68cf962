/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "setting/setting.h"

/* A program's words that are no options: "build", "summary". */
typedef struct SettingVerb {
        const char *name, *metavar; /* metavar NULL: no further words */
        bool takes_rest;   /* everything after the verb belongs to it, options too (shell, boot, qemu) */
        const char *help;  /* one line */
        const char *about; /* one paragraph */
        /* Prints what the words behind it may be, one a line, for shells to complete; NULL: none. */
        const char *list_command;
} SettingVerb;

typedef struct SettingArguments {
        const SettingVerb *verb; /* NULL: none given */
        char **rest;             /* the words after the verb */
} SettingArguments;

/* Reads argv[1…]: options anywhere before a verb and after it, values as --option value or --option=value, unambiguous
 * prefixes of long options, combined letters (-if), attached values (-tdirectory), "--" ends options (one right after
 * a verb that takes the rest is dropped). A type with optional_value takes one only after '='. The store's rows record
 * the command line as origin; list items collected here come before those that files add, and scalars set here win:
 * load arguments FIRST, then files with this store. Mistakes are collected; -ENOMEM is the only error. */
int setting_load_arguments(SettingStore *store, const SettingVerb *verbs, size_t n_verbs, int argc,
                           char *const argv[], SettingArguments *ret, SettingMistakes *mistakes);
void setting_arguments_done(SettingArguments *arguments);
