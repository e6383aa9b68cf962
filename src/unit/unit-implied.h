/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What settings imply. DynamicUser=yes means that nothing of the user is left behind, and so that it can write only where its
 * directories are, and cannot pass its rights on: systemd.exec(5), "DynamicUser=". */

#include "unit/unit-settings.h"

/* Fills in what follows from what is set, and notes what from. What is stricter stays; what would be weaker goes. Doing it
 * again changes nothing. */
int unit_settings_imply(SettingStore *store);
