/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/view-plan.h"
#include "sandbox/view-resolve.h"

#define LINKS_MAX  40 /* as in the kernel */
#define ROUNDS_MAX 10

/* A path on its way through the tree: what is resolved has no links. */
typedef struct Walk {
        char resolved[PATH_MAX]; /* "" for the root, else "/etc" */
        char rest[PATH_MAX];
        unsigned n_links;
        bool planted; /* a link was followed that somebody else than root can have made */
} Walk;

/* What is known of the entries: where they are as far as that has been found out, and which are not there. */
typedef struct Resolution {
        int root_fd;
        const ViewEntry *entries;
        size_t n_entries;
        const char **paths;
        bool *missing, *planted;
        char ***strings;
} Resolution;

int view_open(int root_fd, const char *path) {
        const struct open_how how = {
                .flags = O_PATH | O_CLOEXEC,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
        };
        const long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

        return fd < 0 ? -errno : (int)fd;
}

/* Whether what lies in the directory (or with `itself` false: below it only) is something else in the view. */
static bool is_replaced(const Resolution *resolution, size_t except, const char *path, bool itself) {
        for (size_t i = 0; i < resolution->n_entries; i++)
                if (i != except && view_replaces(&resolution->entries[i]) &&
                    path_is_below(path, resolution->paths[i]) &&
                    (itself || !text_equal(path, resolution->paths[i])))
                        return true;
        return false;
}

/* Puts a link's text in front of what is left to walk. */
static int walk_follow(Walk *walk, const char *text, size_t length) {
        char joined[PATH_MAX];

        if (++walk->n_links > LINKS_MAX)
                return -ELOOP;
        const int n = snprintf(joined, sizeof(joined), "%.*s/%s", (int)length, text, walk->rest);
        if (n < 0 || (size_t)n >= sizeof(joined))
                return -ENAMETOOLONG;
        memcpy(walk->rest, joined, (size_t)n + 1);
        if (text[0] == '/')
                walk->resolved[0] = '\0';
        return 0;
}

/* Cuts the next component off the rest; its length, or 0 when nothing is left. */
static size_t walk_next(Walk *walk, char name[static PATH_MAX]) {
        const size_t start = strspn(walk->rest, "/");
        const size_t length = strcspn(walk->rest + start, "/");

        memcpy(name, walk->rest + start, length);
        name[length] = '\0';
        memmove(walk->rest, walk->rest + start + length, strlen(walk->rest + start + length) + 1);
        return length;
}

static bool is_planted(int root_fd, const char *directory, const char *link) {
        struct stat above, itself;

        if (fstatat(root_fd, directory[0] ? directory + 1 : ".", &above, AT_SYMLINK_NOFOLLOW) < 0 ||
            fstatat(root_fd, link + 1, &itself, AT_SYMLINK_NOFOLLOW) < 0)
                return true;
        return above.st_uid != 0 || itself.st_uid != 0;
}

/* One component, where the directory is the host's own. 1: it is not there. */
static int walk_step(int root_fd, Walk *walk, const char *name, bool look) {
        char path[PATH_MAX], text[PATH_MAX];

        if (text_equal(name, "."))
                return 0;
        if (text_equal(name, "..")) {
                char *const slash = strrchr(walk->resolved, '/');

                if (slash)
                        *slash = '\0';
                return 0;
        }
        const int length = snprintf(path, sizeof(path), "%s/%s", walk->resolved, name);
        if (length < 0 || (size_t)length >= sizeof(path))
                return -ENAMETOOLONG;
        if (look) {
                const ssize_t n = readlinkat(root_fd, path + 1, text, sizeof(text));

                if (n >= (ssize_t)sizeof(text))
                        return -ENAMETOOLONG;
                if (n >= 0) {
                        walk->planted |= is_planted(root_fd, walk->resolved, path);
                        return walk_follow(walk, text, (size_t)n);
                }
                if (errno != EINVAL && errno != ENOENT)
                        return -errno;
                memcpy(walk->resolved, path, (size_t)length + 1);
                return errno == ENOENT;
        }
        memcpy(walk->resolved, path, (size_t)length + 1);
        return 0;
}

static int resolve_by_walk(Resolution *resolution, size_t i, const char **ret) {
        Walk walk = {};
        char name[PATH_MAX];
        bool missing = false, replaced = false;

        const int length = snprintf(walk.rest, sizeof(walk.rest), "%s", resolution->entries[i].path);
        if (length < 0 || (size_t)length >= sizeof(walk.rest))
                return -ENAMETOOLONG;

        while (walk_next(&walk, name) > 0) {
                replaced = is_replaced(resolution, i, walk.resolved[0] ? walk.resolved : "/", true);
                int r = walk_step(resolution->root_fd, &walk, name, !missing && !replaced);
                if (r < 0)
                        return r;
                missing |= r > 0;
        }
        const char *const path = walk.resolved[0] ? walk.resolved : "/";
        resolution->missing[i] = missing && !is_replaced(resolution, i, path, false);
        resolution->planted[i] = walk.planted;
        if (text_equal(path, resolution->paths[i]))
                return 0;
        int r = strv_append(resolution->strings, path);
        if (r < 0)
                return r;
        *ret = (*resolution->strings)[strv_length(STRV(*resolution->strings)) - 1];
        return 0;
}

/* As a rule there are no links, and the kernel says so. */
static int resolve_entry(Resolution *resolution, size_t i, const char **ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *const path = resolution->entries[i].path;

        resolution->missing[i] = false;
        *ret = resolution->paths[i];
        if (is_replaced(resolution, i, path, false)) {
                *ret = path;
                return 0;
        }
        fd = view_open(resolution->root_fd, path);
        if (fd == -ELOOP)
                return resolve_by_walk(resolution, i, ret);
        if (fd < 0 && fd != -ENOENT)
                return fd;
        resolution->missing[i] = fd < 0;
        *ret = path;
        return 0;
}

/* The entries that do, or that do not, put something else in their place, once; 1 when one of them has moved. */
static int resolve_once(Resolution *resolution, bool replacing, Reason *reason) {
        int moved = 0;

        for (size_t i = 0; i < resolution->n_entries; i++) {
                const ViewEntry *const entry = &resolution->entries[i];
                const char *path;

                if (view_replaces(entry) != replacing)
                        continue;
                const int r = resolve_entry(resolution, i, &path);
                if (r < 0)
                        return view_failed(entry, r, reason);
                moved |= !text_equal(path, resolution->paths[i]);
                resolution->paths[i] = path;
        }
        return moved;
}

/* What one entry leads to may lie below another one whose own place is found later: until none moves. */
static int resolve_all(Resolution *resolution, Reason *reason) {
        int moved = 1;

        for (unsigned round = 0; moved > 0 && round < ROUNDS_MAX; round++)
                moved = resolve_once(resolution, true, reason);
        if (moved > 0)
                return reason_set(reason, -ELOOP,
                                  "links make paths of the view depend on each other in a circle");
        return moved < 0 ? moved : resolve_once(resolution, false, reason);
}

int view_missing(const ViewEntry *entry, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        if (view_print(entry, &text) < 0)
                return -ENOMEM;
        if (!view_replaces(entry) || entry->type == VIEW_INACCESSIBLE)
                return reason_set(reason, -ENOENT,
                                  "%s: %s is not there; with a dash in front it may be missing", text,
                                  entry->path);
        return reason_set(reason, -ENOENT,
                          "%s: %s is not there, and making it would change what others see: make it first",
                          text, entry->path);
}

static int refuse_planted(const ViewEntry *entry, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        if (view_print(entry, &text) < 0)
                return -ENOMEM;
        return reason_set(
                reason, -EPERM,
                "%s: %s is not there, and is not made where a link leads that is not root's: make it first",
                text, entry->path);
}

static int resolution_keep(const Resolution *resolution, ViewEntry *entries, size_t *n_entries,
                           Reason *reason) {
        size_t n = 0;

        for (size_t i = 0; i < resolution->n_entries; i++) {
                if (resolution->missing[i] && entries[i].make && resolution->planted[i])
                        return refuse_planted(&entries[i], reason);
                if (resolution->missing[i] && !entries[i].optional && !entries[i].make)
                        return view_missing(&entries[i], reason);
                if (resolution->missing[i] && !entries[i].make)
                        continue;
                entries[n] = entries[i];
                entries[n++].path = resolution->paths[i];
        }
        *n_entries = n;
        return 0;
}

int view_resolve(int root_fd, ViewEntry *entries, size_t *n_entries, char ***strings, Reason *reason) {
        _cleanup_(freep) const char **paths = calloc(*n_entries + 1, sizeof(*paths));
        _cleanup_(freep) bool *missing = calloc(*n_entries + 1, sizeof(*missing)),
                              *planted = calloc(*n_entries + 1, sizeof(*planted));
        Resolution resolution = {
                .root_fd = root_fd,
                .entries = entries,
                .n_entries = *n_entries,
                .paths = paths,
                .missing = missing,
                .planted = planted,
                .strings = strings,
        };

        if (!paths || !missing || !planted)
                return -ENOMEM;
        for (size_t i = 0; i < *n_entries; i++)
                paths[i] = entries[i].path;
        const int r = resolve_all(&resolution, reason);
        return r < 0 ? r : resolution_keep(&resolution, entries, n_entries, reason);
}
