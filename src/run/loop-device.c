/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "run/loop-device.h"

#define ATTEMPTS_MAX 64 /* others look for a free device as well */

/* In one call, or in two before Linux 5.8. */
static int configure(int loop_fd, int file_fd, const struct loop_info64 *info) {
        const struct loop_config config = { .fd = (uint32_t)file_fd, .info = *info };

        if (ioctl(loop_fd, LOOP_CONFIGURE, &config) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOTTY)
                return -errno;
        if (ioctl(loop_fd, LOOP_SET_FD, file_fd) < 0)
                return -errno;
        if (ioctl(loop_fd, LOOP_SET_STATUS64, info) == 0)
                return 0;
        const int r = -errno;
        (void)ioctl(loop_fd, LOOP_CLR_FD, 0);
        return r;
}

static int attach_free(int control_fd, int file_fd, const struct loop_info64 *info, int *ret_fd,
                       char **ret_path) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        const int number = ioctl(control_fd, LOOP_CTL_GET_FREE);
        if (number < 0)
                return -errno;
        int r = text_format(&path, "/dev/loop%d", number);
        if (r < 0)
                return r;
        fd = open(path, (info->lo_flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = configure(fd, file_fd, info);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        *ret_path = TAKE_PTR(path);
        return 0;
}

int loop_device_attach(int file_fd, uint64_t offset, uint64_t size, bool read_only, int *ret_fd,
                       char **ret_path) {
        const struct loop_info64 info = {
                .lo_offset = offset,
                .lo_sizelimit = size,
                .lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0),
        };
        _cleanup_(fd_closep) int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        int r = -EBUSY;

        if (control_fd < 0)
                return -errno;
        for (unsigned i = 0; i < ATTEMPTS_MAX && r == -EBUSY; i++)
                r = attach_free(control_fd, file_fd, &info, ret_fd, ret_path);
        return r;
}
