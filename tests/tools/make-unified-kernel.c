/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes a unified kernel image, and a boot partition's tree, from files: for the end-to-end tests.
 *
 * make-unified-kernel TREE STUB BOOT-LOADER KERNEL INITRD COMMAND-LINE
 *
 * TREE is an empty directory; the image becomes TREE/EFI/Linux/test.efi. INITRD "-" stands for none. */

#include <stdio.h>

#include "base/fd.h"
#include "base/text.h"
#include "secureboot/boot-tree.h"
#include "secureboot/unified-kernel.h"

#define OS_RELEASE       \
        "ID=test\n"      \
        "VERSION_ID=1\n" \
        "PRETTY_NAME=\"Unified Kernel Test\"\n"

static int make(char **arguments, Reason *reason) {
        _cleanup_(fd_closep) int tree_fd = open(arguments[0], O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        _cleanup_(fd_closep) int stub_fd = open(arguments[1], O_RDONLY | O_CLOEXEC);
        _cleanup_(fd_closep) int boot_loader_fd = open(arguments[2], O_RDONLY | O_CLOEXEC);
        _cleanup_(fd_closep) int kernel_fd = open(arguments[3], O_RDONLY | O_CLOEXEC);
        _cleanup_(fd_closep) int initrd_fd = open(arguments[4], O_RDONLY | O_CLOEXEC);

        if (tree_fd < 0 || stub_fd < 0 || boot_loader_fd < 0 || kernel_fd < 0 ||
            (initrd_fd < 0 && !text_equal(arguments[4], "-")))
                return -ENOENT;

        int r = boot_tree_make(tree_fd, "x86-64", boot_loader_fd, reason);
        if (r < 0)
                return r;
        _cleanup_(fd_closep) int fd = boot_tree_create_kernel(tree_fd, "test", reason);
        if (fd < 0)
                return fd;

        const UnifiedKernel kernel = {
                .stub_fd = stub_fd,
                .kernel_fd = kernel_fd,
                .initrd_fd = initrd_fd,
                .command_line = arguments[5],
                .os_release = OS_RELEASE,
                .uname = "0.0.0-test",
                .sbat = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
                        "test,1,Test,test,1,https://example.org/\n",
        };
        return unified_kernel_write(&kernel, fd, reason);
}

int main(int argc, char **argv) {
        _cleanup_(reason_done) Reason reason = {};

        if (argc != 7) {
                (void)fprintf(stderr, "Usage: %s TREE STUB BOOT-LOADER KERNEL INITRD COMMAND-LINE\n",
                              argv[0]);
                return 2;
        }

        const int r = make(argv + 1, &reason);
        if (r < 0) {
                (void)fprintf(stderr, "%s\n", reason_text(&reason, r));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
