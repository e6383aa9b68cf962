/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"
#include "setting/load-args.h"

/* A Config with the origin of every value. */
typedef struct LoadedConfig {
        Config config;
        SettingStore *store; /* over config */
        SettingMistakes mistakes;
        SettingArguments arguments; /* verb and its words */
        unsigned host_architecture; /* of the machine that builds; ARCHITECTURE_MAX until resolved */
} LoadedConfig;

/* Reads the command line, changes to --directory, reads mkosi.default (or --default) and its drop-ins, looks for the
 * special files. Mistakes are in ret->mistakes and make the answer -EINVAL (files) or -EBADMSG (the command line: usage).
 * ret is always to be freed. With --help or --version no file is read. */
int config_load(const SettingVerb *verbs, size_t n_verbs, int argc, char *const argv[], LoadedConfig **ret);

/* Its two halves, for verbs that need no settings (help, completion). */
int config_load_arguments(const SettingVerb *verbs, size_t n_verbs, int argc, char *const argv[],
                          LoadedConfig **ret);
int config_load_files(LoadedConfig *loaded);

void loaded_config_free(LoadedConfig *loaded);
DEFINE_CLEANUP(LoadedConfig, loaded_config_free)
