/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "image/image.h"
#include "image/output.h"
#include "image/plan.h"

/* https://reproducible-builds.org/specs/source-date-epoch/ */
static int read_time(Image *image) {
        const char *text = getenv("SOURCE_DATE_EPOCH");
        uint64_t seconds;

        if (!text)
                return 0;
        if (parse_uint64(text, &seconds) < 0 || seconds > INT32_MAX * UINT64_C(4))
                return log_error(-EINVAL, "SOURCE_DATE_EPOCH=\"%s\" is not a number of seconds since 1970",
                                 text);
        image->time = (int64_t)seconds;
        image->time_given = true;
        return 0;
}

/* Collects everything that stands against this build on this host. */
static int check_host(const Image *image) {
        _cleanup_(strv_freep) char **problems = NULL;
        int r;

        if (geteuid() != 0) {
                r = strv_append(&problems, "Installing packages needs root privileges: run it with sudo");
                if (r < 0)
                        return r;
        }
        r = image->distro->manager->check(image->config, image->distro, &problems);
        if (r < 0)
                return log_error(r, "Cannot check what this host can do: %m");

        r = output_check(image->config, &problems);
        if (r < 0)
                return log_error(r, "Cannot look for %s: %m", image->config->output);

        for (char **problem = problems; problem && *problem; problem++)
                (void)log_error(-ENOTSUP, "%s", *problem);
        return problems ? -ENOTSUP : 0;
}

int image_new(const Config *config, mode_t caller_umask, Image **ret) {
        _cleanup_(image_freep) Image *image = calloc(1, sizeof(*image));
        int r;

        if (!image)
                return -ENOMEM;

        *image = (Image){
                .config = config,
                .distro = distro_find(config->distribution),
                .format = image_format_find(output_format_words[config->format]),
                .umask = caller_umask,
        };
        assert(image->distro && image->format); /* config_check_planned() refuses what is not there */

        r = uuid_parse(config->seed, &image->seed);
        if (r < 0)
                return log_error(r, "Seed=%s is not a UUID", config->seed);
        r = read_time(image);
        if (r < 0)
                return r;
        r = check_host(image);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(image);
        return 0;
}

void image_free(Image *image) {
        if (!image)
                return;
        progress_end(image->progress, false);
        workspace_free(image->workspace);
        free(image->root_path);
        free(image->boot_path);
        free(image->disk_path);
        free(image);
}

Installation image_installation(const Image *image) {
        return (Installation){
                .config = image->config,
                .distro = image->distro,
                .root = image->root_path,
                .workspace = image->workspace->path,
                .cache = image->config->cache,
                .progress = image->progress,
        };
}

static int run_step(Image *image, const Step *step) {
        int r;

        r = interrupt_check();
        if (r < 0)
                return r;
        r = progress_begin(step->doing, &image->progress);
        if (r < 0)
                return r;
        r = step->run(image);
        progress_end(TAKE_PTR(image->progress), r >= 0);
        return r;
}

int image_build(Image *image) {
        int r;

        if (image->config->force >= 3) {
                r = output_clean_package_cache(image->config);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < plan_n_steps; i++) {
                if (plan_steps[i].wanted && !plan_steps[i].wanted(image->config))
                        continue;
                r = run_step(image, &plan_steps[i]);
                if (r < 0)
                        return r;
        }

        /* An old output that was replaced lies in the workspace now. */
        r = workspace_remove(image->workspace);
        if (r < 0)
                return log_error(r, "Cannot remove the workspace %s: %m", image->workspace->path);
        return 0;
}
