/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "run/firmware-descriptor.h"
#include "run/firmware.h"

#define VARIABLES_SIZE_MAX (256 * MIB) /* flash of arm64 has 64 MiB */

/* From the most general one to the most particular, which comes from FirmwarePlaces. */
static const char *const descriptor_directories[] = { "/usr/share/qemu/firmware", "/etc/qemu/firmware" };

/* Where firmware lies that no descriptor tells of: distributions have had those only since 2018 or later, and
 * not all have. The first row of an architecture that is there counts: newer names, and larger flash, come
 * first. */
/* clang-format off */
static const struct {
        const char *architecture, *code, *variables, *format;
        bool secure_boot, requires_smm;
} known_places[] = {
        /* Debian, Ubuntu */
        { "x86_64",  "/usr/share/OVMF/OVMF_CODE_4M.fd",                     "/usr/share/OVMF/OVMF_VARS_4M.fd",                     "raw",   false, false },
        { "x86_64",  "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",             "/usr/share/OVMF/OVMF_VARS_4M.fd",                     "raw",   true,  true  },
        { "x86_64",  "/usr/share/OVMF/OVMF_CODE.fd",                        "/usr/share/OVMF/OVMF_VARS.fd",                        "raw",   false, false },
        { "x86_64",  "/usr/share/OVMF/OVMF_CODE.secboot.fd",                "/usr/share/OVMF/OVMF_VARS.fd",                        "raw",   true,  true  },
        { "i386",    "/usr/share/OVMF/OVMF32_CODE_4M.fd",                   "/usr/share/OVMF/OVMF32_VARS_4M.fd",                   "raw",   false, false },
        { "i386",    "/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd",           "/usr/share/OVMF/OVMF32_VARS_4M.fd",                   "raw",   true,  true  },
        { "aarch64", "/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd",           "/usr/share/AAVMF/AAVMF_VARS.fd",                      "raw",   false, false },
        { "aarch64", "/usr/share/AAVMF/AAVMF_CODE.secboot.fd",              "/usr/share/AAVMF/AAVMF_VARS.fd",                      "raw",   true,  false },
        { "aarch64", "/usr/share/AAVMF/AAVMF_CODE.fd",                      "/usr/share/AAVMF/AAVMF_VARS.fd",                      "raw",   false, false },
        { "arm",     "/usr/share/AAVMF/AAVMF32_CODE.fd",                    "/usr/share/AAVMF/AAVMF32_VARS.fd",                    "raw",   false, false },
        { "riscv64", "/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd",      "/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd",      "raw",   false, false },
        /* Fedora, CentOS, Mageia */
        { "x86_64",  "/usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2",             "/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2",             "qcow2", false, false },
        { "x86_64",  "/usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2",     "/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2",             "qcow2", true,  true  },
        { "x86_64",  "/usr/share/edk2/ovmf/OVMF_CODE.fd",                   "/usr/share/edk2/ovmf/OVMF_VARS.fd",                   "raw",   false, false },
        { "x86_64",  "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd",           "/usr/share/edk2/ovmf/OVMF_VARS.fd",                   "raw",   true,  true  },
        { "i386",    "/usr/share/edk2/ovmf-ia32/OVMF_CODE.fd",              "/usr/share/edk2/ovmf-ia32/OVMF_VARS.fd",              "raw",   false, false },
        { "i386",    "/usr/share/edk2/ovmf-ia32/OVMF_CODE.secboot.fd",      "/usr/share/edk2/ovmf-ia32/OVMF_VARS.fd",              "raw",   true,  true  },
        { "aarch64", "/usr/share/edk2/aarch64/QEMU_EFI-silent-pflash.qcow2", "/usr/share/edk2/aarch64/vars-template-pflash.qcow2", "qcow2", false, false },
        { "aarch64", "/usr/share/edk2/aarch64/QEMU_EFI-silent-pflash.raw",  "/usr/share/edk2/aarch64/vars-template-pflash.raw",    "raw",   false, false },
        { "aarch64", "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",         "/usr/share/edk2/aarch64/vars-template-pflash.raw",    "raw",   false, false },
        { "arm",     "/usr/share/edk2/arm/QEMU_EFI-pflash.raw",             "/usr/share/edk2/arm/vars-template-pflash.raw",        "raw",   false, false },
        { "riscv64", "/usr/share/edk2/riscv/RISCV_VIRT_CODE.qcow2",         "/usr/share/edk2/riscv/RISCV_VIRT_VARS.qcow2",         "qcow2", false, false },
        /* Arch */
        { "x86_64",  "/usr/share/edk2/x64/OVMF_CODE.4m.fd",                 "/usr/share/edk2/x64/OVMF_VARS.4m.fd",                 "raw",   false, false },
        { "x86_64",  "/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd",         "/usr/share/edk2/x64/OVMF_VARS.4m.fd",                 "raw",   true,  true  },
        { "x86_64",  "/usr/share/edk2/x64/OVMF_CODE.fd",                    "/usr/share/edk2/x64/OVMF_VARS.fd",                    "raw",   false, false },
        { "x86_64",  "/usr/share/edk2/x64/OVMF_CODE.secboot.fd",            "/usr/share/edk2/x64/OVMF_VARS.fd",                    "raw",   true,  true  },
        { "x86_64",  "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",               "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd",               "raw",   false, false },
        { "x86_64",  "/usr/share/edk2-ovmf/x64/OVMF_CODE.secboot.fd",       "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd",               "raw",   true,  true  },
        { "x86_64",  "/usr/share/ovmf/x64/OVMF_CODE.fd",                    "/usr/share/ovmf/x64/OVMF_VARS.fd",                    "raw",   false, false },
        { "i386",    "/usr/share/edk2/ia32/OVMF_CODE.4m.fd",                "/usr/share/edk2/ia32/OVMF_VARS.4m.fd",                "raw",   false, false },
        { "i386",    "/usr/share/edk2/ia32/OVMF_CODE.secboot.4m.fd",        "/usr/share/edk2/ia32/OVMF_VARS.4m.fd",                "raw",   true,  true  },
        { "aarch64", "/usr/share/edk2/aarch64/QEMU_CODE.fd",                "/usr/share/edk2/aarch64/QEMU_VARS.fd",                "raw",   false, false },
        { "arm",     "/usr/share/edk2/arm/QEMU_CODE.fd",                    "/usr/share/edk2/arm/QEMU_VARS.fd",                    "raw",   false, false },
        /* openSUSE */
        { "x86_64",  "/usr/share/qemu/ovmf-x86_64-4m-code.bin",             "/usr/share/qemu/ovmf-x86_64-4m-vars.bin",             "raw",   false, false },
        { "x86_64",  "/usr/share/qemu/ovmf-x86_64-code.bin",                "/usr/share/qemu/ovmf-x86_64-vars.bin",                "raw",   false, false },
        { "x86_64",  "/usr/share/qemu/ovmf-x86_64-smm-code.bin",            "/usr/share/qemu/ovmf-x86_64-smm-vars.bin",            "raw",   true,  true  },
        { "i386",    "/usr/share/qemu/ovmf-ia32-code.bin",                  "/usr/share/qemu/ovmf-ia32-vars.bin",                  "raw",   false, false },
        { "aarch64", "/usr/share/qemu/aavmf-aarch64-code.bin",              "/usr/share/qemu/aavmf-aarch64-vars.bin",              "raw",   false, false },
        { "arm",     "/usr/share/qemu/aavmf-aarch32-code.bin",              "/usr/share/qemu/aavmf-aarch32-vars.bin",              "raw",   false, false },
        /* Gentoo */
        { "x86_64",  "/usr/share/edk2-ovmf/OVMF_CODE.fd",                   "/usr/share/edk2-ovmf/OVMF_VARS.fd",                   "raw",   false, false },
        { "x86_64",  "/usr/share/edk2-ovmf/OVMF_CODE.secboot.fd",           "/usr/share/edk2-ovmf/OVMF_VARS.fd",                   "raw",   true,  true  },
        /* What qemu itself installs */
        { "x86_64",  "/usr/share/qemu/edk2-x86_64-code.fd",                 "/usr/share/qemu/edk2-i386-vars.fd",                   "raw",   false, false },
        { "x86_64",  "/usr/share/qemu/edk2-x86_64-secure-code.fd",          "/usr/share/qemu/edk2-i386-vars.fd",                   "raw",   true,  true  },
        { "i386",    "/usr/share/qemu/edk2-i386-code.fd",                   "/usr/share/qemu/edk2-i386-vars.fd",                   "raw",   false, false },
        { "i386",    "/usr/share/qemu/edk2-i386-secure-code.fd",            "/usr/share/qemu/edk2-i386-vars.fd",                   "raw",   true,  true  },
        { "aarch64", "/usr/share/qemu/edk2-aarch64-code.fd",                "/usr/share/qemu/edk2-arm-vars.fd",                    "raw",   false, false },
        { "arm",     "/usr/share/qemu/edk2-arm-code.fd",                    "/usr/share/qemu/edk2-arm-vars.fd",                    "raw",   false, false },
        { "riscv64", "/usr/share/qemu/edk2-riscv-code.fd",                  "/usr/share/qemu/edk2-riscv-vars.fd",                  "raw",   false, false },
};
/* clang-format on */

/* All that the target could boot with, in the order of preference. */
typedef struct Candidates {
        Firmware *items;
        size_t n_items;
} Candidates;

static void firmware_file_done(FirmwareFile *file) {
        free(file->path);
        free(file->format);
        *file = (FirmwareFile){};
}

void firmware_done(Firmware *firmware) {
        firmware_file_done(&firmware->code);
        firmware_file_done(&firmware->variables);
}

static void candidates_done(Candidates *candidates) {
        for (size_t i = 0; i < candidates->n_items; i++)
                firmware_done(&candidates->items[i]);
        free(candidates->items);
}

static bool is_readable(const FirmwareFile *file) {
        struct stat status;

        return access(file->path, R_OK) == 0 && stat(file->path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Takes the firmware over, also on failure; it is dropped if it is not there. */
static int add_candidate(Candidates *candidates, Firmware *firmware) {
        Firmware *items;

        if (!is_readable(&firmware->code) || !is_readable(&firmware->variables)) {
                firmware_done(firmware);
                return 0;
        }
        items = reallocarray(candidates->items, candidates->n_items + 1, sizeof(*items));
        if (!items) {
                firmware_done(firmware);
                return -ENOMEM;
        }
        candidates->items = items;
        items[candidates->n_items++] = *firmware;
        return 0;
}

static int below_root(const FirmwarePlaces *places, char **path) {
        char *whole = NULL;

        const int r = text_format(&whole, "%s%s", places->root, *path);
        if (r < 0)
                return r;
        free(*path);
        *path = whole;
        return 0;
}

/* Those directories of descriptors that are there and can be read, the most particular one first. */
static int list_directories(const FirmwarePlaces *places, char ***ret) {
        _cleanup_(strv_freep) char **all = NULL, **readable = NULL;
        int r = 0;

        if (places->user_directory)
                r = strv_append(&all, places->user_directory);
        for (size_t i = ELEMENTSOF(descriptor_directories); i-- > 0 && r >= 0;)
                r = strv_append_format(&all, "%s%s", places->root, descriptor_directories[i]);
        for (char **path = all; r >= 0 && path && *path; path++)
                if (access(*path, R_OK | X_OK) == 0)
                        r = strv_append(&readable, *path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(readable);
        return 0;
}

/* The names of all descriptors, sorted; a name stands for the file of the most particular directory that has it. */
static int list_names(const char *const *directories, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL;

        for (; directories && *directories; directories++) {
                _cleanup_(directory_closep) DIR *directory = opendir(*directories);
                const struct dirent *entry;

                while (directory && (entry = readdir(directory))) {
                        if (entry->d_name[0] == '.' || !text_ends_with(entry->d_name, ".json") ||
                            strv_contains(STRV(names), entry->d_name))
                                continue;
                        const int r = strv_append(&names, entry->d_name);
                        if (r < 0)
                                return r;
                }
        }
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

/* Reads the file of that name in the first directory that has it. An empty one hides those behind it, and so
 * does what is no file (a link to /dev/null). */
static int read_descriptor(const char *const *directories, const char *name, char **ret_path, char **ret,
                           size_t *ret_size) {
        for (; directories && *directories; directories++) {
                _cleanup_(freep) char *path = NULL;

                int r = path_join(*directories, name, &path);
                if (r < 0)
                        return r;
                r = file_read(AT_FDCWD, path, FIRMWARE_DESCRIPTOR_SIZE_MAX, ret, ret_size);
                if (r == -ENOENT)
                        continue;
                if (r == -EINVAL) {
                        *ret_size = 0;
                        r = 0;
                }
                *ret_path = TAKE_PTR(path);
                return r;
        }
        return -ENOENT;
}

/* Adds what a descriptor tells of, or says why it could not be read. */
static int add_descriptor(const FirmwareTarget *target, const FirmwarePlaces *places,
                          const char *const *directories, const char *name, Candidates *candidates,
                          char ***problems) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(reason_done) Reason reason = {};
        Firmware firmware = {};
        size_t size;

        int r = read_descriptor(directories, name, &path, &text, &size);
        if (r < 0 && path)
                return strv_append_format(problems, "%s: %s", path, file_read_error(r));
        if (r < 0 || size == 0)
                return r == -ENOMEM ? r : 0;

        r = firmware_descriptor_read(text, size, target, &firmware, &reason);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return strv_append_format(problems, "%s: %s", path, reason_text(&reason, r));
        if (r == 0)
                return 0;
        r = below_root(places, &firmware.code.path);
        if (r >= 0)
                r = below_root(places, &firmware.variables.path);
        if (r < 0) {
                firmware_done(&firmware);
                return r;
        }
        return add_candidate(candidates, &firmware);
}

static int add_descriptors(const FirmwareTarget *target, const FirmwarePlaces *places, Candidates *candidates,
                           char ***problems) {
        _cleanup_(strv_freep) char **directories = NULL, **names = NULL;

        int r = list_directories(places, &directories);
        if (r >= 0)
                r = list_names(STRV(directories), &names);
        for (char **name = names; r >= 0 && name && *name; name++)
                r = add_descriptor(target, places, STRV(directories), *name, candidates, problems);
        return r;
}

static int add_known_place(const FirmwarePlaces *places, size_t row, Candidates *candidates) {
        Firmware firmware = {
                .secure_boot = known_places[row].secure_boot,
                .requires_smm = known_places[row].requires_smm,
        };

        int r = text_format(&firmware.code.path, "%s%s", places->root, known_places[row].code);
        if (r >= 0)
                r = text_format(&firmware.variables.path, "%s%s", places->root, known_places[row].variables);
        if (r >= 0)
                r = text_copy(known_places[row].format, &firmware.code.format);
        if (r >= 0)
                r = text_copy(known_places[row].format, &firmware.variables.format);
        if (r < 0) {
                firmware_done(&firmware);
                return r;
        }
        return add_candidate(candidates, &firmware);
}

static Firmware *find_candidate(const Candidates *candidates, bool secure_boot) {
        for (size_t i = 0; i < candidates->n_items; i++)
                if (!candidates->items[i].enrolled_keys && candidates->items[i].secure_boot == secure_boot)
                        return &candidates->items[i];
        return NULL;
}

int firmware_find(const FirmwareTarget *target, bool secure_boot, const FirmwarePlaces *places, Firmware *ret,
                  char ***problems) {
        _cleanup_(candidates_done) Candidates candidates = {};

        assert(target && places && places->root && ret && problems);

        int r = add_descriptors(target, places, &candidates, problems);
        for (size_t i = 0; i < ELEMENTSOF(known_places) && r >= 0; i++)
                if (text_equal(known_places[i].architecture, target->architecture))
                        r = add_known_place(places, i, &candidates);
        if (r < 0)
                return r;

        Firmware *found = find_candidate(&candidates, secure_boot);
        if (!found && !secure_boot)
                found = find_candidate(&candidates, true);
        if (!found)
                return 0;
        *ret = *found;
        *found = (Firmware){};
        return 1;
}

int firmware_copy_variables(const Firmware *firmware, int *ret_fd, Reason *reason) {
        const char *path = firmware->variables.path;
        _cleanup_(fd_closep) int from = open(path, O_RDONLY | O_CLOEXEC),
                                 to = memfd_create("mkosi-variables", MFD_CLOEXEC);
        struct stat status;

        if (from < 0 || fstat(from, &status) < 0)
                return reason_set(reason, -errno, "Cannot open %s: %m", path);
        if (!S_ISREG(status.st_mode) || status.st_size > (off_t)VARIABLES_SIZE_MAX)
                return reason_set(reason, -EINVAL, "%s is no file of variables", path);
        if (to < 0 || ftruncate(to, status.st_size) < 0)
                return reason_set(reason, -errno, "Cannot get memory for a copy of %s: %m", path);
        const int r = fd_copy_range(from, 0, to, 0, (uint64_t)status.st_size);
        if (r < 0)
                return reason_set(reason, r, "Cannot copy %s: %m", path);

        *ret_fd = TAKE_FD(to);
        return 0;
}
