/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "setting/setting.h"

#define SETTING_FILE_SIZE_MAX (1024 * 1024)

/* Reads one settings file, given as text, into the store. `name` is how messages call the file. Mistakes are collected,
 * all of the file at once; -ENOMEM is the only error. Lists add up (or replace, by their flag, what earlier FILES said);
 * of other settings the later file wins. */
int setting_load_text(SettingStore *store, const char *name, const char *text, size_t size, SettingMistakes *mistakes);

/* Opens and reads the file. -ENOENT when it is not there. */
int setting_load_file(SettingStore *store, const char *path, SettingMistakes *mistakes);
