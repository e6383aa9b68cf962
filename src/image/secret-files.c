/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>

#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "config/config-discover.h"
#include "config/config-report.h"
#include "image/secret-files.h"

#define RANDOM_CHARS 6 /* behind a dot: of a file that mkstemp(3) has named */

static const char *const usual_names[] = {
        ROOT_PASSWORD_FILE,      "mkosi.passphrase",
        "mkosi.secure-boot.key", "mkosi.secure-boot.passphrase",
        "mkosi.verity.key",      "mkosi.verity.passphrase",
};

void secret_files_done(SecretFiles *files) {
        free(files->items);
        strv_free(files->paths);
        *files = (SecretFiles){};
}

int secret_files_add(SecretFiles *files, const char *path) {
        struct stat status;

        if (stat(path, &status) < 0 || S_ISDIR(status.st_mode))
                return 0;
        SecretFile *more = reallocarray(files->items, files->n_items + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        files->items = more;
        files->items[files->n_items++] = (SecretFile){ .device = status.st_dev, .inode = status.st_ino };
        return 0;
}

static int add_named(SecretFiles *files, const char *named) {
        const char *path = named && path_is_uri(named) ? path_of_uri(named) : named;
        char *absolute;

        if (!path)
                return 0;
        int r = path_absolute(path, &absolute);
        if (r >= 0)
                r = strv_take(&files->paths, absolute);
        return r < 0 ? r : secret_files_add(files, path);
}

int secret_files_list(const Config *config, SecretFiles *ret) {
        const char *const named[] = {
                config->passphrase_file, config->secure_boot_key,        config->secure_boot_passphrase_file,
                config->verity_key,      config->verity_passphrase_file,
        };
        _cleanup_(secret_files_done) SecretFiles files = {};
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(named) && r >= 0; i++)
                r = add_named(&files, named[i]);
        for (size_t i = 0; i < ELEMENTSOF(usual_names) && r >= 0; i++)
                r = secret_files_add(&files, usual_names[i]);
        if (r < 0)
                return r;
        *ret = files;
        files = (SecretFiles){};
        return 0;
}

/* Whether the text is the name itself, or that of a file that was to become it. */
static bool is_or_becomes(const char *text, const char *name) {
        const char *rest = text_after_prefix(text, name);

        if (!rest || (*rest != '\0' && *rest != '.'))
                return false;
        if (*rest == '\0')
                return true;
        for (rest++; isalnum((unsigned char)*rest); rest++)
                ;
        return *rest == '\0' && strlen(text) == strlen(name) + 1 + RANDOM_CHARS;
}

bool secret_files_have_name(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(usual_names); i++)
                if (is_or_becomes(path_base_name(path), usual_names[i]))
                        return true;
        return false;
}

static bool has_inode(const SecretFiles *files, const struct stat *status) {
        for (size_t i = 0; i < files->n_items; i++)
                if (files->items[i].inode == status->st_ino && files->items[i].device == status->st_dev)
                        return true;
        return false;
}

bool secret_files_contain(const SecretFiles *files, const char *directory, const char *path,
                          const struct stat *status) {
        if (S_ISDIR(status->st_mode))
                return false;
        if (has_inode(files, status))
                return true;
        for (char **named = files->paths; named && *named; named++) {
                const char *seen = path_seen_from(*named, directory);

                if (seen && is_or_becomes(path, seen))
                        return true;
        }
        return secret_files_have_name(path);
}

/* Trees that cannot be read are complained about elsewhere. */
static int check_tree(const SecretFiles *files, const char *setting, const char *path, char ***problems) {
        _cleanup_(tree_freep) Tree *tree = NULL;

        int r = tree_load(AT_FDCWD, path, &tree, NULL);
        if (r < 0)
                return r == -ENOMEM || r == -EINTR ? r : 0;
        for (size_t i = 0; i < tree->n_nodes && r >= 0; i++) {
                _cleanup_(freep) char *node = NULL, *said = NULL;

                if (!has_inode(files, &tree->nodes[i]->status))
                        continue;
                r = tree_node_path(tree->nodes[i], &node);
                if (r >= 0)
                        r = config_path_say(path, &said);
                if (r >= 0)
                        r = strv_append_format(
                                problems,
                                "%s=%s has %s in it, which is a key or passphrase of this build, and "
                                "none of these gets into an image: move it elsewhere",
                                setting, said, node);
        }
        return r;
}

int secret_files_check_trees(const Config *config, char ***problems) {
        const struct {
                const char *setting;
                char **trees;
        } lists[] = { { "ExtraTrees", config->extra_trees }, { "SkeletonTrees", config->skeleton_trees } };
        _cleanup_(secret_files_done) SecretFiles files = {};

        int r = secret_files_list(config, &files);
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (char **tree = lists[i].trees; files.n_items > 0 && tree && *tree && r >= 0; tree++)
                        r = check_tree(&files, lists[i].setting, *tree, problems);
        return r;
}
