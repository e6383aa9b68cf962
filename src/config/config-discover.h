/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Special files of a project: each fills a setting that nobody gave. */

#include "config/config-load.h"

#define ROOT_PASSWORD_FILE     "mkosi.rootpw"
#define ROOT_PASSWORD_SIZE_MAX 1024

/* Looks for them in the working directory. What has the name and is of another kind is a mistake; they are collected. */
int config_discover(LoadedConfig *loaded);
