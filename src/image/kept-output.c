/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/config-report.h"
#include "image/kept-output.h"
#include "image/kept-tree.h"
#include "image/sources.h"

#define SUFFIX          ".cache-output"
#define RECORD_SIZE_MAX (256 * MIB)
#define MADE            "output"

/* Settings that say how the build goes, or where what is kept lies, and not what comes out of it. */
static const size_t without_effect[] = {
        CONFIG(force),         CONFIG(cache),       CONFIG(build_directory), CONFIG(extra_search_paths),
        CONFIG(build_sources), CONFIG(incremental),
};

/* Settings that are paths of what is read. Sources are looked at file by file. */
static const size_t read_paths[] = {
        CONFIG(extra_trees),     CONFIG(skeleton_trees),          CONFIG(build_script),
        CONFIG(prepare_script),  CONFIG(postinst_script),         CONFIG(finalize_script),
        CONFIG(nspawn_settings), CONFIG(secure_boot_certificate), CONFIG(verity_certificate),
};

/* Of secrets no digest is kept, by which they could be guessed: which file it is, and when it was changed last. */
static const size_t secret_paths[] = {
        CONFIG(passphrase_file), CONFIG(secure_boot_key),        CONFIG(secure_boot_passphrase_file),
        CONFIG(verity_key),      CONFIG(verity_passphrase_file),
};

static bool is_in(size_t offset, const size_t *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (list[i] == offset)
                        return true;
        return false;
}

void kept_output_done(KeptOutput *kept) {
        strv_free(kept->differences);
        kept_inputs_done(&kept->inputs);
        *kept = (KeptOutput){};
}

int kept_output_path(const Config *config, char **ret) {
        return text_format(ret, "%s" SUFFIX, config->output);
}

static int add_setting(const LoadedConfig *loaded, const Setting *setting, KeptInputs *inputs) {
        _cleanup_(strv_freep) char **values = NULL;

        int r = config_list_values(loaded, setting, &values);
        for (size_t i = 0; r >= 0 && values && values[i]; i++)
                r = setting->type->is_list
                            ? kept_inputs_add_format(inputs, NULL, "%s= %s", setting->name, values[i])
                            : kept_inputs_add_format(inputs, values[i], "%s=", setting->name);
        return r;
}

static int add_settings(const LoadedConfig *loaded, KeptInputs *inputs) {
        int r = 0;

        for (size_t i = 0; i < config_table.n_rows && r >= 0; i++) {
                const Setting *setting = &config_table.rows[i];

                if (setting->name && !is_in(setting->offset, without_effect, ELEMENTSOF(without_effect)))
                        r = add_setting(loaded, setting, inputs);
        }
        return r;
}

static int add_read_paths(const LoadedConfig *loaded, KeptInputs *inputs) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(read_paths) && r >= 0; i++) {
                const Setting *setting = config_setting(read_paths[i]);
                void *member = setting_member(loaded->store, setting);
                char *const single[] = { setting->type->is_list ? NULL : *(char **)member, NULL };
                char *const *paths = setting->type->is_list ? *(char *const *const *)member : single;

                for (; r >= 0 && paths && *paths; paths++) {
                        _cleanup_(freep) char *said = NULL;

                        r = config_path_say(*paths, &said);
                        if (r >= 0 && setting->type->is_list)
                                r = kept_inputs_add_item(inputs, *(char *const *const *)member, paths, said);
                        if (r >= 0)
                                r = kept_inputs_add_tree(inputs, said, *paths, NULL);
                }
        }
        return r;
}

/* Returns 1 when there is something that cannot be looked at: a key on a token. */
static int add_secret_paths(const LoadedConfig *loaded, KeptInputs *inputs) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(secret_paths) && r >= 0; i++) {
                const Setting *setting = config_setting(secret_paths[i]);
                const char *path = *(char *const *)setting_member(loaded->store, setting);
                _cleanup_(freep) char *said = NULL, *value = NULL;
                struct stat status;

                if (!path)
                        continue;
                if (((setting->flags & SETTING_URI) && path_is_uri(path)) || stat(path, &status) < 0)
                        return 1;
                r = config_path_say(path, &said);
                if (r >= 0)
                        r = text_format(&value, "%llu %lld %lld.%09ld", (unsigned long long)status.st_ino,
                                        (long long)status.st_size, (long long)status.st_ctim.tv_sec,
                                        status.st_ctim.tv_nsec);
                if (r >= 0)
                        r = kept_inputs_add(inputs, said, value);
        }
        return r;
}

/* Values that the caller's environment has. */
static int add_variables(const Config *config, KeptInputs *inputs) {
        int r = 0;

        for (char **variable = config->environment; r >= 0 && variable && *variable; variable++)
                if (!strchr(*variable, '='))
                        r = kept_inputs_add_format(inputs, getenv(*variable), "variable %s", *variable);
        return r;
}

/* Everything that the base tree is made of goes into the output as well. */
static int add_base(const Config *config, const Distro *distro, KeptInputs *inputs) {
        KeptTree base = {};

        int r = kept_tree_look(config, distro, KEPT_BASE, NULL, &base);
        for (size_t i = 0; i < base.inputs.n_items && r >= 0; i++)
                r = kept_inputs_add(inputs, base.inputs.items[i].name, base.inputs.items[i].value);
        kept_tree_done(&base);
        return r;
}

/* Of all that lies in a directory, what a change of it changes. */
static int hash_tree(const Tree *tree, Sha256 *hash) {
        int r = 0;

        for (size_t i = 0; i < tree->n_nodes && r >= 0; i++) {
                const struct stat *status = &tree->nodes[i]->status;
                _cleanup_(freep) char *path = NULL, *line = NULL;

                r = tree_node_path(tree->nodes[i], &path);
                if (r >= 0)
                        r = text_format(&line, "%llu %lld.%09ld %s", (unsigned long long)status->st_ino,
                                        (long long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec, path);
                if (r >= 0)
                        r = sha256_add(hash, line, strlen(line) + 1);
        }
        return r;
}

static int describe_tree(const char *path, char **ret) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        char text[2 * SHA256_SIZE + 1];
        Sha256Digest digest;

        int r = tree_load(AT_FDCWD, path, &tree, NULL);
        if (r >= 0)
                r = sha256_new(&hash);
        if (r >= 0)
                r = hash_tree(tree, hash);
        if (r >= 0)
                r = sha256_finish(hash, &digest);
        if (r < 0)
                return r;
        sha256_format(&digest, text);
        return text_copy(text, ret);
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
                        r = describe_tree(path, &value);
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

int kept_output_look(const LoadedConfig *loaded, const Distro *distro, KeptOutput *ret) {
        const Config *config = &loaded->config;

        /* What a script on the host looks at, and what is shown of a directory as it is, nobody can list; and nothing is kept
         * of a password. */
        *ret = (KeptOutput){ .wanted = config->incremental && !config->finalize_script && !config->password &&
                                       !(config->build_script &&
                                         config->source_file_transfer == SOURCE_FILE_TRANSFER_MOUNT) };
        if (!ret->wanted)
                return 0;
        int r = add_settings(loaded, &ret->inputs);
        if (r >= 0)
                r = add_read_paths(loaded, &ret->inputs);
        if (r >= 0)
                r = add_secret_paths(loaded, &ret->inputs);
        if (r > 0) {
                ret->wanted = false;
                return 0;
        }
        if (r >= 0)
                r = add_variables(config, &ret->inputs);
        if (r >= 0)
                r = add_base(config, distro, &ret->inputs);
        if (r >= 0 && config->build_script)
                r = sources_add_inputs(config, &ret->inputs);
        if (r < 0)
                return r;
        kept_inputs_sort(&ret->inputs);
        return config->force >= 2 ? 0 : compare(config, ret);
}

int kept_output_store(const Config *config, const KeptOutput *kept) {
        _cleanup_(kept_inputs_done) KeptInputs inputs = {};
        _cleanup_(freep) char *path = NULL, *text = NULL, *unfinished = NULL;

        int r = kept_output_path(config, &path);
        if (r >= 0)
                r = text_format(&unfinished, "%s.new", path);
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
