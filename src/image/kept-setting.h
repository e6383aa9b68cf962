/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which settings go into what is kept for later builds: a table with a row for every setting there is, whether it matters or
 * not, so that none can be forgotten. */

#include "config/config-load.h"
#include "image/kept-inputs.h"

/* The first thing that has to be made anew when the setting is another one; what is made of it follows. */
typedef enum KeptStage {
        KEPT_STAGE_NONE,        /* it says how the build goes, or is about something else than building */
        KEPT_STAGE_OUTPUT,      /* the output, of the same trees */
        KEPT_STAGE_DEVELOPMENT, /* the development tree */
        KEPT_STAGE_BASE,        /* the base tree, and with it everything */
        KEPT_STAGE_MAX,
} KeptStage;

/* How it gets on the list of inputs. */
typedef enum KeptSource {
        KEPT_BY_VALUE,  /* as it is */
        KEPT_BY_FILE,   /* its value, and the file that it names */
        KEPT_BY_TREE,   /* the same of directories that are copied into the image, and of archives */
        KEPT_BY_SECRET, /* its value, and which file it names: nothing is kept of what that holds */
        KEPT_BY_RULE,   /* by a function of its own */
        KEPT_BY_NOBODY, /* not at all: the output is not kept where it is set */
} KeptSource;

typedef struct KeptSetting {
        size_t member; /* offset in the Config */
        KeptStage stage;
        KeptSource source;
} KeptSetting;

extern const KeptSetting kept_settings[];
extern const size_t n_kept_settings;

/* The row of a setting, NULL if there is none. */
const KeptSetting *kept_setting_find(size_t member);

/* Adds all that the settings of a stage are, except what is added by a rule. Returns 1 when there is something that nobody
 * can list, such as a key on a token: then the list is not whole. */
int kept_settings_add(const LoadedConfig *loaded, KeptStage stage, KeptInputs *inputs);

/* Variables of Environment=, by their names: what is said of one of them, in this order, and what the caller's environment
 * has. The order of different variables makes no difference. */
int kept_settings_add_environment(const Config *config, KeptInputs *inputs);

/* No time in an image is later than these seconds: $SOURCE_DATE_EPOCH; INT64_MAX without it. */
int64_t kept_time_bound(void);
