/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "config/config-resolve.h"
#include "config/config-search-path.h"
#include "run/image-lock.h"
#include "run/kvm.h"
#include "run/virtual-machine.h"

#define USER_DIRECTORY "qemu/firmware" /* below that of the user's configuration */

/* What makes a compressed image one that can be read, and leaves the compressed one as it is; NULL: nothing is
 * to be done. */
static const char *const unpackers[] = {
        [OUTPUT_COMPRESSION_AUTO] = NULL,
        [OUTPUT_COMPRESSION_NO] = NULL,
        [OUTPUT_COMPRESSION_XZ] = "xz --decompress --keep",
        [OUTPUT_COMPRESSION_ZSTD] = "zstd --decompress --keep",
        [OUTPUT_COMPRESSION_GZIP] = "gzip --decompress --keep",
};
static_assert(ELEMENTSOF(unpackers) == OUTPUT_COMPRESSION_MAX, "A compression has no program");

void virtual_machine_free(VirtualMachine *machine) {
        if (!machine)
                return;
        free(machine->program);
        firmware_done(&machine->firmware);
        free(machine);
}

/* "Format=tar (mkosi.default:3)" */
static int say_setting(const LoadedConfig *loaded, size_t offset, char **ret) {
        _cleanup_(freep) char *said = NULL, *where = NULL;

        int r = config_say(loaded, offset, &said);
        if (r >= 0)
                r = config_where(loaded, offset, 0, &where);
        return r < 0 ? r : text_format(ret, "%s (%s)", said, where);
}

static int check_format(const LoadedConfig *loaded, char ***problems) {
        const Config *config = &loaded->config;
        _cleanup_(freep) char *said = NULL;

        if (!output_format_is_disk(config->format)) {
                const int r = say_setting(loaded, CONFIG(format), &said);

                return r < 0 ? r
                             : strv_append_format(problems,
                                                  "%s is no disk image, and nothing else boots in a virtual "
                                                  "machine: build one of Format=gpt_ext4, gpt_btrfs or "
                                                  "gpt_squashfs, with Bootable=yes",
                                                  said);
        }
        if (!config->bootable)
                return strv_append(problems,
                                   "Without Bootable=yes the image has neither a boot loader nor a kernel: "
                                   "\"mkosi --force --bootable\" builds one that has");
        return 0;
}

static int check_compression(const Config *config, char ***problems) {
        const char *unpacker = unpackers[config->compress_output.word];
        _cleanup_(freep) char *image = NULL, *unpacked = NULL;

        if (!unpacker || !output_format_is_disk(config->format))
                return 0;
        int r = config_path_say(config->output, &image);
        if (r >= 0)
                r = config_output_uncompressed(config, &unpacked);
        if (r < 0)
                return r;
        return strv_append_format(problems,
                                  "%s is compressed, and a virtual machine needs a disk that it can read "
                                  "anywhere: unpack it with \"%s %s\", and then run "
                                  "\"mkosi --compress-output=no --output=./%s qemu\"",
                                  image, unpacker, image, path_base_name(unpacked));
}

static int find_program(VirtualMachine *machine, char ***problems) {
        _cleanup_(freep) char *search_path = NULL;

        int r = config_search_path(&machine->loaded->config, &search_path);
        if (r >= 0)
                r = path_find_program(machine->target->program, search_path, &machine->program);
        if (r != -ENOENT)
                return r;
        return strv_append_format(problems, "Program %s is missing, install package %s",
                                  machine->target->program, machine->target->program_package);
}

/* Where a user has descriptors of firmware; NULL when nobody knows. */
static int user_directory(char **ret) {
        const char *configuration = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

        *ret = NULL;
        if (configuration && configuration[0] == '/')
                return path_join(configuration, USER_DIRECTORY, ret);
        if (home && home[0] == '/')
                return path_join(home, ".config/" USER_DIRECTORY, ret);
        return 0;
}

static int find_firmware(VirtualMachine *machine, char ***problems) {
        const bool secure_boot = machine->loaded->config.secure_boot;
        _cleanup_(strv_freep) char **passed_over = NULL;
        _cleanup_(freep) char *directory = NULL;

        int r = user_directory(&directory);
        if (r >= 0)
                r = firmware_find(&machine->target->firmware, secure_boot,
                                  &(FirmwarePlaces){ .root = "", .user_directory = directory },
                                  &machine->firmware, &passed_over);
        if (r < 0)
                return r;
        for (char **problem = passed_over; problem && *problem; problem++)
                log_warning("Passing over a description of firmware, %s", *problem);
        if (r > 0)
                return 0;
        return strv_append_format(problems,
                                  "No UEFI firmware%s for virtual machines of the architecture %s was found, "
                                  "install package %s",
                                  secure_boot ? " with Secure Boot and without keys" : "",
                                  machine->target->firmware.architecture, machine->target->firmware_package);
}

int virtual_machine_new(const LoadedConfig *loaded, VirtualMachine **ret) {
        _cleanup_(virtual_machine_freep) VirtualMachine *machine = calloc(1, sizeof(*machine));
        _cleanup_(strv_freep) char **problems = NULL;

        if (!machine)
                return -ENOMEM;
        machine->loaded = loaded;
        machine->target = qemu_target_find(loaded->config.architecture);

        int r = check_format(loaded, &problems);
        if (r >= 0)
                r = check_compression(&loaded->config, &problems);
        if (r >= 0)
                r = find_program(machine, &problems);
        if (r >= 0)
                r = find_firmware(machine, &problems);
        if (r < 0)
                return log_error(r, "Cannot check what this host can do: %m");
        for (char **problem = problems; problem && *problem; problem++)
                (void)log_error(-ENOTSUP, "%s", *problem);
        if (problems)
                return -ENOTSUP;

        *ret = TAKE_PTR(machine);
        return 0;
}

/* What the emulator would say of these is worse. */
static int check_image(const Config *config) {
        struct stat status;

        if (stat(config->output, &status) < 0)
                return log_error(-errno, "Cannot find %s: %m", config->output);
        if (!S_ISREG(status.st_mode))
                return log_error(-EINVAL,
                                 "%s is no file, and so no disk image: \"mkosi --force\" replaces it by one",
                                 config->output);
        if (access(config->output, R_OK) < 0)
                return log_error(-errno, "Cannot read %s: %m; become its owner, or let yourself read it",
                                 config->output);
        if (config->persistent && access(config->output, W_OK) < 0)
                return log_error(
                        -errno, "Cannot write to %s: %m; leave out --persistent, or let yourself write to it",
                        config->output);
        return 0;
}

/* Whether it is to be KVM; else says why not. */
static int choose_kvm(const VirtualMachine *machine) {
        _cleanup_(reason_done) Reason reason = {};
        int r = 0;

        if (machine->loaded->config.architecture == machine->loaded->host_architecture)
                r = kvm_works(KVM_DEVICE, &reason);
        else
                (void)reason_set(&reason, -ENOTSUP, "This machine is of another architecture");
        if (r < 0)
                return log_error(r, "Cannot look for KVM: %m");
        if (r == 0)
                log_info("Emulating all of the machine, which is slow. %s", reason_text(&reason, -ENOTSUP));
        return r;
}

/* Whether the kernel was told of a console, whichever it is. */
static bool names_console(const char *command_line) {
        for (const char *at = command_line; (at = strstr(at, "console=")); at++)
                if (at == command_line || at[-1] == ' ' || at[-1] == '\t')
                        return true;
        return false;
}

static void say_beginning(const VirtualMachine *machine, bool tell_console) {
        const Config *config = &machine->loaded->config;

        log_debug("Firmware: %s, variables: a copy of %s", machine->firmware.code.path,
                  machine->firmware.variables.path);
        if (config->secure_boot && config->secure_boot_auto_enroll == SECURE_BOOT_ENROLL_OFF)
                log_info(
                        "The firmware has no keys, and so refuses nothing: SecureBootAutoEnroll=if-safe lets the "
                        "image bring its own");
        if (tell_console)
                log_info(
                        "KernelCommandLine= names no console: if the system is silent here, add console=%s to it "
                        "(from systemd 254 on it is told so by itself)",
                        machine->target->console);
        log_info("Booting %s: Ctrl-A X ends the machine%s", config->output,
                 config->persistent ? "" : ", and what it has written is gone then");
}

static int print_command(const char *const *command) {
        _cleanup_(freep) char *text = NULL;

        const int r = strv_join(command, " ", &text);
        if (r >= 0)
                log_debug("Running %s", text);
        return r;
}

/* The descriptors of the variables, and of the image's lock, go along. */
static int become(char *const *command, int variables_fd, int lock_fd, mode_t caller_umask) {
        int r = interrupt_check();
        if (r < 0)
                return r;
        if (fcntl(variables_fd, F_SETFD, 0) < 0 || fcntl(lock_fd, F_SETFD, 0) < 0)
                return log_error(-errno, "Cannot hand open files over: %m");

        (void)umask(caller_umask);
        interrupt_reset();
        (void)execv(command[0], command);
        return log_error(-errno, "Cannot run %s: %m", command[0]);
}

int virtual_machine_start(const VirtualMachine *machine, const char *const *words, mode_t caller_umask) {
        const Config *config = &machine->loaded->config;
        _cleanup_(fd_closep) int variables_fd = -EBADF, lock_fd = -EBADF;
        _cleanup_(strv_freep) char **command = NULL;
        _cleanup_(reason_done) Reason reason = {};
        const bool tell_console = !names_console(config->kernel_command_line);

        int r = check_image(config);
        if (r >= 0)
                r = image_lock(config, &lock_fd);
        if (r < 0)
                return r;
        const int kvm = choose_kvm(machine);
        if (kvm < 0)
                return kvm;
        r = firmware_copy_variables(&machine->firmware, &variables_fd, &reason);
        if (r < 0)
                return log_error(r, "Cannot give the firmware its variables: %s", reason_text(&reason, r));

        r = qemu_command(&(QemuMachine){ .target = machine->target,
                                         .firmware = &machine->firmware,
                                         .variables_fd = variables_fd,
                                         .image = config->output,
                                         .image_format = output_is_qcow2(config) ? "qcow2" : "raw",
                                         .persistent = config->persistent,
                                         .kvm = kvm > 0,
                                         .n_processors = config->cpus,
                                         .memory_size = config->ram,
                                         .tell_console = tell_console,
                                         .words = words },
                         machine->program, &command);
        if (r >= 0)
                r = print_command(STRV(command));
        if (r < 0)
                return log_error(r, "Cannot put the command together: %m");
        say_beginning(machine, tell_console);
        return become(command, variables_fd, lock_fd, caller_umask);
}
