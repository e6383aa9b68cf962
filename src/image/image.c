/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "config/foreign.h"
#include "distro/distro-run.h"
#include "image/compression-choice.h"
#include "image/gnupg.h"
#include "image/image.h"
#include "image/output.h"
#include "image/passphrase.h"
#include "image/plan.h"
#include "image/report.h"
#include "image/root-tree.h"
#include "image/script-check.h"
#include "image/secret-files.h"
#include "image/sources.h"

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

static int check_qemu(const Config *config, char ***problems) {
        _cleanup_(freep) char *search_path = NULL, *program = NULL;

        if (!output_is_qcow2(config))
                return 0;
        int r = distro_search_path(config, &search_path);
        if (r >= 0)
                r = path_find_program("qemu-img", search_path, &program);
        if (r == -ENOENT)
                return strv_append(problems,
                                   "QCow2=yes needs the program qemu-img: install the package qemu-utils");
        return r;
}

static int check_subvolumes(const Config *config, char ***problems) {
        if (config->format != OUTPUT_FORMAT_SUBVOLUME)
                return 0;
        const int r = root_tree_subvolumes_possible(config);
        if (r > 0 || r == -ENOMEM)
                return MIN(r, 0);
        if (r < 0)
                return strv_append_format(problems, "Cannot look at the directory for the output, %s: %s",
                                          config->output_directory, strerror(-r));
        return strv_append_format(
                problems,
                "Format=subvolume needs a btrfs file system, and %s is on another one: name a "
                "directory on btrfs by OutputDirectory=, or take Format=directory",
                config->output_directory);
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

        r = check_subvolumes(image->config, &problems);
        if (r >= 0 && geteuid() == 0)
                r = foreign_check(image->config->architecture, &problems);
        if (r >= 0)
                r = compression_choice_check(image->config, image->format, &problems);
        if (r >= 0)
                r = check_qemu(image->config, &problems);
        if (r >= 0)
                r = gnupg_check(image->config, &problems);
        if (r >= 0)
                r = scripts_check(image->loaded, &problems);
        if (r >= 0)
                r = sources_check(image->config, &problems);
        if (r >= 0)
                r = secret_files_check_trees(image->config, &problems);
        if (r >= 0)
                r = passphrase_check(image->config, &problems);
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX && r >= 0; role++)
                r = signer_check(image->config, role, &problems);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot check what this host can do: %m");

        r = output_check(image->config, &problems);
        if (r < 0)
                return log_error(r, "Cannot look for %s: %m", image->config->output);

        for (char **problem = problems; problem && *problem; problem++)
                (void)log_error(-ENOTSUP, "%s", *problem);
        return problems ? -ENOTSUP : 0;
}

int image_new(const LoadedConfig *loaded, mode_t caller_umask, const KeptOutput *kept_output,
              Progress *progress, Image **ret) {
        const Config *config = &loaded->config;
        _cleanup_(image_freep) Image *image = calloc(1, sizeof(*image));
        int r;

        if (!image)
                return -ENOMEM;

        *image = (Image){
                .cache = { .lock_fd = -EBADF },
                .loaded = loaded,
                .config = config,
                .distro = distro_find(config->distribution),
                .format = image_format_find(output_format_words[config->format]),
                .umask = caller_umask,
                .kept_output = kept_output,
                .progress = progress,
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
        /* Whoever has to be asked is asked before the work begins. */
        if (partition_rows_encrypted(config)) {
                r = passphrase_get(config, &image->passphrase);
                if (r < 0)
                        return r;
        }
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++) {
                r = signer_wanted(config, role) ? signer_new(config, role, &image->signers[role]) : 0;
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(image);
        return 0;
}

void image_free(Image *image) {
        if (!image)
                return;
        secret_free(image->passphrase);
        layer_free(image->development);
        layer_free(image->final);
        workspace_free(image->workspace);
        for (KeptKind kind = 0; kind < KEPT_MAX; kind++)
                kept_tree_done(&image->kept[kind]);
        package_cache_unlock(&image->cache);
        free(image->root_path);
        free(image->image_root_path);
        free(image->sources_path);
        free(image->destination_path);
        free(image->boot_path);
        free(image->raw_path);
        free(image->packed_path);
        partition_layout_free(image->disk.layout);
        artefacts_done(&image->artefacts);
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                signer_free(image->signers[role]);
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

int image_load_tree(const char *path, const char *what, Tree **ret) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = tree_load(AT_FDCWD, path, ret, &reason);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot read the tree of %s: %s", what, reason_text(&reason, r));
        return r;
}

int64_t image_time(Image *image) {
        /* Rounded up: what was written in this second keeps its time as well. */
        if (!image->time_given && image->time == 0)
                image->time = (int64_t)time(NULL) + 1;
        return image->time;
}

static int run_step(Image *image, const Step *step) {
        int r;

        r = interrupt_check();
        if (r < 0)
                return r;
        r = progress_begin(image->progress, step->name, step->doing);
        if (r < 0)
                return r;
        r = step->run(image);
        progress_end(image->progress, r >= 0);
        return r;
}

/* While the workspace is there still, and with it the lock. */
static void keep_output(const Image *image) {
        if (!image->kept_output || !image->kept_output->wanted)
                return;
        const int r = kept_output_store(image->config, image->kept_output, image->workspace->path);
        if (r < 0)
                log_warning("Cannot keep what %s was made of, the next build makes it anew: %s",
                            image->config->output, strerror(-r));
}

int image_build(Image *image) {
        int r;

        for (size_t i = 0; i < plan_n_steps; i++) {
                if (!plan_step_wanted(&plan_steps[i], image->config, image->kept))
                        continue;
                r = run_step(image, &plan_steps[i]);
                if (r < 0)
                        return r;
        }

        layer_free(TAKE_PTR(image->final));
        keep_output(image);
        /* An old output that was replaced lies in the workspace now. */
        r = workspace_remove(image->workspace);
        if (r < 0)
                return log_error(r, "Cannot remove the workspace %s: %m", image->workspace->path);
        report_print(&image->artefacts, image->progress);
        return 0;
}
