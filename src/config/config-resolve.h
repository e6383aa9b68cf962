/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config-load.h"

/* The machine that builds, as far as it matters to what is built. */
typedef struct ConfigHost {
        const char *root;    /* where its etc/os-release is found */
        const char *machine; /* what uname(2) calls its architecture */
} ConfigHost;

/* Completes what was asked: host's distribution and release, names, sizes, mirrors, implied settings, each with a
 * derived origin. Contradictions are collected in loaded->mistakes, with the origins of both sides; -EINVAL then. */
int config_resolve(LoadedConfig *loaded);

/* What files beside the output are named after: its path without the suffixes .raw, .tar, .qcow2, .xz, .zst, .gz, cut
 * off as long as there are any (spec 2.6: "a.b.raw.xz" gives "a.b"). */
int config_output_stem(const Config *config, char **ret);
/* The same of any output. */
int config_output_stem_of(const char *output, char **ret);

/* The path of the output before it is compressed: without the suffix of CompressOutput=, if it has it. */
int config_output_uncompressed(const Config *config, char **ret);

/* The same for a host that is given. */
int config_resolve_for(LoadedConfig *loaded, const ConfigHost *host);

/* Refuses, all at once, every setting whose value asks for what this version does not do (Setting.planned), and
 * distributions and formats that are not there yet: in loaded->mistakes, and -EINVAL. Called by build and plan after
 * config_resolve(); summary shows the same as warnings. */
int config_check_planned(LoadedConfig *loaded);

/* Whether the distribution comes in releases; where it does not, Release= is ignored, whatever it says. */
bool config_has_releases(const Config *config);
