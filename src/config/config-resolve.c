/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/git-files.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/config-report.h"
#include "config/config-resolve.h"
#include "config/config-search-path.h"
#include "config/config-stages.h"

#define ESP_SIZE_DEFAULT            (256 * MIB)
#define KERNEL_COMMAND_LINE_DEFAULT "rhgb quiet selinux=0 audit=0 rw"

/* Much of a system wants to write to /var and /etc, and fails or waits for long where it cannot. */
#define KERNEL_COMMAND_LINE_READ_ONLY "rhgb quiet selinux=0 audit=0 ro systemd.volatile=overlay"

/* A truth value that another setting makes true. */
typedef struct Implication {
        size_t setting;
        bool (*holds)(const Config *config);
        size_t because;
} Implication;

static bool is_signed(const Config *config) {
        return config->sign;
}

static bool is_squashfs(const Config *config) {
        return output_format_is_squashfs(config->format);
}

static bool is_verified(const Config *config) {
        return config->verity;
}

static const Implication implications[] = {
        { CONFIG(checksum), is_signed, CONFIG(sign) },
        { CONFIG(read_only), is_squashfs, CONFIG(format) },
        { CONFIG(read_only), is_verified, CONFIG(verity) },
};

/* What is implied cannot be denied. */
static int apply_implication(LoadedConfig *loaded, const Implication *implication) {
        const Setting *setting = config_setting(implication->setting);
        bool *member = setting_member(loaded->store, setting);
        _cleanup_(freep) char *because = NULL, *where = NULL;

        if (*member || !implication->holds(&loaded->config))
                return 0;
        int r = config_say(loaded, implication->because, &because);
        if (r < 0)
                return r;
        if (config_is_given(loaded, implication->setting)) {
                r = config_where(loaded, implication->because, 0, &where);
                if (r < 0)
                        return r;
                return config_mistake(loaded, implication->setting, 0,
                                      "%s=no contradicts %s (%s), which implies it", setting->name, because,
                                      where);
        }

        *member = true;
        return config_note(loaded, implication->setting, SETTING_DERIVED, because);
}

/* In a git tree, what git ignores is no source. */
static int choose_source_file_transfer(LoadedConfig *loaded) {
        _cleanup_(freep) char *search_path = NULL;
        Config *config = &loaded->config;

        if (!config->build_script || config->source_file_transfer != SOURCE_FILE_TRANSFER_AUTO)
                return 0;
        int r = config_search_path(config, &search_path);
        if (r >= 0)
                r = git_holds_directory(config->build_sources, search_path);
        if (r < 0)
                return r;
        config->source_file_transfer =
                r > 0 ? SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS : SOURCE_FILE_TRANSFER_COPY_ALL;
        return config_note(loaded, CONFIG(source_file_transfer), SETTING_DERIVED,
                           r > 0 ? "sources in a git tree" : "sources in no git tree");
}

static int fill_defaults(LoadedConfig *loaded) {
        Config *config = &loaded->config;
        int r = 0;

        if (config_source(loaded, CONFIG(format)) == SETTING_UNSET)
                r = config_note(loaded, CONFIG(format), SETTING_DEFAULT, NULL);
        if (r >= 0 && config_source(loaded, CONFIG(with_tests)) == SETTING_UNSET) {
                config->with_tests = true;
                r = config_note(loaded, CONFIG(with_tests), SETTING_DEFAULT, NULL);
        }
        if (r >= 0 && config->build_script && !config->build_sources) {
                r = path_absolute(".", &config->build_sources);
                if (r >= 0)
                        r = config_note(loaded, CONFIG(build_sources), SETTING_DERIVED,
                                        "the working directory");
        }
        if (r >= 0)
                r = choose_source_file_transfer(loaded);
        if (r < 0 || !config->bootable)
                return r;

        if (!config->boot_protocols || !config->boot_protocols[0]) {
                r = strv_append(&config->boot_protocols, "uefi");
                if (r >= 0)
                        r = config_note(loaded, CONFIG(boot_protocols), SETTING_DEFAULT, NULL);
        }
        if (r >= 0 && config->esp_size == 0 && strv_contains(STRV(config->boot_protocols), "uefi")) {
                config->esp_size = ESP_SIZE_DEFAULT;
                r = config_note(loaded, CONFIG(esp_size), SETTING_DEFAULT, NULL);
        }
        if (r >= 0)
                r = config_fill(loaded, CONFIG(kernel_command_line),
                                config->read_only ? KERNEL_COMMAND_LINE_READ_ONLY
                                                  : KERNEL_COMMAND_LINE_DEFAULT,
                                SETTING_DEFAULT, NULL);
        return r;
}

/* "Hostname=" and the like take back what an earlier file said. */
static void drop_empty_texts(Config *config) {
        char **texts[] = { &config->release, &config->mirror, &config->hostname, &config->seed,
                           &config->key };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (*texts[i] && (*texts[i])[0] == '\0')
                        free(TAKE_PTR(*texts[i]));
}

int config_resolve_for(LoadedConfig *loaded, const ConfigHost *host) {
        int (*const stages[])(LoadedConfig *) = { config_resolve_compression, config_resolve_output,
                                                  config_check_values,        config_check,
                                                  config_check_kernel_line,   config_resolve_seed };

        int r;

        drop_empty_texts(&loaded->config);
        r = config_resolve_distribution(loaded, host);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(implications); i++) {
                r = apply_implication(loaded, &implications[i]);
                if (r < 0)
                        return r;
        }
        r = fill_defaults(loaded);
        for (size_t i = 0; i < ELEMENTSOF(stages) && r >= 0; i++)
                r = stages[i](loaded);
        if (r < 0)
                return r;
        return loaded->mistakes.texts ? -EINVAL : 0;
}

int config_resolve(LoadedConfig *loaded) {
        struct utsname name;

        if (uname(&name) < 0)
                return -errno;
        return config_resolve_for(loaded, &(ConfigHost){ .root = "/", .machine = name.machine });
}
