/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config-load.h"

/* Completes what was asked: host's distribution and release, names, sizes, mirrors, implied settings, each with a derived
 * origin. Contradictions are collected in loaded->mistakes, with the origins of both sides; -EINVAL then. */
int config_resolve(LoadedConfig *loaded);

/* Refuses, all at once, every setting whose value asks for what this version does not do (Setting.planned), and
 * distributions and formats that are not there yet. Called by build and plan; summary shows the same as warnings. */
int config_check_planned(LoadedConfig *loaded);
