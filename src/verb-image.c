/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Verbs that make images, look at them and at what they are made of. */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/progress.h"
#include "base/strv.h"
#include "image/attach.h"
#include "image/clean.h"
#include "image/generate-key.h"
#include "image/image.h"
#include "image/plan.h"
#include "image/verify-image.h"
#include "verb.h"

/* The descriptor that --json-progress names, -EBADF if it was not given. */
static int open_json_progress(const Config *config, int *ret_fd) {
        uint64_t fd;

        *ret_fd = -EBADF;
        if (!config->json_progress)
                return 0;
        if (parse_uint64(config->json_progress, &fd) < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0)
                return log_error(
                        -EBADF,
                        "--json-progress=%s is no open file descriptor: in a shell, 3>FILE opens number 3",
                        config->json_progress);
        interrupt_ignore_pipe();
        *ret_fd = (int)fd;
        return 0;
}

static int start_progress(const Config *config, Progress **ret) {
        ProgressOptions options = { .quiet = config->quiet };

        int r = open_json_progress(config, &options.json_fd);
        if (r < 0)
                return r;
        r = progress_new(&options, ret);
        return r < 0 ? log_error(r, "Cannot show progress: %m") : 0;
}

int verb_build(LoadedConfig *loaded, mode_t caller_umask) {
        _cleanup_(progress_freep) Progress *progress = NULL;
        _cleanup_(kept_output_done) KeptOutput kept = {};
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(image_freep) Image *image = NULL;
        const Config *config = &loaded->config;

        int r = start_progress(config, &progress);
        if (r < 0)
                return r;
        r = kept_output_look(loaded, distro_find(config->distribution), caller_umask, &kept, &reason);
        if (r < 0)
                return r == -EINTR ? r
                                   : log_error(r, "Cannot look whether %s is up to date: %s", config->output,
                                               reason_text(&reason, r));
        if (kept.usable) {
                log_info("%s is up to date: nothing that it is made of has changed", config->output);
                return 0;
        }
        r = image_new(loaded, caller_umask, &kept, progress, &image);
        return r < 0 ? r : image_build(image);
}

int verb_summary(LoadedConfig *loaded, mode_t caller_umask) {
        return verb_finish_output(describe_summary(loaded->store, false, stdout));
}

int verb_json(LoadedConfig *loaded, mode_t caller_umask) {
        JsonWriter writer = { .file = stdout };

        json_begin_object(&writer, NULL);
        const int r = describe_json(loaded->store, &writer);
        json_end_object(&writer);
        return verb_finish_output(r);
}

int verb_plan(LoadedConfig *loaded, mode_t caller_umask) {
        _cleanup_(kept_output_done) KeptOutput output = {};
        _cleanup_(reason_done) Reason reason = {};
        const Config *config = &loaded->config;
        const Distro *distro = distro_find(config->distribution);
        KeptTree kept[KEPT_MAX] = {};

        int r = kept_output_look(loaded, distro, caller_umask, &output, &reason);
        if (r >= 0)
                r = kept_tree_look(loaded, distro, KEPT_BASE, NULL, &kept[KEPT_BASE]);
        if (r >= 0)
                r = kept_tree_look(loaded, distro, KEPT_DEVELOPMENT, &kept[KEPT_BASE],
                                   &kept[KEPT_DEVELOPMENT]);
        if (r < 0 && r != -EINTR)
                (void)log_error(r, "Cannot look for what is kept: %s", reason_text(&reason, r));
        else if (r >= 0)
                r = verb_finish_output(plan_print(loaded, &output, kept, stdout));
        for (KeptKind kind = 0; kind < KEPT_MAX; kind++)
                kept_tree_done(&kept[kind]);
        return r;
}

int verb_clean(LoadedConfig *loaded, mode_t caller_umask) {
        return clean_output(&loaded->config);
}

int verb_genkey(LoadedConfig *loaded, mode_t caller_umask) {
        return generate_keys(&loaded->config, STRV(loaded->arguments.rest));
}

int verb_verify(LoadedConfig *loaded, mode_t caller_umask) {
        _cleanup_(progress_freep) Progress *progress = NULL;
        char **words = loaded->arguments.rest;

        if (strv_length(STRV(words)) != 1) {
                (void)log_error(-EINVAL, "The verb verify takes the name of an image");
                return EXIT_USAGE;
        }
        int r = start_progress(&loaded->config, &progress);
        if (r < 0)
                return r;
        r = verify_image(loaded, words[0], loaded->config.json, progress, stdout);
        return r < 0 ? r : verb_finish_output(r);
}

int verb_attach(LoadedConfig *loaded, mode_t caller_umask) {
        _cleanup_(progress_freep) Progress *progress = NULL;
        const char *const *words = STRV(loaded->arguments.rest);

        if (strv_length(words) < 1) {
                (void)log_error(-EINVAL, "The verb attach takes the name of an image, and signatures");
                return EXIT_USAGE;
        }
        int r = start_progress(&loaded->config, &progress);
        if (r < 0)
                return r;
        return attach_signatures(&loaded->config, words[0], words + 1, progress);
}
