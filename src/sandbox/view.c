/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/view-devices.h"
#include "sandbox/view-owners.h"
#include "sandbox/view-plan.h"
#include "sandbox/view-resolve.h"
#include "sandbox/view-target.h"
#include "sandbox/view-tree.h"

/* How the read-only part comes about: what is not to be read-only below is cloned before, and put in its place
 * afterwards. So nothing has to be made writable again, and what the host has made read-only stays so. */

#define NODES_OPTIONS    "mode=0700,size=64k,nr_inodes=16,nosuid,nodev,noexec"
#define BOUNDARY_OPTIONS "mode=0755,nosuid,nodev"

/* The entries by the places that they really have, and what is to be put there. */
typedef struct View {
        int root_fd;
        ViewEntry *entries;
        size_t n_entries;
        int *tree_fds; /* for each; -EBADF: nothing, or not yet */
        char **strings;
        ViewDevices devices;
        int nodes_fd; /* the tmpfs with what is put in the place of inaccessible things */
} View;

/* clang-format off */
static const struct {
        mode_t type;
        const char *name;
} hidden_nodes[] = {
        { S_IFDIR,  "directory" },
        { S_IFREG,  "file" },
        { S_IFCHR,  "character-device" },
        { S_IFBLK,  "block-device" },
        { S_IFIFO,  "fifo" },
        { S_IFSOCK, "socket" },
};
/* clang-format on */

static void view_done(View *view) {
        for (size_t i = 0; view->tree_fds && i < view->n_entries; i++)
                (void)fd_close(view->tree_fds[i]);
        free(view->tree_fds);
        free(view->entries);
        strv_free(view->strings);
        view_devices_done(&view->devices);
        (void)fd_close(view->nodes_fd);
        (void)fd_close(view->root_fd);
}

static int view_target(const View *view, size_t i, int *ret_fd) {
        const int fd = view_open(view->root_fd, view->entries[i].path);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

/* The host's own things, as long as nothing hides them. */
static int bind_open(const View *view, size_t i) {
        const ViewEntry *const entry = &view->entries[i];

        const char *const below = entry->trusted ? path_seen_from(entry->source, entry->trusted) : NULL;

        int r = text_is_empty(below)
                        ? view_tree_clone(AT_FDCWD, entry->source, !entry->shallow, &view->tree_fds[i])
                        : view_tree_clone_below(entry->trusted, below, !entry->shallow, &view->tree_fds[i]);
        if (r == -ENOENT && entry->optional)
                return 0;
        if (r >= 0 && entry->from != entry->to)
                r = view_owners_map(view->tree_fds[i], entry->from, entry->to);
        if (r >= 0 && entry->no_setuid)
                r = view_tree_set(view->tree_fds[i], MOUNT_ATTR_NOSUID, true);
        return r;
}

static bool is_bind(const ViewEntry *entry) {
        return entry->type == VIEW_BIND || entry->type == VIEW_BIND_READ_ONLY;
}

static int view_open_sources(View *view, Reason *reason) {
        for (size_t i = 0; i < view->n_entries; i++) {
                const ViewEntry *const entry = &view->entries[i];
                int r = 0;

                if (is_bind(entry))
                        r = bind_open(view, i);
                else if (entry->type == VIEW_DEVICES && view->devices.tree_fd < 0)
                        r = view_devices_open(view->root_fd, &view->devices, reason);
                if (r < 0)
                        return view_failed(entry, r, reason);
        }
        return 0;
}

/* Clones what lies below entries[i], and is to stay writable, or executable, when that is not. */
static int view_save_writable(View *view, size_t i) {
        const ViewEntryType excepted =
                view->entries[i].type == VIEW_NO_EXECUTE ? VIEW_EXECUTABLE : VIEW_WRITABLE;

        for (size_t j = i + 1; j < view->n_entries; j++) {
                _cleanup_(fd_closep) int fd = -EBADF;

                if (view->entries[j].type != excepted || view_nearest(view->entries, j) != i)
                        continue;
                int r = view_target(view, j, &fd);
                if (r == -ENOENT && view->entries[j].optional)
                        continue;
                if (r >= 0)
                        r = view_tree_clone_fd(fd, true, &view->tree_fds[j]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_directory(int fd) {
        struct stat status;

        return fstat(fd, &status) >= 0 && S_ISDIR(status.st_mode);
}

/* The entry that decides what is there before entries[i] is carried out; SIZE_MAX: the host does. */
static size_t view_ground(const View *view, size_t i) {
        size_t ground = view_nearest(view->entries, i);

        while (ground != SIZE_MAX && !view_replaces(&view->entries[ground]))
                ground = view_nearest(view->entries, ground);
        return ground;
}

/* Mount points of what is put into the empty tmpfs of entries[i]. */
static int view_make_targets(const View *view, size_t i, int tree_fd) {
        for (size_t j = i + 1; j < view->n_entries; j++) {
                const ViewEntry *const entry = &view->entries[j];

                if (!view_replaces(entry) || entry->type == VIEW_INACCESSIBLE || view_ground(view, j) != i ||
                    (is_bind(entry) && view->tree_fds[j] < 0))
                        continue;
                const int r =
                        view_tree_make_target(tree_fd, path_seen_from(entry->path, view->entries[i].path),
                                              !is_bind(entry) || is_directory(view->tree_fds[j]));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_bind(View *view, size_t i, int target_fd, Reason *reason) {
        if (view->tree_fds[i] < 0)
                return 0;
        int r = view_tree_attach(view->tree_fds[i], target_fd);
        if (r < 0 || view->entries[i].type == VIEW_BIND)
                return r;
        r = view_save_writable(view, i);
        return r < 0 ? r : view_tree_set(view->tree_fds[i], MOUNT_ATTR_RDONLY, true);
}

static int apply_tmpfs(View *view, size_t i, int target_fd, Reason *reason) {
        const ViewEntry *const entry = &view->entries[i];
        int *const tree_fd = &view->tree_fds[i];

        int r = view_tree_tmpfs(entry->type == VIEW_BOUNDARY ? BOUNDARY_OPTIONS : entry->options, tree_fd,
                                reason);
        if (r < 0)
                return r;
        r = view_make_targets(view, i, *tree_fd);
        if (r < 0)
                return r;
        if (view_is_read_only(entry)) {
                r = view_tree_set(*tree_fd, MOUNT_ATTR_RDONLY, false);
                if (r < 0)
                        return r;
        }
        return view_tree_attach(*tree_fd, target_fd);
}

static int apply_devices(View *view, size_t i, int target_fd, Reason *reason) {
        const int r = view_make_targets(view, i, view->devices.tree_fd);

        return r < 0 ? r : view_devices_attach(&view->devices, target_fd, reason);
}

static int apply_proc(View *view, size_t i, int target_fd, Reason *reason) {
        const int r = view_tree_new("proc", view->entries[i].options, &view->tree_fds[i], reason);

        return r < 0 ? r : view_tree_attach(view->tree_fds[i], target_fd);
}

/* The nodes have to be in the namespace before they can be cloned. On top of the root nothing is hidden by them, as
 * paths start below. */
static int view_make_nodes(View *view, Reason *reason) {
        int r = view_tree_tmpfs(NODES_OPTIONS, &view->nodes_fd, reason);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(hidden_nodes); i++) {
                const mode_t type = hidden_nodes[i].type;
                const char *const name = hidden_nodes[i].name;

                if (type == S_IFDIR ? mkdirat(view->nodes_fd, name, 0) < 0
                                    : mknodat(view->nodes_fd, name, type, 0) < 0)
                        return -errno;
        }
        r = view_tree_set(view->nodes_fd, MOUNT_ATTR_RDONLY, false);
        return r < 0 ? r : view_tree_attach(view->nodes_fd, view->root_fd);
}

static int view_drop_nodes(View *view) {
        if (view->nodes_fd < 0)
                return 0;
        if (fchdir(view->nodes_fd) < 0 || umount2(".", MNT_DETACH) < 0)
                return -errno;
        return 0;
}

static int apply_inaccessible(View *view, size_t i, int target_fd, Reason *reason) {
        _cleanup_(fd_closep) int tree_fd = -EBADF;
        struct stat status;

        if (view->nodes_fd < 0) {
                const int r = view_make_nodes(view, reason);
                if (r < 0)
                        return r;
        }
        if (fstat(target_fd, &status) < 0)
                return -errno;
        for (size_t j = 0; j < ELEMENTSOF(hidden_nodes); j++) {
                if ((status.st_mode & S_IFMT) != hidden_nodes[j].type)
                        continue;
                const int r = view_tree_clone(view->nodes_fd, hidden_nodes[j].name, false, &tree_fd);
                return r < 0 ? r : view_tree_attach(tree_fd, target_fd);
        }
        return -EINVAL;
}

static int apply_restriction(View *view, size_t i, int target_fd, Reason *reason) {
        const uint64_t attribute =
                view->entries[i].type == VIEW_NO_EXECUTE ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_RDONLY;
        int *const tree_fd = &view->tree_fds[i];

        int r = view_save_writable(view, i);
        if (r < 0)
                return r;
        /* What is the root of a mount needs no clone. */
        r = view_tree_set(target_fd, attribute, true);
        if (r != -EINVAL)
                return r;
        r = view_tree_clone_fd(target_fd, true, tree_fd);
        if (r < 0)
                return r;
        r = view_tree_set(*tree_fd, attribute, true);
        return r < 0 ? r : view_tree_attach(*tree_fd, target_fd);
}

static int apply_exception(View *view, size_t i, int target_fd, Reason *reason) {
        return view->tree_fds[i] < 0 ? 0 : view_tree_attach(view->tree_fds[i], target_fd);
}

static int (*const apply[])(View *view, size_t i, int target_fd, Reason *reason) = {
        [VIEW_READ_ONLY] = apply_restriction,
        [VIEW_WRITABLE] = apply_exception,
        [VIEW_INACCESSIBLE] = apply_inaccessible,
        [VIEW_BIND] = apply_bind,
        [VIEW_BIND_READ_ONLY] = apply_bind,
        [VIEW_TMPFS] = apply_tmpfs,
        [VIEW_BOUNDARY] = apply_tmpfs,
        [VIEW_DEVICES] = apply_devices,
        [VIEW_PROC] = apply_proc,
        [VIEW_NO_EXECUTE] = apply_restriction,
        [VIEW_EXECUTABLE] = apply_exception,
};
static_assert(ELEMENTSOF(apply) == VIEW_ENTRY_TYPE_MAX, "every type is carried out");

static int target_make(const View *view, size_t i, int *ret_fd) {
        const bool directory = !is_bind(&view->entries[i]) || is_directory(view->tree_fds[i]);

        return view_target_make(view->root_fd, view->entries[i].path, directory, ret_fd);
}

/* Those in the host's own tree, before anything in it is read-only. */
static int view_make_host_targets(View *view, Reason *reason) {
        for (size_t i = 0; i < view->n_entries; i++) {
                const ViewEntry *const entry = &view->entries[i];
                _cleanup_(fd_closep) int fd = -EBADF;

                if (!entry->make || view_ground(view, i) != SIZE_MAX ||
                    (is_bind(entry) && view->tree_fds[i] < 0))
                        continue;
                int r = view_target(view, i, &fd);
                if (r == -ENOENT)
                        r = target_make(view, i, &fd);
                if (r < 0)
                        return view_failed(entry, r, reason);
        }
        return 0;
}

static int view_apply(View *view, size_t i, Reason *reason) {
        const ViewEntry *const entry = &view->entries[i];
        _cleanup_(fd_closep) int target_fd = -EBADF;

        if (is_bind(entry) && view->tree_fds[i] < 0)
                return 0;
        int r = view_target(view, i, &target_fd);
        if (r == -ENOENT && entry->make)
                r = target_make(view, i, &target_fd);
        else if (r == -ENOENT)
                return entry->optional ? 0 : view_missing(entry, reason);
        if (r >= 0)
                r = apply[entry->type](view, i, target_fd, reason);
        return r < 0 ? view_failed(entry, r, reason) : 0;
}

static int view_prepare(View *view, const ViewEntry *entries, size_t n_entries, Reason *reason) {
        view->entries = calloc(n_entries + 1, sizeof(*entries));
        view->tree_fds = calloc(n_entries + 1, sizeof(*view->tree_fds));
        if (!view->entries || !view->tree_fds)
                return -ENOMEM;
        for (size_t i = 0; i < n_entries; i++)
                view->tree_fds[i] = -EBADF;
        if (n_entries > 0)
                memcpy(view->entries, entries, n_entries * sizeof(*entries));
        view->n_entries = n_entries;
        for (size_t i = 0; i < n_entries; i++) {
                const int r = view_check(&entries[i], reason);
                if (r < 0)
                        return r;
        }

        view->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (view->root_fd < 0)
                return -errno;
        int r = view_resolve(view->root_fd, view->entries, &view->n_entries, &view->strings, reason);
        if (r < 0)
                return r;
        r = view_plan(view->entries, &view->n_entries, reason);
        if (r >= 0)
                r = view_open_sources(view, reason);
        return r < 0 ? r : view_make_host_targets(view, reason);
}

static int view_make(const ViewEntry *entries, size_t n_entries, Reason *reason) {
        _cleanup_(view_done) View view = { .root_fd = -EBADF, .nodes_fd = -EBADF };

        view_devices_init(&view.devices);
        int r = view_prepare(&view, entries, n_entries, reason);
        for (size_t i = 0; r >= 0 && i < view.n_entries; i++)
                r = view_apply(&view, i, reason);
        if (r < 0)
                return r;
        r = view_drop_nodes(&view);
        return r < 0 ? reason_set(reason, r, "taking away what was needed for inaccessible paths: %m") : 0;
}

/* What can be executed is decided where all the rest is in its place: clones that are to be writable are of the state
 * before. */
static int view_make_in_order(const ViewEntry *entries, size_t n_entries, Reason *reason) {
        _cleanup_(freep) ViewEntry *sorted = calloc(n_entries + 1, sizeof(*sorted));
        size_t n = 0, n_first;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n_entries; i++)
                if (entries[i].type != VIEW_NO_EXECUTE && entries[i].type != VIEW_EXECUTABLE)
                        sorted[n++] = entries[i];
        n_first = n;
        for (size_t i = 0; i < n_entries; i++)
                if (entries[i].type == VIEW_NO_EXECUTE || entries[i].type == VIEW_EXECUTABLE)
                        sorted[n++] = entries[i];
        const int r = view_make(sorted, n_first, reason);
        return r < 0 || n == n_first ? r : view_make(sorted + n_first, n - n_first, reason);
}

int view_enter(const ViewEntry *entries, size_t n_entries, ViewPropagation propagation, Reason *reason) {
        const unsigned long flags = propagation == VIEW_PRIVATE ? MS_PRIVATE : MS_SLAVE;

        if (unshare(CLONE_NEWNS) < 0)
                return reason_set(reason, -errno, "a mount namespace: %m");
        if (mount(NULL, "/", NULL, MS_REC | flags, NULL) < 0)
                return reason_set(reason, -errno, "mounts that do not go back to the host: %m");
        const int r = view_make_in_order(entries, n_entries, reason);
        if (r < 0)
                return r;
        return chdir("/") < 0 ? -errno : 0;
}
