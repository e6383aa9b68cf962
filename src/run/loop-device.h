/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Loop devices: a part of a file as a block device. Only what runs an image uses them, nothing that builds one. */

#include "base/macro.h"

/* Attaches the part of the file, to a device that is free. It is detached when the descriptor is closed and nothing of it is
 * mounted any more. -ENOENT, -EPERM or the like where there are no loop devices, as in most containers. */
int loop_device_attach(int file_fd, uint64_t offset, uint64_t size, bool read_only, int *ret_fd,
                       char **ret_path);
