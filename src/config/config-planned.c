/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/text.h"
#include "config/config-report.h"
#include "config/config-stages.h"

/* Settings of which some values work and others are still to come. */
typedef struct PlannedValue {
        size_t setting;
        bool (*found)(const LoadedConfig *loaded);
        const char *why;
} PlannedValue;

static const bool is_installed[DISTRIBUTION_MAX] = {
        [DISTRIBUTION_FEDORA] = true, [DISTRIBUTION_DEBIAN] = true,   [DISTRIBUTION_UBUNTU] = true,
        [DISTRIBUTION_ARCH] = true,   [DISTRIBUTION_OPENSUSE] = true, [DISTRIBUTION_MAGEIA] = true,
        [DISTRIBUTION_CENTOS] = true, [DISTRIBUTION_ALMA] = true,     [DISTRIBUTION_ROCKY] = true,
};

static bool other_distribution(const LoadedConfig *loaded) {
        return !is_installed[loaded->config.distribution];
}

static bool xfs_format(const LoadedConfig *loaded) {
        return loaded->config.format == OUTPUT_FORMAT_GPT_XFS;
}

static const PlannedValue planned_values[] = {
        { CONFIG(distribution), other_distribution,
          "it installs debian, ubuntu, fedora, opensuse, arch, mageia, centos, alma and rocky" },
        { CONFIG(format), xfs_format,
          "an xfs file system cannot be filled without mounting it, which no build of mkosi does; gpt_ext4 and "
          "gpt_btrfs can" },
};

/* "mkosi.default:9: Encrypt=all is not supported by this version: …" */
static int refuse(LoadedConfig *loaded, size_t offset, const char *why) {
        _cleanup_(freep) char *said = NULL;

        int r = config_say(loaded, offset, &said);
        if (r < 0)
                return r;
        return config_mistake(loaded, offset, 0, "%s is not supported by this version: %s", said, why);
}

static int check_boot_protocols(LoadedConfig *loaded) {
        char *const *list = loaded->config.boot_protocols;

        for (size_t i = 0; list && list[i]; i++)
                if (text_equal(list[i], "bios"))
                        return config_mistake(loaded, CONFIG(boot_protocols), i,
                                              "BootProtocols=bios is not supported by this version: it makes "
                                              "images for uefi");
        return 0;
}

int config_check_planned(LoadedConfig *loaded) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(planned_values) && r >= 0; i++)
                if (planned_values[i].found(loaded))
                        r = refuse(loaded, planned_values[i].setting, planned_values[i].why);

        for (size_t i = 0; i < config_table.n_rows && r >= 0; i++) {
                const Setting *setting = &config_table.rows[i];

                if (setting->planned && config_is_given(loaded, setting->offset) &&
                    config_asks(&loaded->config, setting) &&
                    config_has_effect(&loaded->config, setting->offset))
                        r = refuse(loaded, setting->offset, setting->planned);
        }

        if (r >= 0)
                r = check_boot_protocols(loaded);
        if (r < 0)
                return r;
        return loaded->mistakes.texts ? -EINVAL : 0;
}
