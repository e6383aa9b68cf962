/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "service/ctl.h"
#include "service/log-store.h"
#include "service/service-paths.h"
#include "service/unit-name.h"

static int print_record(const LogRecord *record, void *userdata) {
        const CtlOptions *options = userdata;

        return log_record_print(record, (LogFormat)options->output, stdout);
}

static int complete_all(const CtlOptions *options, char ***ret) {
        for (char **unit = options->units; unit && *unit; unit++) {
                _cleanup_(freep) char *name = NULL;

                int r = unit_name_complete(*unit, &name);
                if (r == -EINVAL)
                        return log_error(r, "--unit=%s is no name of a unit", *unit);
                if (r >= 0)
                        r = strv_take(ret, TAKE_PTR(name));
                if (r < 0)
                        return r;
        }
        return 0;
}

int ctl_log(const CtlOptions *options, sd_bus *bus, char *const *words) {
        _cleanup_(strv_freep) char **units = NULL;
        _cleanup_(freep) char *directory = NULL;
        _cleanup_(reason_done) Reason reason = {};
        LogQuery query = { .matches = (const char *const *)words,
                           .n_last = options->lines >= UINT_MAX - 1 ? SIZE_MAX : options->lines };

        for (char *const *word = words; *word; word++)
                if (!strchr(*word, '=') || (*word)[0] == '=')
                        return log_error(-EINVAL, "\"%s\" is no match: say FIELD=VALUE", *word);
        int r = complete_all(options, &units);
        if (r >= 0)
                r = text_format(&directory, "%s/log", options->runtime ?: SERVICE_RUNTIME_DIRECTORY);
        if (r < 0)
                return r;
        query.units = STRV(units);
        r = log_store_read(directory, &query, print_record, (void *)options, &reason);
        if (r == -ENOENT)
                return log_error(r, "There is no log in %s: nothing has run yet", directory);
        return r < 0 ? log_error(r, "Cannot read the log: %s", reason_text(&reason, r)) : 0;
}
