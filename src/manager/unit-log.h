/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager itself says about a unit: records with the fields and message IDs that systemd's have. */

#include <syslog.h>

#include "manager/managed-unit.h"

#define MESSAGE_PROCESS_EXIT   "98e322203f7a4ed290d09fe03c09fe15"
#define MESSAGE_SUCCESS        "7ad2d189f7e94e70a38c781354912448"
#define MESSAGE_FAILURE        "d9b373ed55a64feb8242e02dbe79a49c"
#define MESSAGE_SPAWN_FAILED   "641257651c1b4ec9a8624d7a40a9e1e7"
#define MESSAGE_DROPPED        "a596d6fe7bfa4994828e72309e95d61e"
#define MESSAGE_SKIPPED        "0e4284a0caca4bfc81c0bb6786972673"
#define MESSAGE_RESTART_QUEUED "5eb03494b6584870a536b337290809b3"

#define UNIT_LOG_FIELDS_MAX 4

typedef struct UnitMessage {
        int priority;   /* syslog(3) */
        const char *id; /* 32 digits; NULL: none */
        const char *file, *function;
        int line;
        LogField fields[UNIT_LOG_FIELDS_MAX]; /* further ones, up to the first without a name */
} UnitMessage;

/* What cannot be written to the log is lost; where there is no log, errors and warnings go to standard error. */
void unit_log_message(ManagedUnit *unit, const UnitMessage *message, const char *format, ...) _printf_(3, 4);

/* unit_log(unit, LOG_ERR, .id = MESSAGE_FAILURE, "…") would not be C: the further members stand between parentheses. */
#define UNIT_LOG_MEMBERS(...) __VA_ARGS__
#define unit_log_with(unit, level, members, ...)                           \
        unit_log_message((unit),                                           \
                         &(const UnitMessage){ .priority = (level),        \
                                               .file = __FILE__,           \
                                               .line = __LINE__,           \
                                               .function = __func__,       \
                                               UNIT_LOG_MEMBERS members }, \
                         __VA_ARGS__)
#define unit_log(unit, level, ...) unit_log_with(unit, level, (.id = NULL), __VA_ARGS__)

/* "Starting NAME...", "Stopping NAME...": when that begins. */
void unit_log_begin(ManagedUnit *unit, JobType type);
/* "Started NAME.", "Failed to start NAME.", "Stopped NAME.": how it went. */
void unit_log_job(ManagedUnit *unit, JobType type, JobResult result);

/* A line of what the unit's processes print. */
void unit_log_line(ManagedUnit *unit, const char *line, size_t size, bool is_whole);
