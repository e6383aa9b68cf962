/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages to the user, on standard error, one line each. Only main, image, distro and service log; the layers
 * below return errors and, where one is needed, a Reason (reason.h). */

#include "base/macro.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_WARNING,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG,
} LogLevel;

/* The mutable globals of the project: messages above this level are not printed (default: info), and each begins with the name
 * of the program (default: "mkosi"; not copied). */
void log_set_level(LogLevel level);
LogLevel log_get_level(void);
void log_set_name(const char *name);

/* Prints "mkosi: …", but not of -EINTR after an interrupt, and returns r, a negative errno, so that a function can end with it.
 * In the format, %m stands for the text of r. A message is plain: what was wanted, on what, why, and the cure. */
int log_error(int r, const char *format, ...) _printf_(2, 3);
/* A line that belongs to an error that was logged before: what a tool said last. */
void log_error_detail(const char *format, ...) _printf_(1, 2);
void log_warning(const char *format, ...) _printf_(1, 2);
void log_info(const char *format, ...) _printf_(1, 2);
void log_debug(const char *format, ...) _printf_(1, 2);

/* Whether standard error is a terminal that wants colours (NO_COLOR is honoured). */
bool log_coloured(void);
