/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Profiles: settings files with a name, NAME.conf, in mkosi.profiles/ of the project and among what is installed with the
 * program. The project's hide those of the same name. */

#include "base/macro.h"

#define PROFILES_DIRECTORY "mkosi.profiles"

typedef struct ConfigProfile {
        char *name, *path;
        char *about; /* its first line of comment that is no licence; "" if there is none */
} ConfigProfile;

typedef struct ConfigProfiles {
        ConfigProfile *items; /* by name */
        size_t n_items;
} ConfigProfiles;

/* Where they are, the strongest first, for a project in the directory; NULL: the working directory. */
int config_profile_directories(const char *project, char ***ret);

/* All of them; what cannot be read is left out. */
int config_profiles_list(const char *const *directories, ConfigProfiles *ret);
void config_profiles_done(ConfigProfiles *profiles);

/* The path of one. -EINVAL for what cannot be a name (letters, digits, "-_."), -ENOENT when there is none of that name. */
int config_profile_find(const char *const *directories, const char *name, char **ret);
