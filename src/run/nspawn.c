/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/strv.h"
#include "config/config-search-path.h"
#include "run/image-lock.h"
#include "run/nspawn.h"

#define PROGRAM "systemd-nspawn"
#define PACKAGE "systemd-container"
/* At SIGTERM it asks the system inside to shut down, which takes its time. */
#define STOP_MS 100000
/* sd_booted(3): there as long as systemd runs the host. */
#define MANAGER_DIRECTORY "/run/systemd/system"

int nspawn_command(const Config *config, bool managed, bool boot, const char *const *words, char ***ret) {
        _cleanup_(strv_freep) char **command = NULL;

        int r = strv_append(&command, PROGRAM);
        if (r >= 0)
                r = strv_append_format(&command, "--%s=%s",
                                       output_format_is_file(config->format) ? "image" : "directory",
                                       config->output);
        if (r >= 0 && boot)
                r = strv_append(&command, "--boot");
        if (r >= 0 && !config->persistent)
                r = strv_append(&command, config->read_only ? "--read-only" : "--ephemeral");
        if (r >= 0 && !config->with_network)
                r = strv_append(&command, "--private-network");
        /* It ends where it finds no systemd to ask for a unit, or systemd-machined for a name. */
        if (r >= 0 && !managed)
                r = strv_append(&command, "--register=no");
        if (r >= 0 && !managed)
                r = strv_append(&command, "--keep-unit");
        if (r >= 0 && config->nspawn_settings)
                r = strv_append(&command, "--settings=trusted");
        if (r >= 0 && strv_length(words) > 0)
                r = strv_append(&command, "--");
        if (r >= 0)
                r = strv_extend(&command, words);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(command);
        return 0;
}

int nspawn_run(const Config *config, bool boot, const char *const *words) {
        _cleanup_(strv_freep) char **command = NULL;
        _cleanup_(fd_closep) int lock_fd = -EBADF;
        _cleanup_(freep) char *search_path = NULL;

        int r = image_lock(config, &lock_fd);
        if (r < 0)
                return r;
        r = nspawn_command(config, access(MANAGER_DIRECTORY, F_OK) == 0, boot, words, &command);
        if (r >= 0)
                r = config_search_path(config, &search_path);
        if (r < 0)
                return r;
        r = process_run(&(ProcessOptions){ .argv = STRV(command),
                                           .search_path = search_path,
                                           .stdin_fd = STDIN_FILENO,
                                           .stdout_fd = STDOUT_FILENO,
                                           .grace_ms = STOP_MS });
        if (r == -EINTR)
                return log_error(-ECANCELED, "Interrupted, systemd-nspawn was ended");
        return r < 0 ? log_error(r, "Cannot run " PROGRAM ": %m; it is in the package " PACKAGE) : r;
}
