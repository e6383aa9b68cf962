/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a package tool says: followed while it runs, and explained when it fails. The explanations are a table: what to
 * look for in the output, what that means, what to do about it. */

#include "base/macro.h"

#define TOOL_LOG_TAIL 15

typedef struct ToolAnswer {
        const char *sign;    /* found in a line of output */
        int error;           /* negative errno to fail with */
        const char *meaning; /* and the cure */
        bool show_tail;      /* the line alone does not tell all */
        bool grave;          /* also when the tool goes on and ends well */
        bool warning;        /* is worth being told when the tool goes on and ends well */
} ToolAnswer;

typedef struct ToolLog {
        char *tail[TOOL_LOG_TAIL]; /* the last lines, the oldest at n_lines % TOOL_LOG_TAIL */
        size_t n_lines;
        const ToolAnswer *answer; /* the first row of the table that a line answered to; NULL: none */
        char *answer_line;
        char **missing_suites; /* that apt did not find on their mirrors */
} ToolLog;

/* The table's end is a row without sign. */
extern const ToolAnswer tool_answers[];

int tool_log_add(ToolLog *log, const char *line);
void tool_log_done(ToolLog *log);

/* One sentence: what was wanted, why it failed, what to do, the tool's own words. Returns the negative errno to fail with in
 * ret_error. */
int tool_log_explain(const ToolLog *log, const char *doing, int status, char **ret, int *ret_error);

/* Logs the explanation, and the last lines where the explanation does not say it all. Returns a negative errno. */
int tool_log_fail(const ToolLog *log, const char *doing, int status);

/* Whether a tool that ended well said something that is a failure to us. */
bool tool_log_is_grave(const ToolLog *log);

/* Whether nothing worse went wrong than that suites are missing on their mirrors. */
bool tool_log_only_missing_suites(const ToolLog *log);

/* What of a line is worth showing while the tool runs; NULL: nothing. */
const char *tool_log_detail(const char *line);
