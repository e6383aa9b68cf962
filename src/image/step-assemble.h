/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "config/config.h"

/* The partitions a configuration asks for, one line of text each; sizes that depend on the content are named so. */
int step_assemble_detail(const Config *config, char **ret);
