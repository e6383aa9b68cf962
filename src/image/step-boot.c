/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a tree with a kernel to an EFI system partition with a unified kernel image for every kernel. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/os-release.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/kernel.h"
#include "image/plan.h"
#include "secureboot/boot-tree.h"
#include "secureboot/unified-kernel.h"

#define OS_RELEASE_SIZE_MAX (64 * KIB)
#define STUB_DIRECTORY      "usr/lib/systemd/boot/efi"
#define INITRD_PATH         "/boot/initrd-for-image"

/* dracut's modules for an initrd that finds the root partition by its type, and nothing that depends on the host. */
#define INITRD_MODULES                                                                             \
        "base rootfs-block kernel-modules dracut-systemd systemd systemd-initrd systemd-journald " \
        "systemd-udevd systemd-modules-load systemd-sysctl systemd-tmpfiles udev-rules fs-lib shutdown"
#define INITRD_DRIVERS "virtio_blk virtio_pci virtio_scsi nvme ahci sd_mod ext4 loop overlay"

/* Generates the initrd of one kernel in the tree, and takes it out of the tree to the workspace. */
static int make_initrd(const Image *image, const char *version) {
        const Installation installation = image_installation(image);
        const char *const command[] = {
                "dracut",
                "--force",
                "--no-hostonly",
                "--no-hostonly-cmdline",
                "--no-early-microcode",
                "--reproducible",
                "--kver",
                version,
                "--modules",
                INITRD_MODULES,
                "--add-drivers",
                INITRD_DRIVERS,
                INITRD_PATH,
                NULL,
        };
        _cleanup_(freep) char *from = NULL, *to = NULL;
        int r;

        r = distro_run_inside(&installation, command, false, "generate the initrd");
        if (r < 0)
                return r;

        r = path_join(image->root_path, INITRD_PATH, &from);
        if (r >= 0)
                r = text_format(&to, "%s/initrd-%s", image->workspace->path, version);
        if (r < 0)
                return r;
        if (rename(from, to) < 0)
                return log_error(-errno, "The initrd for kernel %s was not generated: %m", version);
        return 0;
}

int step_initrd(Image *image) {
        _cleanup_(strv_freep) char **versions = NULL;
        _cleanup_(freep) char *command_line = NULL;
        _cleanup_(fd_closep) int root_fd = open(image->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC),
                                 etc_fd = -EBADF;
        int r;

        if (root_fd < 0)
                return log_error(-errno, "Cannot open the tree: %m");
        r = kernel_versions(root_fd, &versions);
        if (r < 0)
                return log_error(r, "Cannot look for kernels in the tree: %m");
        if (!versions)
                return log_error(-ENOENT,
                                 "Bootable=yes needs a kernel, but no package put one into usr/lib/modules: "
                                 "name a kernel package in Packages=");

        /* Where kernel-install(8) of the running system finds it again. */
        r = path_make_directories(root_fd, "etc/kernel", 0755);
        if (r >= 0)
                r = text_format(&command_line, "%s\n", image->config->kernel_command_line);
        if (r >= 0)
                r = etc_fd = path_open_below(root_fd, "etc/kernel", O_RDONLY | O_DIRECTORY, 0);
        if (r >= 0)
                r = file_write_text(etc_fd, "cmdline", command_line, 0644);
        if (r < 0)
                return log_error(r, "Cannot write etc/kernel/cmdline of the tree: %m");

        for (char **version = versions; *version; version++) {
                progress_detail(image->progress, *version);
                r = make_initrd(image, *version);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Opens systemd's stub or boot loader, which the image's own systemd provides, else the host's. */
static int open_efi_program(const Image *image, int root_fd, const char *prefix, const char *suffix) {
        const char *const efi = efi_architecture(architecture_words[image->config->architecture]);
        _cleanup_(freep) char *name = NULL, *path = NULL;
        int r;

        if (!efi)
                return log_error(-EOPNOTSUPP, "UEFI has no name for %s: Bootable=yes is not possible",
                                 architecture_words[image->config->architecture]);
        r = text_format(&name, "%s%s%s", prefix, efi, suffix);
        if (r >= 0)
                r = path_join(STUB_DIRECTORY, name, &path);
        if (r < 0)
                return r;

        r = path_open_below(root_fd, path, O_RDONLY, 0);
        if (r == -ENOENT) {
                _cleanup_(fd_closep) int host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

                r = host_fd < 0 ? -errno : path_open_below(host_fd, path, O_RDONLY, 0);
        }
        if (r < 0)
                return log_error(
                        r,
                        "Cannot find %s in the image or on this host: %m (on Debian it is in the package "
                        "systemd-boot-efi)",
                        path);
        return r;
}

/* Reads os-release of the tree for the kernel image's menu entry; a tree without it has none. */
static int read_os_release(int root_fd, char **ret) {
        static const char *const paths[] = { "etc/os-release", "usr/lib/os-release" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(fd_closep) int fd = path_open_below(root_fd, paths[i], O_RDONLY, 0);
                _cleanup_(freep) char *text = NULL;
                struct stat status;

                if (fd == -ENOENT)
                        continue;
                if (fd < 0 || fstat(fd, &status) < 0)
                        return fd < 0 ? fd : -errno;
                if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size > OS_RELEASE_SIZE_MAX)
                        return -EFBIG;
                text = calloc(1, (size_t)status.st_size + 1);
                if (!text)
                        return -ENOMEM;
                const int r = fd_read_all(fd, text, (size_t)status.st_size);
                if (r < 0)
                        return r;
                *ret = TAKE_PTR(text);
                return 0;
        }
        *ret = NULL;
        return 0;
}

static int make_unified_kernel(const Image *image, int root_fd, int boot_fd, int stub_fd,
                               const char *version) {
        _cleanup_(fd_closep) int kernel_fd = -EBADF, initrd_fd = -EBADF, fd = -EBADF;
        _cleanup_(freep) char *initrd = NULL, *name = NULL, *os_release = NULL;
        _cleanup_(reason_done) Reason reason = {};
        int r;

        r = kernel_fd = kernel_open(root_fd, version);
        if (r < 0)
                return log_error(r, "Cannot open the kernel %s of the tree: %m", version);
        r = text_format(&initrd, "initrd-%s", version);
        if (r >= 0)
                r = text_format(&name, "linux-%s", version);
        if (r < 0)
                return r;
        initrd_fd = openat(image->workspace->fd, initrd, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (initrd_fd < 0)
                return log_error(-errno, "Cannot open the initrd for kernel %s: %m", version);
        r = read_os_release(root_fd, &os_release);
        if (r < 0)
                return log_error(r, "Cannot read os-release of the tree: %m");

        r = fd = boot_tree_create_kernel(boot_fd, name, &reason);
        if (r >= 0)
                r = unified_kernel_write(&(const UnifiedKernel){ .stub_fd = stub_fd,
                                                                 .kernel_fd = kernel_fd,
                                                                 .initrd_fd = initrd_fd,
                                                                 .command_line =
                                                                         image->config->kernel_command_line,
                                                                 .os_release = os_release,
                                                                 .uname = version },
                                         fd, &reason);
        if (r < 0)
                return log_error(r, "Cannot make the unified kernel image for %s: %s", version,
                                 reason_text(&reason, r));
        return 0;
}

int step_boot(Image *image) {
        _cleanup_(fd_closep) int root_fd = open(image->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC),
                                 boot_fd = -EBADF, stub_fd = -EBADF, loader_fd = -EBADF;
        _cleanup_(strv_freep) char **versions = NULL;
        _cleanup_(reason_done) Reason reason = {};
        int r;

        if (root_fd < 0)
                return log_error(-errno, "Cannot open the tree: %m");
        r = path_join(image->workspace->path, "boot", &image->boot_path);
        if (r < 0)
                return r;
        if (mkdir(image->boot_path, 0700) < 0)
                return log_error(-errno, "Cannot create %s: %m", image->boot_path);
        boot_fd = open(image->boot_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (boot_fd < 0)
                return log_error(-errno, "Cannot open %s: %m", image->boot_path);

        r = stub_fd = open_efi_program(image, root_fd, "linux", ".efi.stub");
        if (r >= 0)
                r = loader_fd = open_efi_program(image, root_fd, "systemd-boot", ".efi");
        if (r < 0)
                return r;
        r = boot_tree_make(boot_fd, architecture_words[image->config->architecture], loader_fd, &reason);
        if (r < 0)
                return log_error(r, "Cannot lay out the EFI system partition: %s", reason_text(&reason, r));

        r = kernel_versions(root_fd, &versions);
        if (r < 0)
                return log_error(r, "Cannot look for kernels in the tree: %m");
        for (char **version = versions; version && *version; version++) {
                r = make_unified_kernel(image, root_fd, boot_fd, stub_fd, *version);
                if (r < 0)
                        return r;
        }
        return 0;
}
