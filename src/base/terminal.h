/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to whoever sits at the terminal. */

#include <termios.h>

#include "base/macro.h"
#include "base/secret.h"

/* Whether there is one to ask: standard input is a terminal. */
bool terminal_is_there(void);

/* As long as it is kept, nothing that is typed is shown, whether a question was asked for it or not. */
typedef struct TerminalHush {
        bool active;
        struct termios before;
} TerminalHush;

/* Does nothing where there is no terminal. */
int terminal_hush(TerminalHush *ret);
/* Leaves the terminal as it was found. */
void terminal_hush_done(TerminalHush *hush);

/* Asks for a line without showing what is typed; the line's end is not part of the answer, which may be empty. -ENOTTY when
 * there is no terminal, -EMSGSIZE for more than size_max bytes, -ENODATA when the input ends (Ctrl-D), -EINTR after an
 * interrupt. The terminal is left as it was found. */
int terminal_ask_secret(const char *question, size_t size_max, Secret **ret);
