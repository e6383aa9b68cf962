/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "exec/exec-view.h"
#include "unit/specifier.h"

#define TMPFS_OPTIONS "mode=0755,nosuid,nodev,strictatime"
/* Enough for what services put there, and not for all of the memory. */
#define TMPFS_LIMITS "size=10%,nr_inodes=400k"

/* What settings without a value of their own mean. */
typedef struct ViewRow {
        const char *path;
        ViewEntryType type;
        bool required;
} ViewRow;

/* clang-format off */
static const ViewRow protect_system_yes[] = {
        { "/usr",  VIEW_READ_ONLY },
        { "/boot", VIEW_READ_ONLY },
        { "/efi",  VIEW_READ_ONLY },
        {},
};

static const ViewRow protect_system_full[] = {
        { "/usr",  VIEW_READ_ONLY },
        { "/boot", VIEW_READ_ONLY },
        { "/efi",  VIEW_READ_ONLY },
        { "/etc",  VIEW_READ_ONLY },
        {},
};

/* What is not the system has settings of its own. */
static const ViewRow protect_system_strict[] = {
        { "/",         VIEW_READ_ONLY, true },
        { "/dev",      VIEW_WRITABLE },
        { "/home",     VIEW_WRITABLE },
        { "/proc",     VIEW_WRITABLE },
        { "/root",     VIEW_WRITABLE },
        { "/run/user", VIEW_WRITABLE },
        { "/sys",      VIEW_WRITABLE },
        {},
};

static const ViewRow protect_home_yes[] = {
        { "/home",     VIEW_INACCESSIBLE },
        { "/root",     VIEW_INACCESSIBLE },
        { "/run/user", VIEW_INACCESSIBLE },
        {},
};

static const ViewRow protect_home_read_only[] = {
        { "/home",     VIEW_READ_ONLY },
        { "/root",     VIEW_READ_ONLY },
        { "/run/user", VIEW_READ_ONLY },
        {},
};

static const ViewRow protect_home_tmpfs[] = {
        { "/home",     VIEW_TMPFS },
        { "/root",     VIEW_TMPFS },
        { "/run/user", VIEW_TMPFS },
        {},
};

static const ViewRow private_devices[] = {
        { "/dev", VIEW_DEVICES, true },
        {},
};

static const ViewRow protect_kernel_tunables[] = {
        { "/proc/acpi",          VIEW_READ_ONLY },
        { "/proc/apm",           VIEW_READ_ONLY }, /* most of these are of old kernels, or of some machines */
        { "/proc/asound",        VIEW_READ_ONLY },
        { "/proc/bus",           VIEW_READ_ONLY },
        { "/proc/fs",            VIEW_READ_ONLY },
        { "/proc/irq",           VIEW_READ_ONLY },
        { "/proc/kallsyms",      VIEW_INACCESSIBLE },
        { "/proc/kcore",         VIEW_INACCESSIBLE },
        { "/proc/latency_stats", VIEW_READ_ONLY },
        { "/proc/mtrr",          VIEW_READ_ONLY },
        { "/proc/scsi",          VIEW_READ_ONLY },
        { "/proc/sys",           VIEW_READ_ONLY },
        { "/proc/sysrq-trigger", VIEW_READ_ONLY },
        { "/proc/timer_stats",   VIEW_READ_ONLY },
        { "/sys",                VIEW_READ_ONLY },
        { "/sys/fs/cgroup",      VIEW_WRITABLE }, /* a setting of its own */
        {},
};

static const ViewRow protect_control_groups[] = {
        { "/sys/fs/cgroup", VIEW_READ_ONLY },
        {},
};

static const ViewRow protect_kernel_logs[] = {
        { "/dev/kmsg",  VIEW_INACCESSIBLE },
        { "/proc/kmsg", VIEW_INACCESSIBLE },
        {},
};

static const ViewRow protect_kernel_modules[] = {
        { "/usr/lib/modules", VIEW_INACCESSIBLE },
        { "/lib/modules",     VIEW_INACCESSIBLE },
        {},
};

static const ViewRow *const protect_system_rows[] = {
        [PROTECT_SYSTEM_YES]    = protect_system_yes,
        [PROTECT_SYSTEM_FULL]   = protect_system_full,
        [PROTECT_SYSTEM_STRICT] = protect_system_strict,
};

static const ViewRow *const protect_home_rows[] = {
        [PROTECT_HOME_YES]       = protect_home_yes,
        [PROTECT_HOME_READ_ONLY] = protect_home_read_only,
        [PROTECT_HOME_TMPFS]     = protect_home_tmpfs,
};
/* clang-format on */
static_assert(ELEMENTSOF(protect_system_rows) == PROTECT_SYSTEM_MAX, "every word has rows");
static_assert(ELEMENTSOF(protect_home_rows) == PROTECT_HOME_MAX, "every word has rows");

void exec_view_done(ExecView *view) {
        free(view->entries);
        strv_free(view->strings);
        *view = (ExecView){};
}

static int view_add(ExecView *view, const ViewEntry *entry) {
        ViewEntry *const entries = reallocarray(view->entries, view->n_entries + 1, sizeof(*entries));

        if (!entries)
                return -ENOMEM;
        view->entries = entries;
        entries[view->n_entries++] = *entry;
        return 0;
}

static int view_add_rows(ExecView *view, const ViewRow *rows) {
        for (const ViewRow *row = rows; row && row->path; row++) {
                const ViewEntry entry = {
                        .type = row->type,
                        .path = row->path,
                        .options = row->type == VIEW_TMPFS ? TMPFS_OPTIONS ",ro" : NULL,
                        .optional = !row->required,
                };
                const int r = view_add(view, &entry);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The view keeps the text, which is NULL when there was no memory for it, as long as it lives. */
static int view_keep(ExecView *view, char *text, const char **ret) {
        if (!text)
                return -ENOMEM;
        const int r = strv_take(&view->strings, text);

        if (r >= 0)
                *ret = text;
        return r;
}

static int view_add_protection(ExecView *view, const UnitSettings *settings) {
        const bool dynamic = service_is_dynamic(settings);
        unsigned home = settings->protect_home;
        const unsigned system = dynamic ? PROTECT_SYSTEM_STRICT : settings->protect_system;

        if (dynamic && home == PROTECT_HOME_NO)
                home = PROTECT_HOME_READ_ONLY;
        const ViewRow *const rows[] = {
                protect_system_rows[system],
                protect_home_rows[home],
                settings->private_devices == TRUTH_YES ? private_devices : NULL,
                settings->protect_kernel_tunables == TRUTH_YES ? protect_kernel_tunables : NULL,
                settings->protect_control_groups == TRUTH_YES ? protect_control_groups : NULL,
                settings->protect_kernel_logs == TRUTH_YES ? protect_kernel_logs : NULL,
                settings->protect_kernel_modules == TRUTH_YES ? protect_kernel_modules : NULL,
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const int r = view_add_rows(view, rows[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A /proc of its own, which has options for whom it shows what. */
static int view_add_proc(ExecView *view, const UnitSettings *settings) {
        static const char *const hide[] = {
                [PROTECT_PROC_NOACCESS] = "hidepid=noaccess",
                [PROTECT_PROC_INVISIBLE] = "hidepid=invisible",
                [PROTECT_PROC_PTRACEABLE] = "hidepid=ptraceable",
        };
        const bool hidden = settings->protect_proc != PROTECT_PROC_DEFAULT,
                   subset = settings->proc_subset == PROC_SUBSET_PID;
        ViewEntry entry = { .type = VIEW_PROC, .path = "/proc" };
        char *options = NULL;

        static_assert(ELEMENTSOF(hide) == PROTECT_PROC_MAX, "every word has an option");
        if (!hidden && !subset)
                return 0;
        int r = text_format(&options, "nosuid,nodev,noexec%s%s%s", hidden ? "," : "",
                            hidden ? hide[settings->protect_proc] : "", subset ? ",subset=pid" : "");
        if (r >= 0)
                r = view_keep(view, options, &entry.options);
        return r < 0 ? r : view_add(view, &entry);
}

static int view_add_private_tmp(ExecView *view, const ExecContext *context, const UnitSettings *settings,
                                Reason *reason) {
        const bool dynamic = service_is_dynamic(settings);
        const ViewEntry entries[] = {
                { .type = VIEW_BIND, .path = "/tmp", .source = context->private_tmp, .no_setuid = dynamic },
                { .type = VIEW_BIND,
                  .path = "/var/tmp",
                  .source = context->private_var_tmp,
                  .no_setuid = dynamic },
        };

        if (!dynamic && settings->private_tmp != TRUTH_YES)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(entries); i++) {
                if (!entries[i].source)
                        return reason_set(reason, -EINVAL,
                                          "PrivateTmp=: there is no directory to be seen as %s",
                                          entries[i].path);
                const int r = view_add(view, &entries[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Where the directories of its type are: the path without the name. */
static int view_prefix(ExecView *view, const char *path, const char *name, const char **ret) {
        return view_keep(view, strndup(path, strlen(path) - strlen(name) - 1), ret);
}

/* Below the boundary a dynamic user has nothing but its own directories, whatever others have left under its
 * number. */
static int view_add_private_directory(ExecView *view, const ExecDirectory *directory, uid_t uid) {
        ViewEntry entry = {
                .type = VIEW_BIND,
                .path = directory->private,
                .source = directory->private,
                .no_setuid = true,
                .from = directory->disk_uid,
                .to = uid,
        };
        ViewEntry boundary = { .type = VIEW_BOUNDARY };

        int r = view_prefix(view, directory->private, directory->name, &boundary.path);
        if (r >= 0)
                r = view_add(view, &boundary);
        entry.trusted = boundary.path;
        if (r >= 0)
                r = view_add(view, &entry);
        if (r < 0)
                return r;
        /* As a rule a link leads from here to there; not where the link is hidden by something else. */
        entry.path = directory->public;
        entry.optional = true;
        return view_add(view, &entry);
}

/* As it is, but for set-user-ID programs, which would be those of a number that is somebody else's tomorrow. */
static int view_add_own_directory(ExecView *view, const ExecDirectory *directory) {
        ViewEntry entry = {
                .type = VIEW_BIND,
                .path = directory->public,
                .source = directory->public,
                .no_setuid = true,
        };

        const int r = view_prefix(view, directory->public, directory->name, &entry.trusted);
        return r < 0 ? r : view_add(view, &entry);
}

static int view_add_directory(ExecView *view, const UnitSettings *settings, const ExecDirectory *directory,
                              uid_t uid) {
        const ViewEntry writable = { .type = VIEW_WRITABLE, .path = directory->public };

        if (directory->private)
                return view_add_private_directory(view, directory, uid);
        if (service_is_dynamic(settings) && directory->type != EXEC_DIRECTORY_CONFIGURATION)
                return view_add_own_directory(view, directory);
        return view_add(view, &writable);
}

/* Takes the dash off; the plus says that the path is one of the root of the service, which is that of the host. */
static int view_path(ExecView *view, const char *text, bool *ret_optional, const char **ret) {
        char *path;

        *ret_optional = text[0] == '-';
        text += text[0] == '-';
        text += text[0] == '+';
        if (text[0] != '/' || strstr(text, "/../") || text_ends_with(text, "/.."))
                return -EINVAL;
        const int r = path_absolute(text, &path);
        return r < 0 ? r : view_keep(view, path, ret);
}

/* A word of a setting as one or more entries. */
typedef int (*AddWord)(ExecView *view, ViewEntryType type, const char *word);

static int add_path(ExecView *view, ViewEntryType type, const char *word) {
        ViewEntry entry = { .type = type };

        const int r = view_path(view, word, &entry.optional, &entry.path);
        return r < 0 ? r : view_add(view, &entry);
}

/* Cuts what stands before a colon off; in it, "\:" is a colon. */
static char *field_next(char **text) {
        char *const start = *text;
        char *to = start;

        if (!start)
                return NULL;
        for (char *from = start;; from++) {
                if (from[0] == '\\' && from[1] == ':') {
                        *to++ = *++from;
                        continue;
                }
                if (from[0] == ':' || from[0] == '\0') {
                        *text = from[0] == ':' ? from + 1 : NULL;
                        *to = '\0';
                        return start;
                }
                *to++ = *from;
        }
}

static int add_bind(ExecView *view, ViewEntryType type, const char *word) {
        ViewEntry entry = { .type = type, .make = true };
        _cleanup_(freep) char *copy = strdup(word);
        char *rest = copy;
        bool ignored;

        if (!copy)
                return -ENOMEM;
        const char *const source = field_next(&rest), *const target = field_next(&rest),
                          *const options = field_next(&rest);
        if (rest || (options && !text_equal(options, "norbind") && !text_equal(options, "rbind")))
                return -EINVAL;
        entry.shallow = options && text_equal(options, "norbind");

        int r = view_path(view, source, &entry.optional, &entry.source);
        if (r >= 0 && text_is_empty(target))
                entry.path = entry.source;
        else if (r >= 0)
                r = target[0] == '/' ? view_path(view, target, &ignored, &entry.path) : -EINVAL;
        return r < 0 ? r : view_add(view, &entry);
}

static int add_tmpfs(ExecView *view, ViewEntryType type, const char *word) {
        ViewEntry entry = { .type = type, .make = true };
        _cleanup_(freep) char *copy = strdup(word);
        char *rest = copy, *options = NULL;
        bool optional;

        if (!copy)
                return -ENOMEM;
        const char *const path = field_next(&rest);
        int r = path[0] == '/' ? view_path(view, path, &optional, &entry.path) : -EINVAL;
        if (r < 0)
                return r;
        r = text_format(&options, "%s,%s%s%s", TMPFS_OPTIONS, TMPFS_LIMITS, rest ? "," : "",
                        rest ? rest : "");
        if (r >= 0)
                r = view_keep(view, options, &entry.options);
        return r < 0 ? r : view_add(view, &entry);
}

static int view_add_word(ExecView *view, const char *unit, const char *word, ViewEntryType type, AddWord add,
                         const char *name, Reason *reason) {
        _cleanup_(freep) char *expanded = NULL;
        Reason inner = {};

        int r = specifier_expand(word, unit, &expanded, &inner);
        if (r < 0)
                (void)reason_set(reason, r, "%s=%s: %s", name, word, reason_text(&inner, r));
        reason_done(&inner);
        if (r < 0)
                return r;
        r = add(view, type, expanded);
        if (r == -EINVAL)
                return reason_set(reason, r, "%s=%s: not understood; paths are absolute and without \"..\"",
                                  name, word);
        return r;
}

static int view_add_lists(ExecView *view, const char *unit, const UnitSettings *settings, Reason *reason) {
        const struct {
                const char *name;
                char *const *lines;
                ViewEntryType type;
                AddWord add;
        } lists[] = {
                { "ReadWritePaths", settings->read_write_paths, VIEW_WRITABLE, add_path },
                { "ReadOnlyPaths", settings->read_only_paths, VIEW_READ_ONLY, add_path },
                { "NoExecPaths", settings->no_exec_paths, VIEW_NO_EXECUTE, add_path },
                { "ExecPaths", settings->exec_paths, VIEW_EXECUTABLE, add_path },
                { "InaccessiblePaths", settings->inaccessible_paths, VIEW_INACCESSIBLE, add_path },
                { "TemporaryFileSystem", settings->temporary_file_system, VIEW_TMPFS, add_tmpfs },
                { "BindPaths", settings->bind_paths, VIEW_BIND, add_bind },
                { "BindReadOnlyPaths", settings->bind_read_only_paths, VIEW_BIND_READ_ONLY, add_bind },
        };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (char *const *line = lists[i].lines; line && *line; line++) {
                        _cleanup_(strv_freep) char **words = NULL;

                        int r = strv_split_quoted(*line, &words);
                        if (r < 0)
                                return reason_set(reason, r, "%s=%s: a quote has no end", lists[i].name,
                                                  *line);
                        for (char **word = words; word && *word; word++) {
                                r = view_add_word(view, unit, *word, lists[i].type, lists[i].add,
                                                  lists[i].name, reason);
                                if (r < 0)
                                        return r;
                        }
                }
        return 0;
}

int exec_view_make(const ExecContext *context, const UnitSettings *settings,
                   const ExecDirectories *directories, uid_t uid, ExecView *ret, Reason *reason) {
        _cleanup_(exec_view_done) ExecView view = {};

        int r = view_add_protection(&view, settings);
        if (r >= 0)
                r = view_add_proc(&view, settings);
        if (r >= 0)
                r = view_add_private_tmp(&view, context, settings, reason);
        for (size_t i = 0; r >= 0 && i < directories->n_items; i++)
                r = view_add_directory(&view, settings, &directories->items[i], uid);
        if (r >= 0)
                r = view_add_lists(&view, context->unit, settings, reason);
        if (r < 0)
                return r;
        view.own = view.n_entries > 0 || settings->private_mounts == TRUTH_YES ||
                   settings->mount_flags == MOUNT_FLAGS_SLAVE || settings->mount_flags == MOUNT_FLAGS_PRIVATE;
        view.propagation = settings->mount_flags == MOUNT_FLAGS_PRIVATE ? VIEW_PRIVATE : VIEW_SLAVE;
        *ret = view;
        view = (ExecView){};
        return 0;
}
