/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the program can do. */

#include "config/config-load.h"

#define EXIT_USAGE 2

typedef struct Verb {
        bool needs_config;  /* reads the settings of the project, and refuses mistakes in them */
        bool needs_support; /* and those that this version does not act on */
        bool needs_files;   /* reads the settings as they are said, whether they go together or not */
        /* What is so when a signal cut it short; NULL: "nothing was changed". */
        const char *interrupted;
        /* The exit status, or a negative errno, which has been logged. -ECANCELED after a signal: that was logged as well. */
        int (*run)(LoadedConfig *loaded, mode_t caller_umask);
} Verb;

/* The words; verbs[i] is what verb_words[i] does. The first one is meant when none is given. */
extern const SettingVerb verb_words[];
extern const Verb verbs[];
extern const size_t n_verbs;

/* The rows of verbs[]; those of verb-image.c and verb-run.c are there. */
int verb_build(LoadedConfig *loaded, mode_t caller_umask);
int verb_summary(LoadedConfig *loaded, mode_t caller_umask);
int verb_json(LoadedConfig *loaded, mode_t caller_umask);
int verb_plan(LoadedConfig *loaded, mode_t caller_umask);
int verb_clean(LoadedConfig *loaded, mode_t caller_umask);
int verb_genkey(LoadedConfig *loaded, mode_t caller_umask);
int verb_attach(LoadedConfig *loaded, mode_t caller_umask);
int verb_verify(LoadedConfig *loaded, mode_t caller_umask);
int verb_shell(LoadedConfig *loaded, mode_t caller_umask);
int verb_boot(LoadedConfig *loaded, mode_t caller_umask);
int verb_qemu(LoadedConfig *loaded, mode_t caller_umask);

/* --help and --version, which may stand with any verb. */
int verb_help(LoadedConfig *loaded, mode_t caller_umask);
int verb_version(void);

/* r, when all that was printed on standard output arrived there; otherwise the failure is logged. */
int verb_finish_output(int r);
