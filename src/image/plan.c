/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "base/text.h"
#include "config/config-resolve.h"
#include "image/plan.h"

static bool wants_extra_trees(const Config *config) {
        return strv_length(STRV(config->extra_trees)) > 0;
}

static bool wants_skeleton_trees(const Config *config) {
        return strv_length(STRV(config->skeleton_trees)) > 0;
}

static bool wants_keeping(const Config *config) {
        return config->incremental;
}

static bool wants_build(const Config *config) {
        return config->build_script;
}

static bool wants_keeping_development(const Config *config) {
        return wants_keeping(config) && wants_build(config);
}

static bool wants_build_packages(const Config *config) {
        return wants_build(config) && strv_length(STRV(config->build_packages)) > 0;
}

static bool wants_build_extra_trees(const Config *config) {
        return wants_build(config) && wants_extra_trees(config);
}

static bool wants_prepare(const Config *config) {
        return config->prepare_script;
}

static bool wants_build_prepare(const Config *config) {
        return wants_build(config) && wants_prepare(config);
}

static bool wants_postinst(const Config *config) {
        return config->postinst_script;
}

static bool wants_build_postinst(const Config *config) {
        return wants_build(config) && wants_postinst(config);
}

static bool wants_finalize(const Config *config) {
        return config->finalize_script;
}

static bool wants_build_finalize(const Config *config) {
        return wants_build(config) && wants_finalize(config);
}

static bool wants_password(const Config *config) {
        return config->password != NULL;
}

static bool wants_boot(const Config *config) {
        return config->bootable;
}

static bool wants_boot_signed(const Config *config) {
        return signer_wanted(config, SIGNER_SECURE_BOOT) && !config->sign_offline;
}

static bool wants_boot_reserved(const Config *config) {
        return signer_wanted(config, SIGNER_SECURE_BOOT) && config->sign_offline;
}

static bool wants_assembly(const Config *config) {
        return output_format_is_disk(config->format) || output_format_is_squashfs(config->format);
}

static bool wants_encryption(const Config *config) {
        return partition_rows_encrypted(config);
}

static bool wants_conversion(const Config *config) {
        return output_is_qcow2(config);
}

/* An archive is compressed while it is written. */
static bool wants_compression(const Config *config) {
        return wants_assembly(config) && config->compress_output.word != OUTPUT_COMPRESSION_NO;
}

static bool wants_archive(const Config *config) {
        return config->format == OUTPUT_FORMAT_TAR;
}

static bool wants_tree(const Config *config) {
        return !output_format_is_file(config->format);
}

static bool wants_root_hash(const Config *config) {
        return artefact_wanted(config, ARTEFACT_ROOT_HASH);
}

static bool wants_nspawn(const Config *config) {
        return artefact_wanted(config, ARTEFACT_NSPAWN);
}

static bool wants_bmap(const Config *config) {
        return artefact_wanted(config, ARTEFACT_BMAP);
}

static bool wants_manifest(const Config *config) {
        return artefact_wanted(config, ARTEFACT_MANIFEST);
}

static bool wants_checksums(const Config *config) {
        return artefact_wanted(config, ARTEFACT_CHECKSUMS);
}

static bool wants_signature(const Config *config) {
        return artefact_wanted(config, ARTEFACT_SIGNATURE);
}

static bool wants_sign_request(const Config *config) {
        return artefact_wanted(config, ARTEFACT_SIGN_REQUEST);
}

static int detail_bootstrap(const Config *config, char **ret) {
        const bool has_releases = config_has_releases(config);

        return text_format(ret, "%s%s%s for %s from %s", distribution_words[config->distribution],
                           has_releases ? " " : "", has_releases ? config->release : "",
                           architecture_words[config->architecture],
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

static int detail_skeleton_trees(const Config *config, char **ret) {
        return strv_join(STRV(config->skeleton_trees), " ", ret);
}

static int detail_extra_trees(const Config *config, char **ret) {
        return strv_join(STRV(config->extra_trees), " ", ret);
}

static int detail_build_packages(const Config *config, char **ret) {
        return strv_join(STRV(config->build_packages), " ", ret);
}

static int detail_sources(const Config *config, char **ret) {
        return text_format(ret, "%s, %s", config->build_sources,
                           source_file_transfer_words[config->source_file_transfer]);
}

static int detail_prepare(const Config *config, char **ret) {
        return text_copy(config->prepare_script, ret);
}

static int detail_build(const Config *config, char **ret) {
        return text_copy(config->build_script, ret);
}

static int detail_postinst(const Config *config, char **ret) {
        return text_copy(config->postinst_script, ret);
}

static int detail_finalize(const Config *config, char **ret) {
        return text_copy(config->finalize_script, ret);
}

static int detail_boot(const Config *config, char **ret) {
        return text_format(ret, "kernel command line: %s",
                           text_is_empty(config->kernel_command_line) ? "(empty)"
                                                                      : config->kernel_command_line);
}

static int detail_boot_signed(const Config *config, char **ret) {
        return text_format(ret, "by %s, certificate %s, signatures of others: %s, enrollment: %s",
                           config->secure_boot_key, config->secure_boot_certificate,
                           secure_boot_sign_words[config->secure_boot_sign],
                           secure_boot_enroll_words[config->secure_boot_auto_enroll]);
}

static int detail_boot_reserved(const Config *config, char **ret) {
        return text_format(ret, "certificate %s, signatures of others: %s, enrollment: %s",
                           config->secure_boot_certificate, secure_boot_sign_words[config->secure_boot_sign],
                           secure_boot_enroll_words[config->secure_boot_auto_enroll]);
}

static int detail_assembly(const Config *config, char **ret) {
        if (output_format_is_disk(config->format))
                return partition_rows_describe(config, ret);
        return text_copy("as large as its content", ret);
}

static int detail_encryption(const Config *config, char **ret) {
        return text_format(ret, "passphrase: %s",
                           config->passphrase_file ? config->passphrase_file : "asked for on the terminal");
}

static int detail_compression(const Config *config, char **ret) {
        const char *word = output_compression_words[config->compress_output.word];

        if (config->compress_output.level == 0)
                return text_format(ret, "by %s", word);
        return text_format(ret, "by %s, level %u", word, config->compress_output.level);
}

static int detail_archive(const Config *config, char **ret) {
        if (config->compress_output.word == OUTPUT_COMPRESSION_NO)
                return text_copy("not compressed", ret);
        return detail_compression(config, ret);
}

static int detail_signature(const Config *config, char **ret) {
        return text_format(ret, "by GnuPG, with %s", config->key ? config->key : "its default key");
}

/* All files that there will be. */
static int detail_publish(const Config *config, char **ret) {
        _cleanup_(strv_freep) char **paths = NULL;

        for (ArtefactKind kind = 0; kind < ARTEFACT_MAX; kind++) {
                char *path;

                if (!artefact_wanted(config, kind))
                        continue;
                int r = artefact_output(config, kind, &path);
                if (r >= 0)
                        r = strv_take(&paths, path);
                if (r < 0)
                        return r;
        }
        return strv_join(STRV(paths), " ", ret);
}

#define BECAUSE(member) .because = offsetof(Config, member)
#define ALWAYS          .because = STEP_ALWAYS

/* clang-format off */
const Step plan_steps[] = {
        { "workspace",         "Preparing the workspace",                            BECAUSE(output),              NULL,                      step_workspace,        STEP_ALWAYS_NEEDED,  NULL },
        { "skeleton-trees",    "Copying skeleton trees",                             BECAUSE(skeleton_trees),      wants_skeleton_trees,      step_skeleton_trees,   STEP_OF_BASE,        detail_skeleton_trees },
        { "bootstrap",         "Installing the base system",                         BECAUSE(distribution),        NULL,                      step_bootstrap,        STEP_OF_BASE,        detail_bootstrap },
        { "packages",          "Installing packages",                                BECAUSE(packages),            NULL,                      step_packages,         STEP_OF_BASE,        detail_packages },
        { "prepare",           "Running the prepare script",                         BECAUSE(prepare_script),      wants_prepare,             step_prepare,          STEP_OF_BASE,        detail_prepare },
        { "keep-base",         "Keeping the base tree",                              BECAUSE(incremental),         wants_keeping,             step_keep_base,        STEP_OF_BASE,        NULL },
        { "development",       "Making the development tree",                        BECAUSE(build_script),        wants_build,               step_development,      STEP_ALWAYS_NEEDED,  NULL },
        { "build-packages",    "Installing packages for the build",                  BECAUSE(build_packages),      wants_build_packages,      step_build_packages,   STEP_OF_DEVELOPMENT, detail_build_packages },
        { "build-prepare",     "Running the prepare script for the build",           BECAUSE(prepare_script),      wants_build_prepare,       step_prepare,          STEP_OF_DEVELOPMENT, detail_prepare },
        { "keep-development",  "Keeping the development tree",                       BECAUSE(incremental),         wants_keeping_development, step_keep_development, STEP_OF_DEVELOPMENT, NULL },
        { "build-extra-trees", "Copying extra trees for the build",                  BECAUSE(extra_trees),         wants_build_extra_trees,   step_extra_trees,      STEP_ALWAYS_NEEDED,  detail_extra_trees },
        { "sources",           "Copying the sources",                                BECAUSE(build_sources),       wants_build,               step_sources,          STEP_ALWAYS_NEEDED,  detail_sources },
        { "build-postinst",    "Running the post-installation script for the build", BECAUSE(postinst_script),     wants_build_postinst,      step_postinst,         STEP_ALWAYS_NEEDED,  detail_postinst },
        { "build-finalize",    "Running the finalize script for the build",          BECAUSE(finalize_script),     wants_build_finalize,      step_finalize,         STEP_ALWAYS_NEEDED,  detail_finalize },
        { "build",             "Running the build script",                           BECAUSE(build_script),        wants_build,               step_build,            STEP_ALWAYS_NEEDED,  detail_build },
        { "final-tree",        "Making the final tree",                              BECAUSE(incremental),         wants_keeping,             step_final_tree,       STEP_ALWAYS_NEEDED,  NULL },
        { "hostname",          "Setting the host name",                              BECAUSE(hostname),            NULL,                      step_hostname,         STEP_ALWAYS_NEEDED,  NULL },
        { "extra-trees",       "Copying extra trees",                                BECAUSE(extra_trees),         wants_extra_trees,         step_extra_trees,      STEP_ALWAYS_NEEDED,  detail_extra_trees },
        { "build-results",     "Installing what was built",                          BECAUSE(build_script),        wants_build,               step_build_results,    STEP_ALWAYS_NEEDED,  NULL },
        { "password",          "Setting the root password",                          BECAUSE(password),            wants_password,            step_password,         STEP_ALWAYS_NEEDED,  NULL },
        { "postinst",          "Running the post-installation script",               BECAUSE(postinst_script),     wants_postinst,            step_postinst,         STEP_ALWAYS_NEEDED,  detail_postinst },
        { "first-boot",        "Resetting identity",                                 ALWAYS,                       NULL,                      step_first_boot,       STEP_ALWAYS_NEEDED,  NULL },
        { "initrd",            "Generating the initrd",                              BECAUSE(bootable),            wants_boot,                step_initrd,           STEP_ALWAYS_NEEDED,  NULL },
        { "clean",             "Cleaning up the tree",                               ALWAYS,                       NULL,                      step_clean,            STEP_ALWAYS_NEEDED,  NULL },
        { "finalize",          "Running the finalize script",                        BECAUSE(finalize_script),     wants_finalize,            step_finalize,         STEP_ALWAYS_NEEDED,  detail_finalize },
        { "assemble",          "Writing the file systems",                           BECAUSE(format),              wants_assembly,            step_assemble,         STEP_ALWAYS_NEEDED,  detail_assembly },
        { "encrypt",           "Encrypting partitions",                              BECAUSE(encrypt),             wants_encryption,          step_encrypt,          STEP_ALWAYS_NEEDED,  detail_encryption },
        { "boot",              "Making the unified kernel image",                    BECAUSE(kernel_command_line), wants_boot,                step_boot,             STEP_ALWAYS_NEEDED,  detail_boot },
        { "sign-boot",         "Signing boot loader and kernel",                     BECAUSE(secure_boot),         wants_boot_signed,         step_sign_boot,        STEP_ALWAYS_NEEDED,  detail_boot_signed },
        { "reserve",           "Keeping places for signatures",                      BECAUSE(sign_offline),        wants_boot_reserved,       step_sign_boot,        STEP_ALWAYS_NEEDED,  detail_boot_reserved },
        { "finish",            "Finishing the image",                                BECAUSE(format),              wants_assembly,            step_finish,           STEP_ALWAYS_NEEDED,  NULL },
        { "archive",           "Writing the archive",                                BECAUSE(format),              wants_archive,             step_archive,          STEP_ALWAYS_NEEDED,  detail_archive },
        { "tree",              "Finishing the tree",                                 BECAUSE(format),              wants_tree,                step_tree,             STEP_ALWAYS_NEEDED,  NULL },
        { "bmap",              "Mapping the blocks in use",                          BECAUSE(bmap),                wants_bmap,                step_bmap,             STEP_ALWAYS_NEEDED,  NULL },
        { "convert",           "Converting to QCOW2",                                BECAUSE(qcow2),               wants_conversion,          step_convert,          STEP_ALWAYS_NEEDED,  NULL },
        { "compress",          "Compressing the image",                              BECAUSE(compress_output),     wants_compression,         step_compress,         STEP_ALWAYS_NEEDED,  detail_compression },
        { "root-hash",         "Writing the root hash",                              BECAUSE(verity),              wants_root_hash,           step_root_hash,        STEP_ALWAYS_NEEDED,  NULL },
        { "nspawn",            "Adding settings for nspawn",                         BECAUSE(nspawn_settings),     wants_nspawn,              step_nspawn,           STEP_ALWAYS_NEEDED,  NULL },
        { "manifest",          "Writing the manifest",                               BECAUSE(manifest),            wants_manifest,            step_manifest,         STEP_ALWAYS_NEEDED,  NULL },
        { "checksums",         "Writing check sums",                                 BECAUSE(checksum),            wants_checksums,           step_checksums,        STEP_ALWAYS_NEEDED,  NULL },
        { "sign",              "Signing the check sums",                             BECAUSE(sign),                wants_signature,           step_sign,             STEP_ALWAYS_NEEDED,  detail_signature },
        { "sign-request",      "Listing what is to be signed",                       BECAUSE(sign_offline),        wants_sign_request,        step_sign_request,     STEP_ALWAYS_NEEDED,  NULL },
        { "publish",           "Putting the result into place",                      BECAUSE(output),              NULL,                      step_publish,          STEP_ALWAYS_NEEDED,  detail_publish },
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

bool plan_step_wanted(const Step *step, const Config *config, const KeptTree kept[static KEPT_MAX]) {
        if (step->wanted && !step->wanted(config))
                return false;
        return (step->part != STEP_OF_BASE || !kept[KEPT_BASE].usable) &&
               (step->part != STEP_OF_DEVELOPMENT || !kept[KEPT_DEVELOPMENT].usable);
}

/* "The base tree is kept from an earlier build.", "The base tree is built anew: package vim is new." */
static void print_kept(const KeptOutput *output, const KeptTree kept[static KEPT_MAX], FILE *file) {
        for (char **text = output->differences; text && *text; text++)
                (void)fprintf(file, "The output is built anew: %s.\n", *text);
        for (KeptKind kind = 0; kind < KEPT_MAX; kind++) {
                if (!kept[kind].wanted)
                        continue;
                if (kept[kind].usable)
                        (void)fprintf(file, "The %s is kept from an earlier build.\n", kept_kind_title(kind));
                for (char **text = kept[kind].differences; text && *text; text++)
                        (void)fprintf(file, "The %s is built anew: %s.\n", kept_kind_title(kind), *text);
        }
}

int plan_print(const LoadedConfig *loaded, const KeptOutput *output, const KeptTree kept[static KEPT_MAX],
               FILE *file) {
        const Config *config = &loaded->config;
        unsigned number = 0;

        if (output->usable)
                return fprintf(file, "The output is up to date, nothing is to be done.\n") < 0 ? -EIO : 0;
        print_kept(output, kept, file);
        for (size_t i = 0; i < plan_n_steps; i++) {
                const Step *step = &plan_steps[i];
                _cleanup_(freep) char *detail = NULL;
                int r;

                if (!plan_step_wanted(step, config, kept))
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
