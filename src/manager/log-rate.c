/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/time-span.h"
#include "manager/log-rate.h"

/* Those of journald.conf(5), for the one of both that is not said. */
#define INTERVAL_DEFAULT (30 * SECOND_USEC)
#define BURST_DEFAULT    10000

bool log_rate_take(LogRate *rate, const UnitSettings *settings, uint64_t now, uint64_t *ret_n_dropped) {
        const Duration *const said = &settings->log_rate_limit_interval;
        const Level *const limit = &settings->log_rate_limit_burst;
        const uint64_t interval = said->set ? said->usec : INTERVAL_DEFAULT,
                       burst = limit->set ? (uint64_t)limit->value : BURST_DEFAULT;

        *ret_n_dropped = 0;
        if ((!said->set && !limit->set) || interval == 0 || burst == 0)
                return true;
        if (rate->begun == 0 || now - rate->begun >= interval) {
                *ret_n_dropped = rate->n_dropped;
                *rate = (LogRate){ .begun = now };
        }
        if (rate->n_taken >= burst) {
                rate->n_dropped++;
                return false;
        }
        rate->n_taken++;
        return true;
}
