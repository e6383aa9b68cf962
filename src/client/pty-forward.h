/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A terminal of a service, shown on ours: what is typed goes there, what it says comes here, its size follows ours, and ^]
 * three times within a second lets go of it. */

#include "base/macro.h"

struct sd_event;

typedef struct PtyForward PtyForward;

/* master_fd stays the caller's, who also keeps the other side open, so that the service may open and close it. on_end is called
 * once: with 0 after pty_forward_finish() or pty_forward_follow(), -ECANCELED when the user let go of it, or another error. */
int pty_forward_new(struct sd_event *event, int master_fd, void (*on_end)(int r, void *userdata),
                    void *userdata, PtyForward **ret);
/* The service has ended: what it has said is shown, and that is the end. */
void pty_forward_finish(PtyForward *forward);
/* Nobody will say when the service has ended, and the caller has closed the other side: that everybody has is the end. */
void pty_forward_follow(PtyForward *forward);
/* Our terminal is as it was found. */
void pty_forward_free(PtyForward *forward);
DEFINE_CLEANUP(PtyForward, pty_forward_free)

/* Makes a terminal: its master side, non-blocking, the other side, and the path of that. */
int pty_open(int *ret_master_fd, int *ret_fd, char **ret_path);
