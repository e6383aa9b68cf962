/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions about the values of a loaded configuration, and messages about them. Members are named by their offset:
 * CONFIG(format). */

#include "config/config-load.h"

#define CONFIG(member) offsetof(Config, member)

const Setting *config_setting(size_t offset);
SettingSource config_source(const LoadedConfig *loaded, size_t offset);

/* Whether a user said it, in a file, on the command line, or by a special file. */
bool config_is_given(const LoadedConfig *loaded, size_t offset);
/* Whether the value asks for anything: not "no", 0, or an empty list. */
bool config_asks(const Config *config, const Setting *setting);

/* Where the value came from, or of a list the item with that index. */
int config_where(const LoadedConfig *loaded, size_t offset, size_t index, char **ret);
/* "Format=directory", of lists and secrets "Packages=", of what files cannot say "--incremental". */
int config_say(const LoadedConfig *loaded, size_t offset, char **ret);
/* All values that it has, of a list its items, as texts; paths as they are seen from the working directory. Of a secret
 * "set" at most. */
int config_list_values(const LoadedConfig *loaded, const Setting *setting, char ***ret);
/* The path as it is seen from the working directory, if it lies there. */
int config_path_say(const char *path, char **ret);

/* Collects "where: text", where the item with that index came from. 0 or -ENOMEM. */
int config_mistake(LoadedConfig *loaded, size_t offset, size_t index, const char *format, ...) _printf_(4, 5);
int config_warn(LoadedConfig *loaded, size_t offset, const char *format, ...) _printf_(3, 4);

/* Notes where a value came from that resolving has filled in. */
int config_note(LoadedConfig *loaded, size_t offset, SettingSource source, const char *file);
/* Fills in a text that is not there yet; NULL: nothing to fill in. */
int config_fill(LoadedConfig *loaded, size_t offset, const char *value, SettingSource source,
                const char *file);
