/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a manager leaves that is killed in the middle of a start or an end, when there is no state of the unit yet, or none any
 * more. */

#include "manager/manager.h"

/* Removes it: directories without a state, temporary files, groups of version 1 that have no counterpart, and what pins network
 * namespaces. To be called once all that runs is adopted; what others have is left alone. */
void unit_leftover_sweep(Manager *manager);
