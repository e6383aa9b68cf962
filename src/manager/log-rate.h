/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many messages of a unit's processes get into the log: LogRateLimitIntervalSec= and LogRateLimitBurst=, systemd.exec(5). */

#include "unit/unit-settings.h"

/* One of zeros is fine. */
typedef struct LogRate {
        uint64_t begun; /* when the interval did, in usec of a clock that never goes back */
        uint64_t n_taken, n_dropped;
} LogRate;

/* Whether another message may be logged at the time. ret_n_dropped: of the interval that is over, so many were not; 0 as
 * long as it lasts. */
bool log_rate_take(LogRate *rate, const UnitSettings *settings, uint64_t now, uint64_t *ret_n_dropped);
