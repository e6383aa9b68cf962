/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "config/config-resolve.h"
#include "verb.h"

/* Mistakes are printed as they are: "mkosi.default:12: …" is what editors jump to. */
static void print_mistakes(SettingMistakes *mistakes) {
        for (char **text = mistakes->warnings; text && *text; text++)
                log_warning("%s", *text);
        for (char **text = mistakes->texts; text && *text; text++)
                (void)fprintf(stderr, "%s\n", *text);
        setting_mistakes_done(mistakes);
}

static int run_verb(LoadedConfig *loaded, const Verb *verb, mode_t caller_umask) {
        int r = 0;

        if (verb->needs_config)
                r = config_resolve(loaded);
        if (r >= 0 && verb->needs_config) {
                r = config_check_planned(loaded);
                if (!verb->needs_support)
                        r = 0;
        }
        print_mistakes(&loaded->mistakes);
        if (r < 0)
                return r;
        r = verb->run(loaded, caller_umask);
        if (interrupt_signal() != 0 && r < 0 && r != -ECANCELED)
                (void)log_error(-ECANCELED, "Interrupted, %s",
                                verb->interrupted ? verb->interrupted : "nothing was changed");
        return r;
}

/* The exit status, or a negative errno for failure. */
static int run(int argc, char *argv[], mode_t caller_umask) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = NULL;
        const Verb *verb;
        int r;

        r = config_load(verb_words, n_verbs, argc, argv, &loaded);
        if (!loaded)
                return log_error(r, "Cannot load the settings: %m");
        if (r == -EBADMSG) {
                print_mistakes(&loaded->mistakes);
                (void)fprintf(stderr, "Try \"mkosi --help\"\n");
                return EXIT_USAGE;
        }

        if (loaded->config.debug)
                log_set_level(LOG_LEVEL_DEBUG);
        else if (loaded->config.quiet)
                log_set_level(LOG_LEVEL_WARNING);
        if (loaded->config.help)
                return verb_help(loaded, caller_umask);
        if (loaded->config.version)
                return verb_version();

        verb = loaded->arguments.verb ? &verbs[loaded->arguments.verb - verb_words] : &verbs[0];
        if (r < 0 && (verb->needs_config || verb->needs_files)) {
                print_mistakes(&loaded->mistakes);
                return r;
        }
        return run_verb(loaded, verb, caller_umask);
}

int main(int argc, char *argv[]) {
        const mode_t caller_umask = umask(0022);
        int r;

        r = fd_fill_standard();
        if (r >= 0)
                r = interrupt_catch();
        if (r < 0) {
                (void)log_error(r, "Cannot prepare standard descriptors and signals: %m");
                return EXIT_FAILURE;
        }

        r = run(argc, argv, caller_umask);
        const int signal_number = interrupt_signal();
        if (signal_number != 0 && r < 0) {
                /* All is cleaned up: end as the signal would have ended us, so that shells and make stop as well. */
                interrupt_reset();
                (void)raise(signal_number);
        }
        return r < 0 ? EXIT_FAILURE : r;
}
