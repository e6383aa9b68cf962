/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What KernelCommandLine= says of the root file system has to go with how the image is made: else it would not boot, or,
 * worse, boot without what protects it. */

#include "base/kernel-line.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config-report.h"
#include "config/config-stages.h"

static int note_defeat(LoadedConfig *loaded, const char *parameter, const char *effect) {
        _cleanup_(freep) char *where = NULL;

        const int r = config_where(loaded, CONFIG(verity), 0, &where);
        if (r < 0)
                return r;
        return config_mistake(
                loaded, CONFIG(kernel_command_line), 0,
                "In KernelCommandLine=, %s contradicts Verity=yes (%s): it %s; leave it away, the "
                "verified root file system is found by its root hash",
                parameter, where, effect);
}

static int check_root_hash(LoadedConfig *loaded, const char *parameter) {
        if (loaded->config.verity)
                return config_mistake(
                        loaded, CONFIG(kernel_command_line), 0,
                        "In KernelCommandLine=, %s cannot be known beforehand: leave it away, with "
                        "Verity=yes the root hash is put there",
                        parameter);
        return config_mistake(
                loaded, CONFIG(kernel_command_line), 0,
                "In KernelCommandLine=, %s names a hash tree that the image does not have: leave "
                "it away, or say Verity=yes",
                parameter);
}

/* Where the root partition is found by its type, which whoever names another root does not need. */
static int check_discovery(LoadedConfig *loaded, char *const *parameters) {
        const char *off = NULL, *value;

        for (; parameters && *parameters; parameters++) {
                bool on;

                if (kernel_parameter_is(*parameters, "root", NULL))
                        return 0;
                if (kernel_parameter_is(*parameters, "systemd.gpt-auto", &value) && value &&
                    parse_bool(value, &on) == 0 && !on)
                        off = *parameters;
        }
        return off ? config_mistake(
                             loaded, CONFIG(kernel_command_line), 0,
                             "In KernelCommandLine=, %s keeps the root partition from being found by its "
                             "type: leave it away, or name the root file system by root=",
                             off)
                   : 0;
}

int config_check_kernel_line(LoadedConfig *loaded) {
        _cleanup_(strv_freep) char **parameters = NULL;
        const Config *config = &loaded->config;

        if (!config->bootable || !config->kernel_command_line)
                return 0;
        int r = kernel_line_split(config->kernel_command_line, &parameters);
        for (char **parameter = parameters; parameter && *parameter && r >= 0; parameter++) {
                const char *effect = config->verity ? kernel_parameter_defeats_verity(*parameter) : NULL;

                if (effect)
                        r = note_defeat(loaded, *parameter, effect);
                else if (kernel_parameter_is(*parameter, "roothash", NULL))
                        r = check_root_hash(loaded, *parameter);
        }
        return r < 0 || config->verity ? r : check_discovery(loaded, parameters);
}
