/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/parse.h"
#include "base/text.h"
#include "unit/exec-status.h"
#include "unit/exit-status-set.h"

#define SYSEXITS_FIRST 64

/* Those of sysexits.h, from 64 on. */
static const char *const sysexits[] = {
        "USAGE",  "DATAERR",   "NOINPUT", "NOUSER",   "NOHOST",   "UNAVAILABLE", "SOFTWARE", "OSERR",
        "OSFILE", "CANTCREAT", "IOERR",   "TEMPFAIL", "PROTOCOL", "NOPERM",      "CONFIG",
};

static const char *status_name(int status) {
        if (status == 0)
                return "SUCCESS";
        if (status == 1)
                return "FAILURE";
        if (status >= SYSEXITS_FIRST && (size_t)(status - SYSEXITS_FIRST) < ELEMENTSOF(sysexits))
                return sysexits[status - SYSEXITS_FIRST];
        return exec_exit_name(status);
}

static bool word_matches(const char *word, int code, int status) {
        uint64_t number;

        if (code == CLD_EXITED) {
                const char *const name = status_name(status);

                return parse_uint64(word, &number) >= 0 ? number == (uint64_t)status
                                                        : name && text_equal(word, name);
        }
        const char *const name = sigabbrev_np(status), *const rest = text_after_prefix(word, "SIG");

        return name && text_equal(rest ?: word, name);
}

bool exit_status_set_has(const char *const *list, int code, int status) {
        for (; list && *list; list++)
                if (word_matches(*list, code, status))
                        return true;
        return false;
}

bool exit_is_clean(int code, int status, bool daemon) {
        if (code == CLD_EXITED)
                return status == 0;
        return code == CLD_KILLED && daemon &&
               (status == SIGHUP || status == SIGINT || status == SIGTERM || status == SIGPIPE);
}

const char *exit_code_word(int code) {
        return code == CLD_EXITED ? "exited" : code == CLD_DUMPED ? "dumped" : "killed";
}

void exit_status_format(int code, int status, char text[static EXIT_STATUS_TEXT_MAX]) {
        const char *const name = code == CLD_EXITED ? status_name(status) : sigabbrev_np(status);

        (void)snprintf(text, EXIT_STATUS_TEXT_MAX, "%d/%s", status, name ?: "n/a");
}
