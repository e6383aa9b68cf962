/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "client/bus-client.h"
#include "client/ctl-table.h"
#include "client/ctl.h"
#include "unit/runtime-paths.h"
#include "unit/unit-enable.h"
#include "unit/unit-file-state.h"
#include "unit/unit-files.h"
#include "unit/unit-name.h"

/* What is done to unit files, without the manager. */

#define UNIT_FILE_SIZE_MAX (1024 * 1024)
#define NULL_DEVICE        "/dev/null"

static int load(const CtlOptions *options, const UnitPaths *paths, const char *word, Unit **ret) {
        _cleanup_(freep) char *name = NULL;

        int r = unit_name_complete(word, &name);
        if (r == -EINVAL)
                return log_error(r, "\"%s\" is no name of a unit", word);
        if (r >= 0)
                r = unit_load(paths, name, ret);
        if (r < 0)
                return log_error(r, "Cannot load %s: %m", word);
        if ((*ret)->state != UNIT_NOT_FOUND)
                return 0;
        unit_free(TAKE_PTR(*ret));
        return log_error(-ENOENT, "No file of %s was found", name);
}

/* The manager's own directories come first, as for itself: what set-property wrote, and transient units. */
static int make_paths(const CtlOptions *options, UnitPaths *ret) {
        const char *const runtime = options->runtime ?: RUNTIME_DIRECTORY;
        _cleanup_(strv_freep) char **own = NULL;

        int r = strv_append(&own, CONFIG_DIRECTORY "/system.control");
        if (r >= 0)
                r = strv_append_format(&own, "%s/system.control", runtime);
        if (r >= 0)
                r = strv_append_format(&own, "%s/transient", runtime);
        if (r >= 0)
                r = strv_extend(&own, STRV(options->unit_paths));
        return r < 0 ? r : unit_paths_new(options->root ?: "/", STRV(own), ret);
}

static bool is_elsewhere(const CtlOptions *options) {
        return options->root && !text_equal(options->root, "/");
}

/* cat */

static int print_file(const char *path) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, path, UNIT_FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return log_error(r, "Cannot read %s: %s", path, file_read_error(r));
        (void)printf("# %s\n", path);
        (void)fwrite(text, 1, size, stdout);
        if (size == 0 || text[size - 1] != '\n')
                (void)putchar('\n');
        return 0;
}

static int print_files(const Unit *unit) {
        int r = unit->fragment ? print_file(unit->fragment) : 0;

        for (char *const *path = unit->drop_ins; r >= 0 && path && *path; path++) {
                (void)putchar('\n');
                r = print_file(*path);
        }
        return r;
}

int ctl_cat(const CtlOptions *options, sd_bus *bus, char *const *words) {
        _cleanup_(unit_paths_done) UnitPaths paths = {};

        int r = make_paths(options, &paths);
        for (char *const *word = words; r >= 0 && *word; word++) {
                _cleanup_(unit_freep) Unit *unit = NULL;

                if (word != words)
                        (void)putchar('\n');
                r = load(options, &paths, *word, &unit);
                if (r >= 0)
                        r = print_files(unit);
        }
        return r;
}

/* enable, disable, mask, unmask */

static int link_directory(const CtlOptions *options, char **ret) {
        if (options->unit_paths)
                return text_copy(options->unit_paths[0], ret);
        return text_format(ret, "%s/%s/systemd/system", is_elsewhere(options) ? options->root : "",
                           options->runtime_only ? "run" : "etc");
}

/* What is changed, and where. */
typedef struct Enable {
        const CtlOptions *options;
        UnitPaths paths;
        char *directory;
        bool disable; /* links are removed */
        char **units; /* names that were done, those of Also= as well */
} Enable;

static void enable_done(Enable *enable) {
        unit_paths_done(&enable->paths);
        free(enable->directory);
        strv_free(enable->units);
}

static int change_links(const Enable *enable, const UnitLinks *links) {
        _cleanup_(reason_done) Reason reason = {};

        for (size_t i = 0; i < links->n_items; i++) {
                const UnitLink *link = &links->items[i];

                const int r = enable->disable ? unit_link_remove(link, &reason)
                                              : unit_link_make(link, enable->options->force, &reason);
                if (r < 0)
                        return log_error(r, "%s", reason_text(&reason, r));
                if (r > 0 && !enable->options->quiet && enable->disable)
                        (void)fprintf(stderr, "Removed %s.\n", link->path);
                else if (r > 0 && !enable->options->quiet)
                        (void)fprintf(stderr, "Created symlink %s → %s.\n", link->path, link->target);
        }
        return 0;
}

/* What is gone with the next boot, or was made by a program, is nothing that links should lead to. */
static int check_enable(const Enable *enable, const Unit *unit) {
        const char *const state = unit_file_state(&enable->paths, unit->name, unit);

        if (enable->disable)
                return 0;
        if (unit->state == UNIT_MASKED)
                return log_error(-EPERM, "%s is masked: unmask it first", unit->name);
        if (text_equal(state, "transient") || text_equal(state, "generated"))
                return log_error(-EPERM, "%s is %s, and cannot be enabled: write a file for it", unit->name,
                                 state);
        return 0;
}

static int enable_unit(Enable *enable, const char *word) {
        _cleanup_(unit_links_done) UnitLinks links = {};
        _cleanup_(unit_freep) Unit *unit = NULL;
        _cleanup_(reason_done) Reason reason = {};

        int r = load(enable->options, &enable->paths, word, &unit);
        if (r < 0)
                return r;
        if (strv_contains(STRV(enable->units), unit->name))
                return 0;
        r = check_enable(enable, unit);
        if (r < 0)
                return r;
        r = unit_links_plan(unit, enable->directory, &links, &reason);
        if (r < 0)
                return log_error(r, "Cannot %s %s: %s", enable->disable ? "disable" : "enable", unit->name,
                                 reason_text(&reason, r));
        if (links.n_items == 0 && !unit->settings.also && !enable->options->quiet && !enable->options->now)
                log_info("%s asks for nothing in [Install]: nothing starts it by itself", unit->name);
        r = change_links(enable, &links);
        if (r >= 0)
                r = strv_append(&enable->units, unit->name);
        for (char *const *also = unit->settings.also; r >= 0 && also && *also; also++)
                r = enable_unit(enable, *also);
        return r;
}

static int mask_unit(Enable *enable, const char *word) {
        _cleanup_(freep) char *name = NULL, *path = NULL;
        _cleanup_(reason_done) Reason reason = {};
        const CtlOptions *const options = enable->options;

        int r = unit_name_complete(word, &name);
        if (r == -EINVAL)
                return log_error(r, "\"%s\" is no name of a unit", word);
        if (r >= 0)
                r = path_join(enable->directory, name, &path);
        if (r < 0)
                return r;
        const UnitLink link = { .path = path, .target = (char *)NULL_DEVICE };
        if (!unit_file_directory(&enable->paths, name) && !options->quiet)
                log_info("%s has no file: it is masked for when it has one", name);
        r = unit_link_make(&link, options->force, &reason);
        if (r < 0)
                return log_error(r, "Cannot mask %s: %s", name, reason_text(&reason, r));
        if (r > 0 && !options->quiet)
                (void)fprintf(stderr, "Created symlink %s → %s.\n", path, link.target);
        return strv_append(&enable->units, name);
}

/* 1 when it is a link to nothing, 0 when it is something else or not there. */
static int is_mask(const char *path) {
        char target[sizeof(NULL_DEVICE) + 1];

        const ssize_t n = readlink(path, target, sizeof(target));
        return n == (ssize_t)strlen(NULL_DEVICE) && memcmp(target, NULL_DEVICE, (size_t)n) == 0;
}

static int unmask_unit(Enable *enable, const char *word) {
        _cleanup_(freep) char *name = NULL, *path = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(unit_freep) Unit *unit = NULL;

        int r = unit_name_complete(word, &name);
        if (r == -EINVAL)
                return log_error(r, "\"%s\" is no name of a unit", word);
        if (r >= 0)
                r = path_join(enable->directory, name, &path);
        if (r < 0)
                return r;
        if (is_mask(path)) {
                const UnitLink link = { .path = path, .target = (char *)NULL_DEVICE };

                r = unit_link_remove(&link, &reason);
                if (r < 0)
                        return log_error(r, "Cannot unmask %s: %s", name, reason_text(&reason, r));
                if (!enable->options->quiet)
                        (void)fprintf(stderr, "Removed %s.\n", path);
        }
        r = unit_load(&enable->paths, name, &unit);
        if (r >= 0 && unit->state == UNIT_MASKED)
                return log_error(-EEXIST, "%s is masked in %s still: %s", name,
                                 unit_file_directory(&enable->paths, name) ?: "another place",
                                 enable->options->runtime_only
                                         ? "unmask it without --runtime as well"
                                         : "unmask it with --runtime, or remove that file");
        return r;
}

/* The manager is told that files have changed; without one there is nobody to tell. */
static int tell_manager(const Enable *enable, CtlJob job, const char *verb, char *const *words) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const CtlOptions *options = enable->options;

        if (is_elsewhere(options))
                return 0;
        const int r = bus_client_connect(options->runtime, &bus);
        if (r < 0)
                return options->now
                               ? log_error(r, "No manager runs that could %s it: start mkosi-manager", verb)
                               : 0;
        if (bus_client_call(bus, "Reload", NULL, "") < 0)
                return -EIO;
        return options->now ? ctl_run_jobs(options, bus, job, words) : 0;
}

typedef int (*Change)(Enable *enable, const char *word);

static int change(const CtlOptions *options, char *const *words, Change one, bool starts) {
        _cleanup_(enable_done) Enable enable = { .options = options, .disable = !starts };

        if (options->now && is_elsewhere(options))
                return log_error(
                        -EINVAL,
                        "--now: what is below %s is not run by the manager: leave out --now, or --root",
                        options->root);
        int r = make_paths(options, &enable.paths);
        if (r >= 0)
                r = link_directory(options, &enable.directory);
        for (char *const *word = words; r >= 0 && *word; word++)
                r = one(&enable, *word);
        return r < 0 ? r
                     : tell_manager(&enable, starts ? CTL_START : CTL_STOP, starts ? "start" : "stop", words);
}

int ctl_enable(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return change(options, words, enable_unit, true);
}

int ctl_disable(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return change(options, words, enable_unit, false);
}

int ctl_mask(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return change(options, words, mask_unit, false);
}

int ctl_unmask(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return change(options, words, unmask_unit, false);
}

/* is-enabled */

static int print_enabled(const CtlOptions *options, const UnitPaths *paths, const char *word) {
        _cleanup_(unit_freep) Unit *unit = NULL;
        _cleanup_(freep) char *name = NULL;

        int r = load(options, paths, word, &unit);
        if (r >= 0)
                r = unit_name_complete(word, &name);
        if (r < 0)
                return r;
        const char *const state = unit_file_state(paths, name, unit);
        if (!options->quiet)
                (void)puts(state);
        return unit_file_state_is_good(state) ? 0 : 1;
}

int ctl_is_enabled(const CtlOptions *options, sd_bus *bus, char *const *words) {
        _cleanup_(unit_paths_done) UnitPaths paths = {};
        int worst = 0;

        int r = make_paths(options, &paths);
        for (char *const *word = words; r >= 0 && *word; word++) {
                r = print_enabled(options, &paths, *word);
                worst = MAX(worst, r);
        }
        return r < 0 ? r : worst;
}

/* list-unit-files */

static bool is_shown(const CtlOptions *options, const UnitFileRow *row) {
        const char *const type = strrchr(row->name, '.') + 1;

        return (!options->types || strv_contains(STRV(options->types), type)) &&
               (!options->states || strv_contains(STRV(options->states), row->state));
}

int ctl_list_unit_files(const CtlOptions *options, sd_bus *bus, char *const *words) {
        static const CtlColumn columns[] = {
                { "UNIT FILE", "unit_file", false },
                { "STATE", "state", false },
        };
        _cleanup_(ctl_table_done) CtlTable table = { .columns = columns, .n_columns = ELEMENTSOF(columns) };
        _cleanup_(unit_file_list_done) UnitFileList list = {};
        _cleanup_(unit_paths_done) UnitPaths paths = {};

        int r = make_paths(options, &paths);
        if (r >= 0)
                r = unit_file_list(&paths, STRV(words), &list);
        for (size_t i = 0; r >= 0 && i < list.n_items; i++)
                if (is_shown(options, &list.items[i]))
                        r = ctl_table_add(&table,
                                          (const char *[]){ list.items[i].name, list.items[i].state });
        if (r >= 0)
                ctl_print_table(options, &table, "unit files", NULL);
        return r;
}
