/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Properties as the verb show has them: the lines of systemctl(1), or a member of a JSON object. Both read the value, of the
 * type `contents`, from the message. */

#include <stdio.h>

#include "base/json.h"

struct sd_bus_message;

/* "NAME=VALUE", or the value alone: a line, but for lists of commands, which have one for each. */
int property_print(struct sd_bus_message *message, const char *name, const char *contents, bool value_only,
                   FILE *file);
/* Numbers, texts, truth values, and arrays and objects of them; null for what is not known, or has no limit. */
int property_print_json(struct sd_bus_message *message, const char *name, const char *contents,
                        JsonWriter *writer);
