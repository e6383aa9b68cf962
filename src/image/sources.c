/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-tree.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "image/artefact.h"
#include "image/git-files.h"
#include "image/sources.h"

typedef struct Selection {
        const Config *config;
        char **left_out; /* absolute paths */
        GitFiles files;
        bool git;      /* only these files */
        bool with_git; /* and the directory ".git" */
} Selection;

static void selection_done(Selection *selection) {
        strv_free(selection->left_out);
        git_files_done(&selection->files);
}

static bool transfers_by_git(const Config *config) {
        return config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_CACHED ||
               config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS ||
               config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_MORE;
}

int sources_check(const Config *config, char ***problems) {
        _cleanup_(freep) char *search_path = NULL, *program = NULL, *git = NULL;
        struct stat status;

        if (!config->build_script || !transfers_by_git(config))
                return 0;
        int r = distro_search_path(config, &search_path);
        if (r >= 0)
                r = path_find_program("git", search_path, &program);
        if (r == -ENOENT)
                return strv_append_format(
                        problems, "SourceFileTransfer=%s needs the program git: install the package git",
                        source_file_transfer_words[config->source_file_transfer]);
        if (r < 0 || config->source_file_transfer != SOURCE_FILE_TRANSFER_COPY_GIT_MORE)
                return r;

        /* In a worktree or a submodule, .git only says where the rest is. */
        r = path_join(config->build_sources, ".git", &git);
        if (r < 0)
                return r;
        if (stat(git, &status) < 0 || !S_ISDIR(status.st_mode))
                return strv_append_format(
                        problems,
                        "SourceFileTransfer=copy-git-more copies the directory .git, and %s has "
                        "none: take SourceFileTransfer=copy-git-others",
                        config->build_sources);
        return 0;
}

/* All that any build of this project writes or reads, and a build script has no business with. */
static int list_left_out(const Config *config, char ***ret) {
        const char *const paths[] = {
                config->cache,           config->build_directory,        config->output_directory,
                config->passphrase_file, config->secure_boot_key,        config->secure_boot_passphrase_file,
                config->verity_key,      config->verity_passphrase_file,
        };
        _cleanup_(strv_freep) char **list = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(paths) && r >= 0; i++)
                /* What holds the sources is not left out of them. */
                if (paths[i] && !path_is_below(config->build_sources, paths[i]))
                        r = strv_append(&list, paths[i]);
        for (ArtefactKind kind = 0; kind < ARTEFACT_MAX && r >= 0; kind++) {
                char *path;

                r = artefact_output(config, kind, &path);
                if (r >= 0)
                        r = strv_take(&list, path);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

/* By name, at the top: what a project has by its usual name, also where other settings are in force at the moment. */
static bool is_ours(const char *path) {
        static const char *const names[] = {
                "mkosi.cache",
                "mkosi.builddir",
                "mkosi.output",
                "mkosi.rootpw",
                "mkosi.passphrase",
                "mkosi.verity.key",
                "mkosi.verity.passphrase",
                "mkosi.secure-boot.key",
                "mkosi.secure-boot.passphrase",
        };
        static const char *const suffixes[] = { ".cache-pre-dev", ".cache-pre-inst", ".cache-output",
                                                ".failed" };

        if (strchr(path, '/'))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(path, names[i]))
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (text_ends_with(path, suffixes[i]))
                        return true;
        return text_after_prefix(path, ".mkosi-");
}

static bool is_git(const char *path) {
        return text_equal(path_base_name(path), ".git");
}

static bool wanted(const char *path, const struct stat *status, void *userdata) {
        const Selection *selection = userdata;
        const char *sources = selection->config->build_sources;

        if (is_ours(path))
                return false;
        for (char **left_out = selection->left_out; left_out && *left_out; left_out++) {
                const char *below = text_after_prefix(*left_out, sources);

                if (below && text_equal(below + strspn(below, "/"), path))
                        return false;
        }
        if (selection->with_git && (text_equal(path, ".git") || text_after_prefix(path, ".git/")))
                return true;
        if (!selection->git)
                return !is_git(path);
        return git_files_contain(&selection->files, path, S_ISDIR(status->st_mode));
}

static int select_by_git(Selection *selection, Reason *reason) {
        const Config *config = selection->config;
        _cleanup_(freep) char *search_path = NULL;

        selection->git = true;
        selection->with_git = config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_MORE;
        const int r = distro_search_path(config, &search_path);
        if (r < 0)
                return r;
        return git_files_list(config->build_sources, search_path,
                              config->source_file_transfer != SOURCE_FILE_TRANSFER_COPY_GIT_CACHED,
                              &selection->files, reason);
}

static int make_selection(Selection *selection, Reason *reason) {
        int r = list_left_out(selection->config, &selection->left_out);
        if (r >= 0 && transfers_by_git(selection->config))
                r = select_by_git(selection, reason);
        return r;
}

int sources_add_inputs(const Config *config, KeptInputs *inputs) {
        _cleanup_(selection_done) Selection selection = { .config = config };

        const int r = make_selection(&selection, NULL);
        if (r < 0)
                return r;
        /* The script sees them with their times as they are. */
        return kept_inputs_add_copied(inputs, "source", config->build_sources,
                                      &(KeptCopy){ .filter = &(TreeFilter){ .wanted = wanted,
                                                                            .userdata = &selection },
                                                   .time_bound = INT64_MAX,
                                                   .with_root = true });
}

int sources_copy(const Config *config, const char *to, Progress *progress, Reason *reason) {
        _cleanup_(selection_done) Selection selection = { .config = config };
        const TreeFilter filter = { .wanted = wanted, .userdata = &selection };

        assert(config->source_file_transfer != SOURCE_FILE_TRANSFER_MOUNT);

        const int r = make_selection(&selection, reason);
        if (r < 0)
                return r;
        return copy_tree(AT_FDCWD, config->build_sources, to,
                         &(CopyTreeOptions){ .filter = &filter, .progress = progress }, reason);
}
