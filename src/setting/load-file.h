/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "setting/setting.h"

#define SETTING_FILE_SIZE_MAX (1024 * 1024)

/* Reads one settings file, given as text, into the store. `name` is how messages call the file. Mistakes are collected,
 * all of the file at once; -ENOMEM is the only error. Lists add up (or replace, by their flag, what earlier FILES said);
 * of other settings the later file wins.
 *
 * The syntax of projects: "[Section]" and "Key=value" lines, blanks around everything dropped; '#' or ';' begins a
 * comment line, never a comment behind a value; a line indented deeper than its key line continues the value, also after
 * empty lines and comments; the lines of a value are joined by one blank. Of units, systemd.syntax(7): the same, but that
 * a backslash at the end of a line becomes a blank and the next line continues the value, comments in between left out,
 * and that indentation says nothing. What is unknown there is a warning; a section that is not closed is a mistake. */
int setting_load_text(SettingStore *store, const char *name, const char *text, size_t size,
                      SettingMistakes *mistakes);

/* Opens and reads the file; the path is how messages call it. -ENOENT when it is not there, another errno when it
 * cannot be read; one that is too large is a mistake. */
int setting_load_file(SettingStore *store, const char *path, SettingMistakes *mistakes);
