/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a tree with a kernel to an EFI system partition with a unified kernel image for every kernel. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "format/stream.h"
#include "image/failure.h"
#include "image/kept-initrd.h"
#include "image/kernel.h"
#include "image/plan.h"
#include "image/root-verity.h"
#include "secureboot/boot-tree.h"
#include "secureboot/unified-kernel.h"

#define OS_RELEASE_SIZE_MAX (64 * KIB)
#define STUB_DIRECTORY      "usr/lib/systemd/boot/efi"
#define INITRD_PATH         "/boot/initrd-for-image"

#define INITRD_DRIVERS_MAX 8

/* The level behind which the size hardly shrinks while the time doubles: 76 MB take 1.6 s of one processor and become
 * 20 MB, which is less than dracut's own gzip gives in 17 s. */
#define INITRD_COMPRESSION_LEVEL 9

/* What goes into an initrd for a reason. */
typedef struct InitrdPart {
        bool (*wanted)(const Config *config);    /* NULL: always */
        const char *modules;                     /* of dracut; nothing of them depends on the host */
        const char *drivers[INITRD_DRIVERS_MAX]; /* kernel modules that dracut leaves out by itself */
} InitrdPart;

static bool has_encrypted_root(const Config *config) {
        return config->encrypt == ENCRYPT_ALL;
}

static bool has_verified_root(const Config *config) {
        return config->verity;
}

static const InitrdPart initrd_parts[] = {
        /* Finds the root partition by its type, on whatever disks may hang. */
        { NULL,
          "base rootfs-block kernel-modules dracut-systemd systemd systemd-initrd systemd-journald "
          "systemd-udevd systemd-modules-load systemd-sysctl systemd-tmpfiles udev-rules fs-lib shutdown",
          { "virtio_pci", "virtio_blk", "virtio_scsi", "nvme", "loop", "overlay" } },
        /* Opens a LUKS volume by the passphrase that it asks for on the console. */
        { has_encrypted_root, "dm crypt systemd-ask-password", { "dm_crypt" } },
        /* Opens what roothash= names. */
        { has_verified_root, "dm systemd-veritysetup", { "dm_verity" } },
};

static int list_modules(const Config *config, char **ret) {
        _cleanup_(strv_freep) char **modules = NULL;

        for (size_t i = 0; i < ELEMENTSOF(initrd_parts); i++) {
                if (initrd_parts[i].wanted && !initrd_parts[i].wanted(config))
                        continue;
                const int r = strv_append(&modules, initrd_parts[i].modules);
                if (r < 0)
                        return r;
        }
        return strv_join(STRV(modules), " ", ret);
}

static int add_driver(int root_fd, const char *version, const char *driver, char ***drivers) {
        const int r = kernel_has_module(root_fd, version, driver);

        return r > 0 ? strv_append(drivers, driver) : r;
}

/* Those of the drivers that this kernel has as modules, as dracut wants them; one that it lacks would make dracut leave
 * out the rest. A file system's driver has its name. */
static int list_drivers(const Image *image, int root_fd, const char *version, char **ret) {
        _cleanup_(strv_freep) char **drivers = NULL;

        int r = add_driver(root_fd, version, image->format->root->name, &drivers);
        for (size_t i = 0; i < ELEMENTSOF(initrd_parts) && r >= 0; i++) {
                const InitrdPart *part = &initrd_parts[i];

                if (part->wanted && !part->wanted(image->config))
                        continue;
                for (size_t k = 0; k < INITRD_DRIVERS_MAX && part->drivers[k] && r >= 0; k++)
                        r = add_driver(root_fd, version, part->drivers[k], &drivers);
        }
        return r < 0 ? r : strv_join(STRV(drivers), " ", ret);
}

static int run_dracut(const Image *image, const char *const *command) {
        const Installation installation = image_installation(image);

        return distro_run_inside(&installation, command, false, "generate the initrd");
}

static int compress_initrd(int from_fd, int to_fd) {
        const StreamOptions options = {
                .fd = to_fd,
                .compressor = &compressor_zstd,
                .level = INITRD_COMPRESSION_LEVEL,
        };
        _cleanup_(stream_freep) Stream *stream = NULL;
        struct stat status;
        StreamResult result;

        if (fstat(from_fd, &status) < 0)
                return -errno;
        int r = stream_new(&options, &stream);
        if (r < 0)
                return r;
        r = stream_write_file(stream, from_fd, 0, (uint64_t)status.st_size, NULL);
        if (r < 0)
                return r;
        return stream_finish(stream, &result);
}

/* Moves the initrd from the tree to the path, smaller. */
static int take_initrd(int root_fd, const char *path) {
        _cleanup_(fd_closep) int from = path_open_below(root_fd, INITRD_PATH, O_RDONLY, 0), to = -EBADF;

        if (from < 0)
                return from;
        to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return -errno;
        const int r = compress_initrd(from, to);
        if (r < 0)
                return r;

        _cleanup_(fd_closep) int boot_fd = path_open_below(root_fd, "boot", O_RDONLY | O_DIRECTORY, 0);
        if (boot_fd < 0 || unlinkat(boot_fd, path_base_name(INITRD_PATH), 0) < 0)
                return boot_fd < 0 ? boot_fd : -errno;
        return 0;
}

/* By the command, unless one is kept that it would make again. */
static int generate_initrd(Image *image, int root_fd, const char *version, const char *const *command) {
        _cleanup_(kept_initrd_done) KeptInitrd kept = {};
        _cleanup_(freep) char *path = NULL;

        int r = text_format(&path, "%s/initrd-%s", image->workspace->path, version);
        if (r < 0)
                return r;
        r = kept_initrd_take(&kept, image, version, command, path);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot look for an initrd that is kept for kernel %s: %m", version);
        if (r != 0)
                return MIN(r, 0);
        r = failure_of_tool(image, run_dracut(image, command));
        if (r < 0)
                return r;
        r = take_initrd(root_fd, path);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot take the initrd for kernel %s out of the tree: %m", version);
        return r < 0 ? r : kept_initrd_store(&kept, path);
}

static int make_initrd(Image *image, int root_fd, const char *version) {
        _cleanup_(freep) char *modules = NULL, *drivers = NULL;

        int r = list_modules(image->config, &modules);
        if (r < 0)
                return r;
        r = list_drivers(image, root_fd, version, &drivers);
        if (r < 0)
                return log_error(r, "Cannot read the list of modules of kernel %s: %m", version);

        const char *const command[] = {
                "dracut",
                "--force",
                "--no-hostonly",
                "--no-hostonly-cmdline",
                "--no-early-microcode",
                "--no-compress",
                "--reproducible",
                "--kver",
                version,
                "--modules",
                modules,
                "--add-drivers",
                drivers,
                INITRD_PATH,
                NULL,
        };
        return generate_initrd(image, root_fd, version, command);
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
        r = etc_fd = distro_make_directory(root_fd, "etc/kernel", 0755);
        if (r >= 0)
                r = text_format(&command_line, "%s\n", image->config->kernel_command_line);
        if (r >= 0)
                r = file_write_text(etc_fd, "cmdline", command_line, 0644);
        if (r < 0)
                return log_error(r, "Cannot write etc/kernel/cmdline of the tree: %m");

        for (char **version = versions; *version; version++) {
                progress_detail(image->progress, *version);
                r = make_initrd(image, root_fd, *version);
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
                if (r >= 0)
                        log_info("No package of the image has %s, this host's is taken", path);
        }
        if (r < 0)
                return log_error(
                        r,
                        "Cannot find %s in the image or on this host: %m (install package systemd-boot-efi on "
                        "Debian and Ubuntu, systemd-boot-unsigned on Fedora, systemd-boot on openSUSE, systemd on "
                        "Arch Linux)",
                        path);
        return r;
}

/* Reads os-release of the tree for the kernel image's menu entry; a tree without it has none. */
static int read_os_release(int root_fd, char **ret) {
        static const char *const paths[] = { "etc/os-release", "usr/lib/os-release" };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(fd_closep) int fd = path_open_below(root_fd, paths[i], O_RDONLY, 0);

                if (fd == -ENOENT)
                        continue;
                if (fd < 0)
                        return fd;
                return fd_read_file(fd, OS_RELEASE_SIZE_MAX, ret, NULL);
        }
        *ret = NULL;
        return 0;
}

static int make_unified_kernel(const Image *image, int root_fd, int boot_fd, int stub_fd,
                               const char *version) {
        _cleanup_(fd_closep) int kernel_fd = -EBADF, initrd_fd = -EBADF, fd = -EBADF;
        _cleanup_(freep) char *initrd = NULL, *name = NULL, *os_release = NULL, *command_line = NULL;
        _cleanup_(reason_done) Reason reason = {};
        int r;

        r = kernel_fd = kernel_open(root_fd, version);
        if (r < 0)
                return log_error(r, "Cannot open the kernel %s of the tree: %m", version);
        r = text_format(&initrd, "initrd-%s", version);
        if (r >= 0)
                r = text_format(&name, "linux-%s", version);
        if (r >= 0)
                r = root_verity_command_line(image, &command_line);
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
                                                                 .command_line = command_line,
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
