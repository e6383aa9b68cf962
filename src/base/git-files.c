/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fd.h"
#include "base/git-files.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/text.h"

#define LIST_SIZE_MAX (256 * MIB)
#define DEPTH_MAX     32 /* of trees in trees */

/* git-ls-files(1), --stage: "160000 HASH 0\tPATH" is a submodule. */
#define MODE_SUBMODULE "160000 "

/* Git is asked about the tree that we name; its owner need not be who runs us, as with sudo or in a container; and no
 * program that its configuration names is started for a list. */
#define GIT "git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C"

/* Whatever hook of git we run in. */
static const char *const no_hook[] = {
        "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
        NULL,
};

typedef struct Listing {
        const char *search_path;
        char **environment;
        bool others;
        GitFiles *files;
        Reason *reason;
} Listing;

static int list_directory(const Listing *listing, const char *directory, const char *prefix, unsigned depth);

void git_files_done(GitFiles *files) {
        for (size_t i = 0; i < files->n_items; i++)
                free(files->items[i]);
        free(files->items);
        *files = (GitFiles){};
}

static int add(GitFiles *files, const char *prefix, const char *path) {
        if (files->n_items == files->n_allocated) {
                const size_t n = MAX(2 * files->n_allocated, (size_t)64);
                char **more = reallocarray(files->items, n, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                files->items = more;
                files->n_allocated = n;
        }
        const int r = text_format(&files->items[files->n_items], "%s%s", prefix, path);
        if (r >= 0)
                files->n_items++;
        return r;
}

/* A tree of git of its own, of which the outer one knows no files. One that is not checked out has none. */
static int list_inner(const Listing *listing, const char *directory, const char *prefix, const char *path,
                      unsigned depth) {
        _cleanup_(freep) char *inner = NULL, *inner_prefix = NULL, *git = NULL;
        const size_t length = strlen(path) - (text_ends_with(path, "/") ? 1 : 0);

        int r = text_format(&inner, "%s/%.*s", directory, (int)length, path);
        if (r >= 0)
                r = text_format(&inner_prefix, "%s%.*s/", prefix, (int)length, path);
        if (r >= 0)
                r = path_join(inner, ".git", &git);
        if (r < 0 || access(git, F_OK) < 0)
                return r;
        return list_directory(listing, inner, inner_prefix, depth + 1);
}

/* An item of the list: with its stage if it is tracked. */
static int take_item(const Listing *listing, const char *directory, const char *prefix, const char *item,
                     bool staged, unsigned depth) {
        const char *path = staged ? strchr(item, '\t') : item;

        if (!path)
                return reason_set(listing->reason, -EIO, "git lists something that is no file: %s", item);
        path += staged ? 1 : 0;
        if (text_ends_with(path, "/") || (staged && text_after_prefix(item, MODE_SUBMODULE)))
                return list_inner(listing, directory, prefix, path, depth);
        return add(listing->files, prefix, path);
}

static int ask(const Listing *listing, const char *directory, bool staged, char **ret, size_t *ret_size) {
        const char *const tracked[] = { GIT, directory, "ls-files", "-z", "--cached", "--stage", NULL };
        const char *const others[] = { GIT, directory, "ls-files", "-z", "--others", "--exclude-standard",
                                       NULL };
        _cleanup_(fd_closep) int fd = memfd_create("git-files", MFD_CLOEXEC);

        if (fd < 0)
                return -errno;
        int r = process_run(&(ProcessOptions){
                .argv = staged ? tracked : others,
                .search_path = listing->search_path,
                .environment = STRV(listing->environment),
                .stdin_fd = -EBADF,
                .stdout_fd = fd,
        });
        if (r > 0)
                return reason_set(listing->reason, -EIO, "git cannot list the files of %s", directory);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        return fd_read_file(fd, LIST_SIZE_MAX, ret, ret_size);
}

static int list_directory(const Listing *listing, const char *directory, const char *prefix, unsigned depth) {
        if (depth > DEPTH_MAX)
                return reason_set(listing->reason, -ELOOP, "Trees of git are nested too deep at %s",
                                  directory);

        for (unsigned staged = 1;; staged = 0) {
                _cleanup_(freep) char *list = NULL;
                size_t size;

                int r = ask(listing, directory, staged, &list, &size);
                for (size_t i = 0; r >= 0 && i < size; i += strlen(list + i) + 1)
                        r = take_item(listing, directory, prefix, list + i, staged, depth);
                if (r < 0 || !staged || !listing->others)
                        return r;
        }
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What git itself runs is looked for where git was. */
static int make_environment(const char *search_path, char ***ret) {
        _cleanup_(freep) char *path = NULL;

        int r = environment_inherit(no_hook, ret);
        if (r >= 0 && search_path)
                r = text_format(&path, "PATH=%s", search_path);
        return r < 0 || !path ? r : environment_set(ret, path);
}

int git_files_list(const char *directory, const char *search_path, bool others, GitFiles *ret,
                   Reason *reason) {
        _cleanup_(strv_freep) char **environment = NULL;
        GitFiles files = {};

        int r = make_environment(search_path, &environment);
        if (r < 0)
                return r;
        const Listing listing = { .search_path = search_path,
                                  .environment = environment,
                                  .others = others,
                                  .files = &files,
                                  .reason = reason };
        r = list_directory(&listing, directory, "", 0);
        if (r < 0) {
                git_files_done(&files);
                return r;
        }
        if (files.n_items > 1)
                qsort(files.items, files.n_items, sizeof(*files.items), compare);
        *ret = files;
        return 0;
}

/* Whether an item that begins so follows: the path itself, or a path and a slash. */
bool git_files_contain(const GitFiles *files, const char *path, bool is_directory) {
        const size_t length = strlen(path);
        size_t low = 0, high = files->n_items;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;
                const char *item = files->items[middle];
                int order = strncmp(item, path, length);

                if (order == 0)
                        order = (unsigned char)item[length] - (is_directory ? '/' : '\0');
                if (order == 0)
                        return true;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

/* ".git" is a file in worktrees and submodules. An empty directory of the name is none. */
static int has_git(const char *directory) {
        _cleanup_(freep) char *git = NULL, *head = NULL;
        struct stat status;

        int r = path_join(directory, ".git", &git);
        if (r >= 0)
                r = path_join(git, "HEAD", &head);
        if (r < 0)
                return r;
        if (stat(git, &status) < 0)
                return 0;
        return S_ISREG(status.st_mode) || (S_ISDIR(status.st_mode) && lstat(head, &status) == 0);
}

/* Where the git tree of the directory begins, at it or above it on the same file system: git looks no further. 1 for above,
 * 2 for the directory itself, 0 for none. */
static int find_git(const char *directory) {
        _cleanup_(freep) char *path = NULL;
        struct stat bottom, status;

        /* Git goes by where the directory really is. */
        path = realpath(directory, NULL);
        if (!path || stat(path, &bottom) < 0)
                return 0; /* which is complained about elsewhere */
        for (bool above = false;; above = true) {
                char *parent;

                int r = has_git(path);
                if (r > 0)
                        return above ? 1 : 2;
                if (r < 0 || text_equal(path, "/"))
                        return r;
                r = path_parent(path, &parent);
                if (r < 0)
                        return r;
                free(path);
                path = parent;
                if (stat(path, &status) < 0 || status.st_dev != bottom.st_dev)
                        return 0;
        }
}

int git_holds_directory(const char *directory, const char *search_path) {
        const char *const argv[] = { GIT, directory, "check-ignore", "--quiet", ".", NULL };
        _cleanup_(strv_freep) char **environment = NULL;

        int r = find_git(directory);
        if (r != 1)
                return r < 0 ? r : r > 0;
        r = make_environment(search_path, &environment);
        if (r < 0)
                return r;
        r = process_run(&(ProcessOptions){
                .argv = argv,
                .search_path = search_path,
                .environment = STRV(environment),
                .stdin_fd = -EBADF,
                .stdout_fd = -EBADF,
                .quiet = true,
        });
        /* Where git is missing or has something to complain of, it is asked for a list, and then says so. */
        return r == -EINTR || r == -ENOMEM ? r : r != 0;
}
