/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/config-report.h"
#include "distro/repository-keys.h"
#include "image/kept-tree.h"
#include "image/output.h"
#include "image/partition-row.h"

#define SAID_MAX        5
#define INPUTS_NAME     "inputs"
#define TREE_NAME       "tree"
#define CHANGES_NAME    "changes"
#define INPUTS_SIZE_MAX (64 * MIB)

static const struct {
        const char *title, *suffix;
} kinds[] = {
        [KEPT_BASE] = { "base tree", ".cache-pre-inst" },
        [KEPT_DEVELOPMENT] = { "development tree", ".cache-pre-dev" },
};
static_assert(ELEMENTSOF(kinds) == KEPT_MAX, "A kind of kept tree has no row");

const char *kept_kind_title(KeptKind kind) {
        return kinds[kind].title;
}

void kept_tree_say(const KeptTree *kept, KeptKind kind) {
        const size_t n = strv_length(STRV(kept->differences));

        for (size_t i = 0; i < MIN(n, (size_t)SAID_MAX); i++)
                log_info("The %s is built anew: %s", kinds[kind].title, kept->differences[i]);
        if (n > SAID_MAX)
                log_info("… and for %zu more reasons", n - SAID_MAX);
}

void kept_tree_done(KeptTree *kept) {
        strv_free(kept->differences);
        kept_inputs_done(&kept->inputs);
        *kept = (KeptTree){};
}

int kept_tree_directory(const Config *config, KeptKind kind, char **ret) {
        return text_format(ret, "%s%s", config->output, kinds[kind].suffix);
}

int kept_tree_content(const Config *config, KeptKind kind, char **ret, bool *ret_changes) {
        static const char *const names[] = { TREE_NAME, CHANGES_NAME };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *path = NULL;

                const int r = text_format(&path, "%s%s/%s", config->output, kinds[kind].suffix, names[i]);
                if (r < 0)
                        return r;
                if (access(path, F_OK) < 0)
                        continue;
                *ret = TAKE_PTR(path);
                *ret_changes = text_equal(names[i], CHANGES_NAME);
                return 0;
        }
        return -ENOENT;
}

static int add_list(KeptInputs *inputs, const char *title, char *const *list) {
        int r = 0;

        for (; r >= 0 && list && *list; list++)
                r = kept_inputs_add_format(inputs, NULL, "%s %s", title, *list);
        return r;
}

/* Settings that the base tree depends on whatever they are. */
static int add_settings(const Config *config, KeptInputs *inputs) {
        const struct {
                const char *name, *value;
        } values[] = {
                { "Distribution=", distribution_words[config->distribution] },
                { "Release=", config->release },
                { "Architecture=", architecture_words[config->architecture] },
                { "Mirror=", config->mirror },
                { "WithDocs=", config->with_docs ? "yes" : "no" },
                { "SOURCE_DATE_EPOCH", getenv("SOURCE_DATE_EPOCH") },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(values) && r >= 0; i++)
                r = kept_inputs_add(inputs, values[i].name, values[i].value);
        return r < 0 ? r : add_list(inputs, "Repositories=", config->repositories);
}

/* Directories that are there before anything is installed: mount points, and subvolumes. */
static int add_places(const Config *config, KeptInputs *inputs) {
        const bool subvolumes = config->format == OUTPUT_FORMAT_SUBVOLUME;
        int r = kept_inputs_add(inputs, "subvolumes", subvolumes ? "yes" : "no");

        for (size_t i = 0; i < n_partition_rows && r >= 0; i++)
                if (partition_rows[i].directory && partition_row_wanted(&partition_rows[i], config))
                        r = kept_inputs_add_format(inputs, NULL, "partition for /%s",
                                                   partition_rows[i].directory);
        return r;
}

/* The script, and what it is told. */
static int add_prepare(const Config *config, KeptInputs *inputs) {
        if (!config->prepare_script)
                return 0;
        int r = kept_inputs_add_tree(inputs, "prepare script", config->prepare_script, NULL);
        for (char **variable = config->environment; r >= 0 && variable && *variable; variable++)
                r = kept_inputs_add_format(inputs, strchr(*variable, '=') ? NULL : getenv(*variable),
                                           "Environment= %s", *variable);
        return r;
}

static int add_keys(const Config *config, const Distro *distro, KeptInputs *inputs) {
        _cleanup_(strv_freep) char **files = NULL;

        int r = repository_keys_find_all(config, distro, &files);
        for (char **file = files; r >= 0 && file && *file; file++) {
                _cleanup_(freep) char *title = NULL;

                r = text_format(&title, "keys in %s", *file);
                if (r >= 0)
                        r = kept_inputs_add_tree(inputs, title, *file, NULL);
        }
        return r;
}

static int collect_base(const Config *config, const Distro *distro, KeptInputs *inputs) {
        _cleanup_(strv_freep) char **packages = NULL;
        _cleanup_(freep) char *version = NULL;

        int r = kept_inputs_add(inputs, "mkosi", MKOSI_VERSION);
        if (r >= 0 && distro->manager->version)
                r = distro->manager->version(config, &version);
        if (r >= 0)
                r = kept_inputs_add(inputs, distro->manager->name, version);
        if (r >= 0)
                r = add_keys(config, distro, inputs);
        if (r >= 0)
                r = add_settings(config, inputs);
        if (r >= 0)
                r = add_places(config, inputs);
        if (r >= 0)
                r = distro_packages(distro, config, &packages);
        if (r >= 0)
                r = add_list(inputs, "package", packages);
        for (char **tree = config->skeleton_trees; r >= 0 && tree && *tree; tree++) {
                _cleanup_(freep) char *said = NULL;

                r = config_path_say(*tree, &said);
                if (r >= 0)
                        r = kept_inputs_add_item(inputs, config->skeleton_trees, tree, said);
                if (r >= 0)
                        r = kept_inputs_add_tree(inputs, said, *tree, NULL);
        }
        return r < 0 ? r : add_prepare(config, inputs);
}

/* The base tree that the changes are above is that which is there, not just one that was made of the same. */
static int collect_development(const Config *config, const KeptTree *base, KeptInputs *inputs) {
        _cleanup_(freep) char *directory = NULL, *identity = NULL;
        struct stat status;

        int r = kept_tree_directory(config, KEPT_BASE, &directory);
        if (r < 0)
                return r;
        if (base->usable && lstat(directory, &status) == 0)
                r = text_format(&identity, "%llu %lld.%09ld", (unsigned long long)status.st_ino,
                                (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        if (r >= 0)
                r = kept_inputs_add(inputs, kept_kind_title(KEPT_BASE), identity);
        if (r >= 0)
                r = add_list(inputs, "build package", config->build_packages);
        return r < 0 ? r : add_prepare(config, inputs);
}

/* Returns 1 if something of the kind is there, whole. */
static int read_inputs(const Config *config, KeptKind kind, KeptInputs *ret) {
        _cleanup_(freep) char *directory = NULL, *content = NULL, *path = NULL, *text = NULL;
        bool changes;

        int r = kept_tree_content(config, kind, &content, &changes);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = kept_tree_directory(config, kind, &directory);
        if (r >= 0)
                r = path_join(directory, INPUTS_NAME, &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, INPUTS_SIZE_MAX, &text, NULL);
        if (r == -ENOMEM)
                return r;
        r = r < 0 ? r : kept_inputs_parse(text, ret);
        return r == -ENOMEM ? r : r >= 0;
}

int kept_tree_look(const Config *config, const Distro *distro, KeptKind kind, const KeptTree *base,
                   KeptTree *ret) {
        _cleanup_(kept_inputs_done) KeptInputs before = {};

        *ret = (KeptTree){ .wanted = config->incremental && (kind == KEPT_BASE || config->build_script) };
        if (!ret->wanted)
                return 0;
        int r = kind == KEPT_BASE ? collect_base(config, distro, &ret->inputs)
                                  : collect_development(config, base, &ret->inputs);
        if (r < 0)
                return r;
        kept_inputs_sort(&ret->inputs);
        /* Asked to build it anew, what is there does not count. */
        if (config->force >= 2)
                return 0;
        r = read_inputs(config, kind, &before);
        if (r <= 0)
                return r;
        if (base && !base->usable)
                r = strv_append_format(&ret->differences, "the %s is built anew", kept_kind_title(KEPT_BASE));
        else
                r = kept_inputs_compare(&before, &ret->inputs, &ret->differences);
        ret->usable = r >= 0 && !ret->differences;
        return r;
}

int kept_tree_store(const Config *config, KeptKind kind, const KeptTree *kept, const char *content,
                    bool changes, const char *workspace) {
        _cleanup_(freep) char *made = NULL, *inside = NULL, *place = NULL, *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = text_format(&made, "%s/kept%s", workspace, kinds[kind].suffix);
        if (r >= 0)
                r = path_join(made, changes ? CHANGES_NAME : TREE_NAME, &inside);
        if (r >= 0)
                r = kept_tree_directory(config, kind, &place);
        if (r >= 0)
                r = kept_inputs_format(&kept->inputs, &text);
        if (r < 0)
                return r;
        if (mkdir(made, 0700) < 0)
                return -errno;
        fd = open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = file_write_text(fd, INPUTS_NAME, text, 0600);
        if (r < 0)
                return r;
        if (rename(content, inside) < 0)
                return -errno;
        /* What was installed has not been synced, and would not be whole after a power failure. */
        if (syncfs(fd) < 0)
                return -errno;
        return output_publish(made, place, true);
}

int kept_tree_remove(const Config *config, KeptKind kind) {
        _cleanup_(freep) char *path = NULL;

        const int r = kept_tree_directory(config, kind, &path);
        return r < 0 ? r : tree_remove(AT_FDCWD, path);
}
