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
#include "distro/distro-run.h"
#include "distro/repository-keys.h"
#include "format/image-format.h"
#include "image/kept-setting.h"
#include "image/kept-tree.h"
#include "image/output.h"
#include "image/partition-row.h"

#define SAID_MAX        5
#define INPUTS_NAME     "inputs"
#define TREE_NAME       "tree"
#define CHANGES_NAME    "changes"
#define INPUTS_SIZE_MAX (64 * MIB)

#define FINGERPRINT_NAME     "fingerprint"
#define FINGERPRINT_SIZE_MAX 1024

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

/* The directory itself changes with what else is put there. */
int kept_tree_stat(const Config *config, KeptKind kind, struct stat *ret) {
        _cleanup_(freep) char *path = NULL;

        const int r = text_format(&path, "%s%s/" FINGERPRINT_NAME, config->output, kinds[kind].suffix);
        if (r < 0)
                return r;
        return lstat(path, ret) < 0 ? -errno : 0;
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

/* Directories that are there before anything is installed: mount points, and subvolumes or what will be such. */
static int add_places(const Config *config, KeptInputs *inputs) {
        const ImageFormat *format = image_format_find(output_format_words[config->format]);
        const bool places = format && format->subvolumes;
        int r = kept_inputs_add(inputs, "subvolumes",
                                !places                       ? "no"
                                : format->shape == IMAGE_TREE ? "yes"
                                                              : "directories for them");

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
        const int r = kept_inputs_add_tree(inputs, "prepare script", config->prepare_script, NULL);
        return r < 0 ? r : kept_settings_add_environment(config, inputs);
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

/* A program of the host: another one, or another version, has another size or time. */
static int add_program(const char *name, const char *search_path, KeptInputs *inputs) {
        _cleanup_(freep) char *path = NULL, *value = NULL;
        struct stat status;

        int r = path_find_program(name, search_path, &path);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (stat(path, &status) < 0)
                return -errno;
        r = text_format(&value, "%s %lld %lld", path, (long long)status.st_size,
                        (long long)status.st_mtim.tv_sec);
        return r < 0 ? r : kept_inputs_add_format(inputs, value, "program %s", name);
}

/* What installs packages, by the version that it tells, and by its files. */
static int add_tools(const Config *config, const Distro *distro, KeptInputs *inputs) {
        _cleanup_(freep) char *version = NULL, *search_path = NULL;
        const PackageManager *manager = distro->manager;
        int r = 0;

        if (manager->version)
                r = manager->version(config, &version);
        if (r >= 0)
                r = kept_inputs_add(inputs, manager->name, version);
        if (r >= 0)
                r = distro_search_path(config, &search_path);
        for (const char *const *program = manager->programs; r >= 0 && *program; program++)
                r = add_program(*program, search_path, inputs);
        return r;
}

static int add_packages(const Config *config, const Distro *distro, KeptInputs *inputs) {
        _cleanup_(strv_freep) char **packages = NULL;

        int r = distro_packages(distro, config, &packages);
        if (r >= 0)
                r = add_list(inputs, "package", packages);
        return r < 0 ? r : kept_inputs_add_order(inputs, "packages", packages);
}

int kept_tree_collect_base(const LoadedConfig *loaded, const Distro *distro, KeptInputs *inputs) {
        const Config *config = &loaded->config;

        int r = kept_inputs_add(inputs, "mkosi", MKOSI_VERSION);
        if (r >= 0)
                r = add_tools(config, distro, inputs);
        if (r >= 0)
                r = add_keys(config, distro, inputs);
        if (r >= 0)
                r = kept_settings_add(loaded, KEPT_STAGE_BASE, inputs);
        if (r >= 0)
                r = kept_inputs_add(inputs, "SOURCE_DATE_EPOCH", getenv("SOURCE_DATE_EPOCH"));
        if (r >= 0)
                r = add_places(config, inputs);
        if (r >= 0)
                r = add_packages(config, distro, inputs);
        return r < 0 ? r : add_prepare(config, inputs);
}

int kept_tree_add_build_packages(const Config *config, KeptInputs *inputs) {
        const int r = add_list(inputs, "build package", config->build_packages);

        return r < 0 ? r : kept_inputs_add_order(inputs, "build packages", config->build_packages);
}

/* The base tree that the changes are above is that which is there, not just one that was made of the same. */
static int collect_development(const Config *config, const KeptTree *base, KeptInputs *inputs) {
        _cleanup_(freep) char *identity = NULL;
        struct stat status;

        int r = base->usable ? kept_tree_stat(config, KEPT_BASE, &status) : -ENOENT;
        if (r >= 0)
                r = text_format(&identity, "%llu %lld.%09ld", (unsigned long long)status.st_ino,
                                (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        if (r >= 0 || r == -ENOENT)
                r = kept_inputs_add(inputs, kept_kind_title(KEPT_BASE), identity);
        if (r >= 0)
                r = kept_tree_add_build_packages(config, inputs);
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

/* Returns 1 when nobody has changed what is kept. */
static int is_as_left(const Config *config, KeptKind kind) {
        _cleanup_(freep) char *directory = NULL, *content = NULL, *path = NULL, *before = NULL, *now = NULL;
        bool changes;

        int r = kept_tree_content(config, kind, &content, &changes);
        if (r >= 0)
                r = kept_tree_directory(config, kind, &directory);
        if (r >= 0)
                r = path_join(directory, FINGERPRINT_NAME, &path);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, FINGERPRINT_SIZE_MAX, &before, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = kept_inputs_fingerprint(content, &now);
        return r < 0 ? r : text_equal(before, now);
}

static int compare(const Config *config, KeptKind kind, const KeptTree *base, const KeptInputs *before,
                   KeptTree *kept) {
        int r;

        if (base && !base->usable)
                return strv_append_format(&kept->differences, "the %s is built anew",
                                          kept_kind_title(KEPT_BASE));
        r = kept_inputs_compare(before, &kept->inputs, &kept->differences);
        if (r < 0 || kept->differences)
                return r;
        r = is_as_left(config, kind);
        if (r == 0)
                return strv_append(&kept->differences, "what was kept is not as it was left");
        kept->usable = r > 0;
        return MIN(r, 0);
}

int kept_tree_look(const LoadedConfig *loaded, const Distro *distro, KeptKind kind, const KeptTree *base,
                   KeptTree *ret) {
        _cleanup_(kept_inputs_done) KeptInputs before = {};
        const Config *config = &loaded->config;

        *ret = (KeptTree){ .wanted = config->incremental && (kind == KEPT_BASE || config->build_script) };
        if (!ret->wanted)
                return 0;
        int r = kind == KEPT_BASE ? kept_tree_collect_base(loaded, distro, &ret->inputs)
                                  : collect_development(config, base, &ret->inputs);
        if (r < 0)
                return r;
        kept_inputs_sort(&ret->inputs);
        /* Asked to build it anew, what is there does not count. */
        if (config->force >= 2)
                return 0;
        r = read_inputs(config, kind, &before);
        return r <= 0 ? r : compare(config, kind, base, &before, ret);
}

int kept_tree_store(const Config *config, KeptKind kind, const KeptTree *kept, const char *content,
                    bool changes, const char *workspace) {
        _cleanup_(freep) char *made = NULL, *inside = NULL, *place = NULL, *text = NULL, *fingerprint = NULL;
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
        r = kept_inputs_fingerprint(content, &fingerprint);
        if (r >= 0)
                r = file_write_text(fd, FINGERPRINT_NAME, fingerprint, 0600);
        if (r >= 0)
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
