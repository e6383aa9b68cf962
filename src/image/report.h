/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a build that ended well says last: a table of results with their sizes and of steps with their times for people, and
 * for programs the event "result", with the member artefacts: kind, path, size and sha256 of each. */

#include "base/progress.h"
#include "image/artefact.h"

void report_print(const Artefacts *artefacts, Progress *progress);
