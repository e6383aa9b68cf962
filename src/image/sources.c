/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-tree.h"
#include "base/fd.h"
#include "base/git-files.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "image/output.h"
#include "image/secret-files.h"
#include "image/sources.h"

typedef struct Selection {
        const Config *config;
        char *directory;        /* BuildSources=, without links on the way */
        char **left_out;        /* paths relative to it */
        char *output_directory; /* likewise, "" for itself; NULL: it is somewhere else */
        SecretFiles secrets;
        GitFiles files;
        bool git;      /* only these files */
        bool with_git; /* and the directory ".git" */
        bool whole;    /* everything that is there */
        char **found;  /* secrets that were asked for, relative */
        int error;     /* of a filter, which cannot say so */
} Selection;

static void selection_done(Selection *selection) {
        free(selection->directory);
        strv_free(selection->left_out);
        free(selection->output_directory);
        secret_files_done(&selection->secrets);
        git_files_done(&selection->files);
        strv_free(selection->found);
}

static bool transfers_by_git(const Config *config) {
        return config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_CACHED ||
               config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_OTHERS ||
               config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_MORE;
}

/* Without links on the way to it; the last component may be one, or not be there. */
static int real_place(const char *path, char **ret) {
        _cleanup_(freep) char *parent = NULL, *real = NULL;

        const int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        real = realpath(parent, NULL);
        return path_join(real ?: parent, path_base_name(path), ret);
}

/* Leaves the path out if it lies among the sources. What holds them is not left out of them. */
static int leave_out_as(Selection *selection, const char *path) {
        const char *seen = path_seen_from(path, selection->directory);

        return text_is_empty(seen) ? 0 : strv_append(&selection->left_out, seen);
}

static int leave_out(Selection *selection, const char *path) {
        _cleanup_(freep) char *place = NULL;

        if (!path)
                return 0;
        const int r = real_place(path, &place);
        return r < 0 ? r : leave_out_as(selection, place);
}

/* Also where a link leads: the directory is ours, wherever it is. */
static int leave_out_directory(Selection *selection, const char *path) {
        _cleanup_(freep) char *real = path ? realpath(path, NULL) : NULL;

        const int r = leave_out(selection, path);
        return r < 0 || !real ? r : leave_out_as(selection, real);
}

/* What this build writes or keeps. Outputs of others may lie in the same directories as sources, and of these nothing is
 * known but that they are called like ours. */
static int leave_out_ours(Selection *selection) {
        const Config *config = selection->config;
        _cleanup_(strv_freep) char **outputs = NULL;
        _cleanup_(freep) char *real = realpath(config->output_directory, NULL);

        int r = output_existing(config, true, &outputs);
        for (char **output = outputs; output && *output && r >= 0; output++)
                r = leave_out(selection, *output);
        if (r >= 0)
                r = leave_out_directory(selection, config->cache);
        if (r >= 0)
                r = leave_out_directory(selection, config->build_directory);
        return r < 0 || !real
                       ? r
                       : text_copy(path_seen_from(real, selection->directory), &selection->output_directory);
}

/* By name: what a project has at the top, also where other settings are in force at the moment, and what builds of any
 * name keep and write there, and where outputs go. */
static bool is_ours(const Selection *selection, const char *path, const struct stat *status) {
        static const char *const names[] = { "mkosi.cache", "mkosi.builddir", "mkosi.output" };
        static const char *const suffixes[] = { ".cache-pre-dev", ".cache-pre-inst", ".cache-output" };
        const char *name = path_base_name(path);
        const size_t length = name > path ? (size_t)(name - path) - 1 : 0;
        const char *outputs = selection->output_directory;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (text_equal(path, names[i]))
                        return true;
        if (length > 0 && (!outputs || strlen(outputs) != length || strncmp(path, outputs, length) != 0))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (text_ends_with(name, suffixes[i]))
                        return true;
        return S_ISDIR(status->st_mode) &&
               (text_after_prefix(name, ".mkosi-") || text_ends_with(name, ".failed"));
}

static bool is_left_out(const Selection *selection, const char *path, const struct stat *status) {
        return strv_contains(STRV(selection->left_out), path) || is_ours(selection, path, status);
}

static bool is_git(const char *path) {
        return text_equal(path_base_name(path), ".git");
}

/* Whether the way of transfer takes it. */
static bool is_transferred(const Selection *selection, const char *path, const struct stat *status) {
        if (selection->whole ||
            (selection->with_git && (text_equal(path, ".git") || text_after_prefix(path, ".git/"))))
                return true;
        if (!selection->git)
                return !is_git(path);
        return git_files_contain(&selection->files, path, S_ISDIR(status->st_mode));
}

static bool is_secret(const Selection *selection, const char *path, const struct stat *status) {
        return secret_files_contain(&selection->secrets, selection->directory, path, status);
}

static bool wanted(const char *path, const struct stat *status, void *userdata) {
        const Selection *selection = userdata;

        return !is_left_out(selection, path, status) && !is_secret(selection, path, status) &&
               is_transferred(selection, path, status);
}

/* A link of a usual name: what it leads to is the secret. */
static void note_link(Selection *selection, const char *path) {
        _cleanup_(freep) char *link = NULL;

        int r = path_join(selection->directory, path, &link);
        if (r >= 0)
                r = secret_files_add(&selection->secrets, link);
        if (r < 0)
                selection->error = r;
}

/* As filters of a tree of which nothing but directories is wanted: what is looked for is noted on the way. */
static bool seek_links(const char *path, const struct stat *status, void *userdata) {
        Selection *selection = userdata;

        if (S_ISLNK(status->st_mode) && secret_files_have_name(path))
                note_link(selection, path);
        return S_ISDIR(status->st_mode) && !is_left_out(selection, path, status) &&
               is_transferred(selection, path, status);
}

static bool seek_secrets(const char *path, const struct stat *status, void *userdata) {
        Selection *selection = userdata;

        if (!S_ISLNK(status->st_mode) && is_secret(selection, path, status)) {
                const int r = strv_append(&selection->found, path);
                if (r < 0)
                        selection->error = r;
        }
        return S_ISDIR(status->st_mode) && !is_left_out(selection, path, status);
}

static int seek(Selection *selection, bool (*filter)(const char *, const struct stat *, void *),
                Reason *reason) {
        _cleanup_(tree_freep) Tree *tree = NULL;

        const int r =
                tree_load_filtered(AT_FDCWD, selection->directory,
                                   &(TreeFilter){ .wanted = filter, .userdata = selection }, &tree, reason);
        return r < 0 ? r : selection->error;
}

static int select_by_git(Selection *selection, Reason *reason) {
        const Config *config = selection->config;
        _cleanup_(freep) char *search_path = NULL;

        selection->git = true;
        selection->with_git = config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_MORE;
        const int r = distro_search_path(config, &search_path);
        if (r < 0)
                return r;
        return git_files_list(selection->directory, search_path,
                              config->source_file_transfer != SOURCE_FILE_TRANSFER_COPY_GIT_CACHED,
                              &selection->files, reason);
}

static int selection_begin(Selection *selection, Reason *reason) {
        selection->directory = realpath(selection->config->build_sources, NULL);
        if (!selection->directory)
                return reason_set(reason, -errno, "Cannot look for '%s': %m",
                                  selection->config->build_sources);
        const int r = leave_out_ours(selection);
        return r < 0 ? r : secret_files_list(selection->config, &selection->secrets);
}

static int make_selection(Selection *selection, Reason *reason) {
        int r = selection_begin(selection, reason);
        if (r >= 0 && transfers_by_git(selection->config))
                r = select_by_git(selection, reason);
        return r < 0 ? r : seek(selection, seek_links, reason);
}

/* Whether anything but what git keeps lies in the directory. */
static int has_entries(const char *path) {
        _cleanup_(directory_closep) DIR *directory = opendir(path);
        const struct dirent *entry;

        if (!directory)
                return -errno;
        while ((entry = readdir(directory)))
                if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, "..") &&
                    !is_git(entry->d_name))
                        return 1;
        return 0;
}

/* That git lists nothing is hardly what was meant: the whole directory is ignored, or nothing of it was ever added. */
static int check_list(const Config *config, char ***problems) {
        _cleanup_(selection_done) Selection selection = { .config = config };
        _cleanup_(reason_done) Reason reason = {};

        int r = selection_begin(&selection, &reason);
        if (r >= 0)
                r = select_by_git(&selection, &reason);
        if (r == -EINTR || r == -ENOMEM)
                return r;
        if (r < 0)
                return strv_append_format(problems, "SourceFileTransfer=%s: %s",
                                          source_file_transfer_words[config->source_file_transfer],
                                          reason_text(&reason, r));
        if (selection.files.n_items > 0 || has_entries(selection.directory) <= 0)
                return 0;
        if (config->source_file_transfer == SOURCE_FILE_TRANSFER_COPY_GIT_CACHED)
                return strv_append_format(
                        problems,
                        "SourceFileTransfer=copy-git-cached copies what git tracks, and in %s it tracks "
                        "nothing: add it by git add, or take SourceFileTransfer=copy-git-others",
                        config->build_sources);
        return strv_append_format(
                problems,
                "SourceFileTransfer=%s copies what git does not ignore, and it ignores all of %s: "
                "take SourceFileTransfer=copy-all",
                source_file_transfer_words[config->source_file_transfer], config->build_sources);
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
        if (r < 0)
                return r;
        if (config->source_file_transfer != SOURCE_FILE_TRANSFER_COPY_GIT_MORE)
                return check_list(config, problems);

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
        return check_list(config, problems);
}

int sources_add_inputs(const Config *config, KeptInputs *inputs, Reason *reason) {
        _cleanup_(selection_done) Selection selection = { .config = config };

        const int r = make_selection(&selection, reason);
        if (r < 0)
                return r;
        /* The script sees them with their times as they are. */
        return kept_inputs_add_copied(inputs, "source", selection.directory,
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
        return copy_tree(AT_FDCWD, selection.directory, to,
                         &(CopyTreeOptions){ .filter = &filter, .progress = progress }, reason);
}

/* Notes a secret that the settings name if it lies, without links on the way, among the sources. */
static int find_named(Selection *selection, const char *named) {
        _cleanup_(freep) char *real = realpath(named, NULL);

        const char *seen = real ? path_seen_from(real, selection->directory) : NULL;

        if (!seen || strv_contains(STRV(selection->found), seen))
                return 0;
        return strv_append(&selection->found, seen);
}

int sources_list_secrets(const Config *config, char ***ret, Reason *reason) {
        _cleanup_(selection_done) Selection selection = { .config = config, .whole = true };

        int r = selection_begin(&selection, reason);
        if (r >= 0)
                r = seek(&selection, seek_links, reason);
        if (r >= 0)
                r = seek(&selection, seek_secrets, reason);
        /* Also where nothing else is looked at. */
        for (char **named = selection.secrets.paths; r >= 0 && named && *named; named++)
                r = find_named(&selection, *named);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(selection.found);
        return 0;
}
