/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a run shows of its work while it works. For people, on standard error: one line per step, "‣ Installing Debian
 * bookworm…" when it starts, on a terminal rewritten in place with the time, the amount done, rate and time left, and a
 * detail; elsewhere, where there is an amount, a line now and then; "✓ … 12.3s" when it is done. For programs, on a
 * descriptor of their own: one JSON object per line, with its kind in the member "event":
 *
 *   step-begin  step, text
 *   progress    step, unit ("bytes" or "items"), done, total, seconds; or detail. At most ten a second
 *   output      step, line: what a script of the project printed
 *   step-end    step, seconds, success
 *
 * and what others write by progress_event(). All functions but progress_new() take NULL, for nothing to be shown. */

#include "base/json.h"
#include "base/macro.h"

typedef struct Progress Progress;

typedef struct ProgressOptions {
        bool quiet;  /* nothing for people */
        int json_fd; /* not owned; -EBADF: nothing for programs */
} ProgressOptions;

/* What an amount is an amount of. */
typedef enum ProgressUnit {
        PROGRESS_BYTES,
        PROGRESS_ITEMS,
} ProgressUnit;

/* A step that has ended. */
typedef struct ProgressStep {
        char *name;
        double seconds;
} ProgressStep;

int progress_new(const ProgressOptions *options, Progress **ret);
void progress_free(Progress *progress);
DEFINE_CLEANUP(Progress, progress_free)

/* Begins a step, known to programs by its name; the one before it has ended. */
int progress_begin(Progress *progress, const char *name, const char *doing);
/* Ends it; nothing happens when none is under way. */
void progress_end(Progress *progress, bool success);
/* The steps that ended well. */
const ProgressStep *progress_steps(const Progress *progress, size_t *ret_n);

/* How much there is to do from now on within the step, when it is known; 0 takes it back. */
void progress_expect(Progress *progress, ProgressUnit unit, uint64_t amount);
/* So much more of it is done. */
void progress_advance(Progress *progress, uint64_t amount);
/* Shows a detail (a line of a tool's output, a file's name); at most ten times a second. */
void progress_detail(Progress *progress, const char *detail);

/* A line that a script printed: shown whole, and sent to programs. */
void progress_output(Progress *progress, const char *line);
/* Somebody else writes to the terminal from now on, until the step ends. */
void progress_release(Progress *progress);

/* A line for people, between steps. */
void progress_print(Progress *progress, const char *format, ...) _printf_(2, 3);

/* Begins an object of that kind for programs, open for further members; NULL when no program listens. Then ends it. */
JsonWriter *progress_event(Progress *progress, const char *event);
void progress_event_end(Progress *progress);
