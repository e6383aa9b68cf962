/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which options there are, and to which verbs they belong. */

#include "client/ctl.h"
#include "setting/load-args.h"

extern const SettingTable ctl_option_table;

/* A verb is a row in each of two tables: what people are told of it, and what it does. */
typedef struct CtlVerbs {
        const SettingVerb *words;
        const CtlVerb *items;
        size_t n_items;
} CtlVerbs;

/* Refuses, with a message, what means nothing to the verb of that number, and completes what follows from the options. */
int ctl_options_check(CtlOptions *options, const SettingStore *store, const CtlVerbs *verbs, size_t verb);
