/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "image/kept-output.h"
#include "image/kept-setting.h"
#include "image/kept-tree.h"
#include "image/sources.h"
#include "secureboot/boot-tree.h"

#define SUFFIX          ".cache-output"
#define RECORD_SIZE_MAX (256 * MIB)
#define MADE            "output"
#define UNFINISHED_NAME "record"
#define EFI_DIRECTORY   "/usr/lib/systemd/boot/efi" /* of the host */

void kept_output_done(KeptOutput *kept) {
        strv_free(kept->differences);
        kept_inputs_done(&kept->inputs);
        *kept = (KeptOutput){};
}

int kept_output_path(const Config *config, char **ret) {
        return text_format(ret, "%s" SUFFIX, config->output);
}

/* The modes and owners of files. */
static int add_owner(const Config *config, mode_t umask, KeptInputs *inputs) {
        static const char *const names[] = { "SUDO_UID", "SUDO_GID" };
        _cleanup_(freep) char *mask = NULL;

        int r = text_format(&mask, "%03o", (unsigned)umask);
        if (r >= 0)
                r = kept_inputs_add(inputs, "umask", mask);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names) && !config->no_chown; i++)
                r = kept_inputs_add(inputs, names[i], getenv(names[i]));
        return r;
}

/* Boot loader and stub are the host's where the tree has none. */
static int add_boot_programs(const Config *config, KeptInputs *inputs) {
        const char *const efi = efi_architecture(architecture_words[config->architecture]);
        _cleanup_(freep) char *stub = NULL, *loader = NULL;

        if (!config->bootable || !efi)
                return 0;
        int r = text_format(&stub, EFI_DIRECTORY "/linux%s.efi.stub", efi);
        if (r >= 0)
                r = text_format(&loader, EFI_DIRECTORY "/systemd-boot%s.efi", efi);
        if (r >= 0)
                r = kept_inputs_add_tree(inputs, stub, stub, NULL);
        return r < 0 ? r : kept_inputs_add_tree(inputs, loader, loader, NULL);
}

static int describe_directory(const char *path, const struct stat *status, char **ret) {
        _cleanup_(freep) char *content = NULL;

        const int r = kept_inputs_fingerprint(path, &content);
        if (r < 0)
                return r;
        return text_format(ret, "%o %lld.%09ld %s", (unsigned)status->st_mode,
                           (long long)status->st_mtim.tv_sec, status->st_mtim.tv_nsec, content);
}

/* What lies at its place: who changes it, or puts something else there, changes one of these. */
static int add_made(const Config *config, KeptInputs *inputs) {
        int r = 0;

        for (ArtefactKind kind = 0; kind < ARTEFACT_MAX && r >= 0; kind++) {
                _cleanup_(freep) char *path = NULL, *value = NULL, *said = NULL;
                struct stat status;

                if (!artefact_wanted(config, kind))
                        continue;
                r = artefact_output(config, kind, &path);
                if (r >= 0)
                        r = config_path_say(path, &said);
                if (r < 0)
                        break;
                if (lstat(path, &status) < 0)
                        r = text_copy("missing", &value);
                else if (S_ISDIR(status.st_mode))
                        r = describe_directory(path, &status, &value);
                else
                        r = text_format(&value, "%o %llu %lld %lld.%09ld", (unsigned)status.st_mode,
                                        (unsigned long long)status.st_ino, (long long)status.st_size,
                                        (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
                if (r >= 0)
                        r = kept_inputs_add_format(inputs, value, MADE " %s", said);
        }
        return r;
}

static int read_record(const Config *config, KeptInputs *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;

        int r = kept_output_path(config, &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, RECORD_SIZE_MAX, &text, NULL);
        if (r == -ENOMEM)
                return r;
        r = r < 0 ? r : kept_inputs_parse(text, ret);
        return r == -ENOMEM ? r : r >= 0;
}

static int compare(const Config *config, KeptOutput *kept) {
        _cleanup_(kept_inputs_done) KeptInputs before = {}, now = {};

        int r = read_record(config, &before);
        if (r <= 0)
                return r;
        r = kept_inputs_copy(&kept->inputs, &now);
        if (r >= 0)
                r = add_made(config, &now);
        if (r < 0)
                return r;
        kept_inputs_sort(&now);
        r = kept_inputs_compare(&before, &now, &kept->differences);
        kept->usable = r >= 0 && !kept->differences;
        return r;
}

/* What a script on the host looks at, which key GnuPG finds, what somebody types, and what is shown of a directory as it is,
 * nobody can list. */
static bool can_be_listed(const Config *config) {
        return !(config->build_script && config->source_file_transfer == SOURCE_FILE_TRANSFER_MOUNT) &&
               !(config->sign && !config->sign_offline) &&
               !(config->encrypt != ENCRYPT_OFF && !config->passphrase_file);
}

/* Returns 1 when there is something that nobody can list. */
static int collect(const LoadedConfig *loaded, const Distro *distro, mode_t umask, KeptInputs *inputs,
                   Reason *reason) {
        const Config *config = &loaded->config;

        int r = kept_settings_add(loaded, KEPT_STAGE_OUTPUT, inputs);
        if (r == 0)
                r = kept_settings_add(loaded, KEPT_STAGE_DEVELOPMENT, inputs);
        if (r != 0)
                return r;
        r = kept_tree_collect_base(loaded, distro, inputs);
        if (r >= 0)
                r = kept_tree_add_build_packages(config, inputs);
        /* The prepare script has them already. */
        if (r >= 0 && !config->prepare_script)
                r = kept_settings_add_environment(config, inputs);
        if (r >= 0)
                r = add_owner(config, umask, inputs);
        if (r >= 0)
                r = add_boot_programs(config, inputs);
        if (r >= 0 && config->build_script)
                r = sources_add_inputs(config, inputs, reason);
        return MIN(r, 0);
}

int kept_output_look(const LoadedConfig *loaded, const Distro *distro, mode_t umask, KeptOutput *ret,
                     Reason *reason) {
        const Config *config = &loaded->config;

        *ret = (KeptOutput){ .wanted = config->incremental && can_be_listed(config) };
        if (!ret->wanted)
                return 0;
        const int r = collect(loaded, distro, umask, &ret->inputs, reason);
        if (r < 0)
                return r;
        ret->wanted = r == 0;
        if (!ret->wanted)
                return 0;
        kept_inputs_sort(&ret->inputs);
        return config->force >= 2 ? 0 : compare(config, ret);
}

int kept_output_store(const Config *config, const KeptOutput *kept, const char *workspace) {
        _cleanup_(kept_inputs_done) KeptInputs inputs = {};
        _cleanup_(freep) char *path = NULL, *text = NULL, *unfinished = NULL;

        int r = kept_output_path(config, &path);
        if (r >= 0)
                r = path_join(workspace, UNFINISHED_NAME, &unfinished);
        if (r >= 0)
                r = kept_inputs_copy(&kept->inputs, &inputs);
        if (r >= 0)
                r = add_made(config, &inputs);
        if (r < 0)
                return r;
        kept_inputs_sort(&inputs);
        r = kept_inputs_format(&inputs, &text);
        if (r >= 0)
                r = file_write_text(AT_FDCWD, unfinished, text, 0600);
        if (r < 0)
                return r;
        return rename(unfinished, path) < 0 ? -errno : 0;
}
