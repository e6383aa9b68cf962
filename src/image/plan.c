/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "base/text.h"
#include "image/plan.h"
#include "image/step-assemble.h"

static bool wants_extra_trees(const Config *config) {
        return strv_length(STRV(config->extra_trees)) > 0;
}

static bool wants_password(const Config *config) {
        return config->password != NULL;
}

static bool wants_boot(const Config *config) {
        return config->bootable;
}

static bool wants_disk(const Config *config) {
        return output_format_is_disk(config->format);
}

static int detail_bootstrap(const Config *config, char **ret) {
        return text_format(ret, "%s %s for %s from %s", distribution_words[config->distribution],
                           config->release, architecture_words[config->architecture],
                           config->mirror ? config->mirror : "the distribution's mirrors");
}

static int detail_packages(const Config *config, char **ret) {
        _cleanup_(strv_freep) char **packages = NULL;
        const Distro *distro = distro_find(config->distribution);

        const int r = distro ? distro_packages(distro, config, &packages)
                             : strv_copy(STRV(config->packages), &packages);
        if (r < 0)
                return r;
        return strv_join(STRV(packages), " ", ret);
}

static int detail_extra_trees(const Config *config, char **ret) {
        return strv_join(STRV(config->extra_trees), " ", ret);
}

static int detail_boot(const Config *config, char **ret) {
        return text_format(ret, "kernel command line: %s",
                           text_is_empty(config->kernel_command_line) ? "(empty)"
                                                                      : config->kernel_command_line);
}

static int detail_publish(const Config *config, char **ret) {
        return text_copy(config->output, ret);
}

#define BECAUSE(member) .because = offsetof(Config, member)
#define ALWAYS          .because = STEP_ALWAYS

/* clang-format off */
const Step plan_steps[] = {
        { "workspace",   "Preparing the workspace",          BECAUSE(output),              NULL,              step_workspace,   NULL },
        { "bootstrap",   "Installing the base system",       BECAUSE(distribution),        NULL,              step_bootstrap,   detail_bootstrap },
        { "packages",    "Installing packages",              BECAUSE(packages),            NULL,              step_packages,    detail_packages },
        { "hostname",    "Setting the host name",            BECAUSE(hostname),            NULL,              step_hostname,    NULL },
        { "extra-trees", "Copying extra trees",              BECAUSE(extra_trees),         wants_extra_trees, step_extra_trees, detail_extra_trees },
        { "password",    "Setting the root password",        BECAUSE(password),            wants_password,    step_password,    NULL },
        { "first-boot",  "Resetting identity",               ALWAYS,                       NULL,              step_first_boot,  NULL },
        { "initrd",      "Generating the initrd",            BECAUSE(bootable),            wants_boot,        step_initrd,      NULL },
        { "clean",       "Cleaning up the tree",             ALWAYS,                       NULL,              step_clean,       NULL },
        { "boot",        "Making the unified kernel image",  BECAUSE(kernel_command_line), wants_boot,        step_boot,        detail_boot },
        { "assemble",    "Assembling the disk image",        BECAUSE(format),              wants_disk,        step_assemble,    step_assemble_detail },
        { "publish",     "Putting the result into place",    BECAUSE(output),              NULL,              step_publish,     detail_publish },
};
/* clang-format on */

const size_t plan_n_steps = ELEMENTSOF(plan_steps);

static int print_origin(const LoadedConfig *loaded, size_t because, FILE *file) {
        const Setting *setting = because == STEP_ALWAYS ? NULL : setting_find(&config_table, because);
        const SettingOrigins *origins = setting ? &loaded->store->origins[setting - config_table.rows] : NULL;

        if (!origins || origins->n_items == 0)
                return fprintf(file, "  [always]\n") < 0 ? -EIO : 0;

        (void)fprintf(file, "  [%s=", setting->name ? setting->name : setting->option);
        for (size_t i = 0; i < origins->n_items; i++) {
                _cleanup_(freep) char *origin = NULL;

                const int r = setting_origin_format(&origins->items[i], &origin);
                if (r < 0)
                        return r;
                (void)fprintf(file, "%s %s", i > 0 ? "," : "", origin);
        }
        return fprintf(file, "]\n") < 0 ? -EIO : 0;
}

int plan_print(const LoadedConfig *loaded, FILE *file) {
        const Config *config = &loaded->config;
        unsigned number = 0;

        for (size_t i = 0; i < plan_n_steps; i++) {
                const Step *step = &plan_steps[i];
                _cleanup_(freep) char *detail = NULL;
                int r;

                if (step->wanted && !step->wanted(config))
                        continue;

                (void)fprintf(file, "%2u. %-12s %s", ++number, step->name, step->doing);
                r = print_origin(loaded, step->because, file);
                if (r < 0)
                        return r;
                if (step->detail) {
                        r = step->detail(config, &detail);
                        if (r < 0)
                                return r;
                        text_tame(detail);
                        (void)fprintf(file, "    %s\n", detail);
                }
        }
        return ferror(file) ? -EIO : 0;
}
