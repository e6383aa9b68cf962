/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Verbs that run what is there, and build it first where it is not. */

#include <unistd.h>

#include "base/log.h"
#include "base/strv.h"
#include "run/container.h"
#include "run/nspawn.h"
#include "run/virtual-machine.h"
#include "verb.h"

/* The image is to be there before anything is run. */
static int build_if_needed(LoadedConfig *loaded, mode_t caller_umask) {
        const char *output = loaded->config.output;
        const bool missing = access(output, F_OK) < 0 && errno == ENOENT;

        if (missing && geteuid() != 0)
                return log_error(-ENOENT, "%s is not there: \"sudo mkosi\", with the same options, builds it",
                                 output);
        return missing || loaded->config.force > 0 ? verb_build(loaded, caller_umask) : 0;
}

static int run_container(LoadedConfig *loaded, mode_t caller_umask, bool boot) {
        _cleanup_(image_root_freep) ImageRoot *root = NULL;
        _cleanup_(strv_freep) char **problems = NULL;
        const char *const *words = STRV(loaded->arguments.rest);

        int r = image_root_check(loaded, &problems);
        if (r < 0)
                return log_error(r, "Cannot check what this host can do: %m");
        for (char **problem = problems; problem && *problem; problem++)
                (void)log_error(-ENOTSUP, "%s", *problem);
        r = problems ? -ENOTSUP : build_if_needed(loaded, caller_umask);
        if (r < 0)
                return r;
        if (loaded->config.nspawn)
                return nspawn_run(&loaded->config, boot, words);
        r = image_root_new(loaded, &root);
        if (r < 0)
                return r;
        return boot ? container_boot(loaded, root, words) : container_run_command(loaded, root, words);
}

int verb_shell(LoadedConfig *loaded, mode_t caller_umask) {
        return run_container(loaded, caller_umask, false);
}

int verb_boot(LoadedConfig *loaded, mode_t caller_umask) {
        return run_container(loaded, caller_umask, true);
}

int verb_qemu(LoadedConfig *loaded, mode_t caller_umask) {
        _cleanup_(virtual_machine_freep) VirtualMachine *machine = NULL;

        int r = virtual_machine_new(loaded, &machine);
        if (r >= 0)
                r = build_if_needed(loaded, caller_umask);
        if (r < 0)
                return r;
        return virtual_machine_start(machine, STRV(loaded->arguments.rest), caller_umask);
}
