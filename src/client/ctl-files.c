/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/text.h"
#include "client/bus-client.h"
#include "client/ctl.h"
#include "unit/unit-enable.h"
#include "unit/unit-file-state.h"
#include "unit/unit-files.h"
#include "unit/unit-name.h"
#include "unit/unit-paths.h"

/* What is done to unit files, without the manager. */

#define UNIT_FILE_SIZE_MAX (1024 * 1024)

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

static int make_paths(const CtlOptions *options, UnitPaths *ret) {
        return unit_paths_new(options->root ?: "/", STRV(options->unit_paths), ret);
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

/* enable, disable */

static int link_directory(const CtlOptions *options, char **ret) {
        if (options->unit_paths)
                return text_copy(options->unit_paths[0], ret);
        return text_format(ret, "%s/%s/systemd/system",
                           options->root && !text_equal(options->root, "/") ? options->root : "",
                           options->runtime_only ? "run" : "etc");
}

typedef struct Enable {
        const CtlOptions *options;
        UnitPaths paths;
        char *directory;
        bool disable;
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

static int enable_unit(Enable *enable, const char *word) {
        _cleanup_(unit_links_done) UnitLinks links = {};
        _cleanup_(unit_freep) Unit *unit = NULL;
        _cleanup_(reason_done) Reason reason = {};

        int r = load(enable->options, &enable->paths, word, &unit);
        if (r < 0)
                return r;
        if (strv_contains(STRV(enable->units), unit->name))
                return 0;
        if (unit->state == UNIT_MASKED && !enable->disable)
                return log_error(-EPERM, "%s is masked", unit->name);
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

/* The manager is told that files have changed; without one there is nobody to tell. */
static int tell_manager(const Enable *enable, char *const *words) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const CtlOptions *options = enable->options;

        if (options->root && !text_equal(options->root, "/"))
                return 0;
        const int r = bus_client_connect(options->runtime, &bus);
        if (r < 0)
                return options->now ? log_error(r, "No manager runs that could %s it: start mkosi-manager",
                                                enable->disable ? "stop" : "start")
                                    : 0;
        if (bus_client_call(bus, "Reload", NULL, "") < 0)
                return -EIO;
        return options->now ? ctl_run_jobs(options, bus, enable->disable ? CTL_STOP : CTL_START, words) : 0;
}

static int change(const CtlOptions *options, char *const *words, bool disable) {
        _cleanup_(enable_done) Enable enable = { .options = options, .disable = disable };

        int r = make_paths(options, &enable.paths);
        if (r >= 0)
                r = link_directory(options, &enable.directory);
        for (char *const *word = words; r >= 0 && *word; word++)
                r = enable_unit(&enable, *word);
        return r < 0 ? r : tell_manager(&enable, words);
}

int ctl_enable(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return change(options, words, false);
}

int ctl_disable(const CtlOptions *options, sd_bus *bus, char *const *words) {
        return change(options, words, true);
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
