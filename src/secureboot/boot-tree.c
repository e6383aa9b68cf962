/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "secureboot/boot-tree.h"
#include "secureboot/pe.h"

/* FAT long names have at most 255 UTF-16 units, of which ".efi" takes four. */
#define KERNEL_NAME_LENGTH_MAX 251

/* Discoverable Partitions Specification → UEFI Specification, 3.5.1.1, in lower case. */
static const struct {
        const char *architecture, *efi;
} architectures[] = {
        /* clang-format off */
        { "x86",         "ia32"        },
        { "x86-64",      "x64"         },
        { "arm",         "arm"         },
        { "arm64",       "aa64"        },
        { "ia64",        "ia64"        },
        { "riscv32",     "riscv32"     },
        { "riscv64",     "riscv64"     },
        { "loongarch32", "loongarch32" },
        { "loongarch64", "loongarch64" },
        /* clang-format on */
};

static const char *const directories[] = {
        "EFI", "EFI/BOOT", "EFI/Linux", "EFI/systemd", "loader", "loader/entries",
};

const char *efi_architecture(const char *architecture) {
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++)
                if (text_equal(architectures[i].architecture, architecture))
                        return architectures[i].efi;
        return NULL;
}

/* Creates a file with this mode, whatever the umask. */
static int create_file(int dir_fd, const char *path) {
        _cleanup_(fd_closep) int fd =
                openat(dir_fd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0 || fchmod(fd, 0600) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int copy_boot_loader(int dir_fd, const char *path, int boot_loader_fd, Reason *reason) {
        struct stat status;

        if (fstat(boot_loader_fd, &status) < 0)
                return -errno;

        _cleanup_(fd_closep) int fd = create_file(dir_fd, path);
        if (fd < 0)
                return reason_set(reason, fd, "Cannot create '%s': %m", path);
        if (ftruncate(fd, status.st_size) < 0)
                return reason_set(reason, -errno, "Cannot write '%s': %m", path);
        int r = fd_copy_range(boot_loader_fd, 0, fd, 0, (uint64_t)status.st_size);
        return r < 0 ? reason_set(reason, r, "Cannot write '%s': %m", path) : 0;
}

static int check_boot_loader(const char *architecture, int boot_loader_fd, Reason *reason) {
        _cleanup_(pe_image_done) PeImage image = {};
        _cleanup_(reason_done) Reason inner = {};

        int r = pe_image_load(boot_loader_fd, &image, &inner);
        if (r < 0)
                return reason_set(reason, r, "Boot loader: %s", reason_text(&inner, r));

        const char *boot_loader_for = pe_machine_architecture(image.machine);
        if (!text_equal(boot_loader_for, architecture))
                return reason_set(reason, -EBADMSG, "The boot loader is for %s, but the image for %s",
                                  boot_loader_for, architecture);
        return 0;
}

static int make_directories(int dir_fd, Reason *reason) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(dir_fd, directories[i], 0700) < 0 ||
                    fchmodat(dir_fd, directories[i], 0700, 0) < 0)
                        return reason_set(reason, -errno, "Cannot make the directory '%s': %m",
                                          directories[i]);
        return 0;
}

int boot_tree_make(int dir_fd, const char *architecture, int boot_loader_fd, Reason *reason) {
        _cleanup_(freep) char *own_path = NULL, *fallback_path = NULL;
        const char *efi = efi_architecture(architecture);

        if (!efi)
                return reason_set(reason, -EOPNOTSUPP, "UEFI does not know the architecture '%s'",
                                  architecture);
        int r = check_boot_loader(architecture, boot_loader_fd, reason);
        if (r < 0)
                return r;

        r = text_format(&own_path, "EFI/systemd/systemd-boot%s.efi", efi);
        if (r < 0)
                return r;
        r = text_format(&fallback_path, "EFI/BOOT/BOOT%s.EFI", efi);
        if (r < 0)
                return r;
        for (char *letter = fallback_path; *letter != '\0'; letter++)
                if (*letter >= 'a' && *letter <= 'z')
                        *letter = (char)(*letter - 'a' + 'A');

        r = make_directories(dir_fd, reason);
        if (r < 0)
                return r;
        r = copy_boot_loader(dir_fd, own_path, boot_loader_fd, reason);
        if (r < 0)
                return r;
        r = copy_boot_loader(dir_fd, fallback_path, boot_loader_fd, reason);
        if (r < 0)
                return r;
        r = file_write_text(dir_fd, "loader/entries.srel", "type1\n", 0600);
        return r < 0 ? reason_set(reason, r, "Cannot write 'loader/entries.srel': %m") : 0;
}

/* Whether FAT and mtools can have NAME.efi as a file name. */
static bool kernel_name_is_valid(const char *name) {
        const size_t length = strlen(name);

        if (length == 0 || length > KERNEL_NAME_LENGTH_MAX || name[0] == '.' || name[0] == ' ')
                return false;
        for (const char *c = name; *c != '\0'; c++)
                if (*c < ' ' || *c > '~' || strchr("\"*/:<>?\\|", *c))
                        return false;
        return true;
}

int boot_tree_create_kernel(int dir_fd, const char *name, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        if (!kernel_name_is_valid(name))
                return reason_set(reason, -EINVAL, "'%s' cannot be the name of a file on the boot partition",
                                  name);
        int r = text_format(&path, "EFI/Linux/%s.efi", name);
        if (r < 0)
                return r;

        r = create_file(dir_fd, path);
        return r < 0 ? reason_set(reason, r, "Cannot create '%s': %m", path) : r;
}

int boot_tree_add_key(int dir_fd, const char *name, const void *data, size_t size, Reason *reason) {
        _cleanup_(freep) char *path = NULL;

        int r = text_format(&path, BOOT_TREE_KEYS_DIRECTORY "/%s.auth", name);
        if (r < 0)
                return r;
        r = path_make_directories(dir_fd, BOOT_TREE_KEYS_DIRECTORY, 0700);
        if (r >= 0)
                r = file_write(dir_fd, path, data, size, 0600);
        return r < 0 ? reason_set(reason, r, "Cannot write '%s': %m", path) : 0;
}

int boot_tree_set_enrollment(int dir_fd, const char *when, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        int r = text_format(&text, "secure-boot-enroll %s\n", when);
        if (r < 0)
                return r;
        r = file_write_text(dir_fd, "loader/loader.conf", text, 0600);
        return r < 0 ? reason_set(reason, r, "Cannot write 'loader/loader.conf': %m") : 0;
}
