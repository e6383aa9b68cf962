/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Scripts, and the development tree in which sources are built: a layer above the image's tree that is thrown away when the
 * build script is done. Between its first step and its last, root_path is that of the layer. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/copy-tree.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/plan.h"
#include "image/script.h"
#include "image/sources.h"

/* Above the base tree, and what is kept of an earlier development tree. A copy has everything. */
static int lay_development(const Image *image, const LayerOptions *options, Layer **ret, Reason *reason) {
        _cleanup_(freep) char *base = NULL, *development = NULL;
        const char *below[3] = { image->image_root_path };
        LayerOptions complete = *options;
        bool changes;
        size_t n = 0;
        int r = 0;

        if (image->kept[KEPT_DEVELOPMENT].usable) {
                r = kept_tree_content(image->config, KEPT_DEVELOPMENT, &development, &changes);
                if (r < 0)
                        return r;
                below[n++] = development;
        }
        if (image->kept[KEPT_BASE].usable && (n == 0 || changes)) {
                r = kept_tree_content(image->config, KEPT_BASE, &base, &changes);
                if (r < 0)
                        return r;
                below[n++] = base;
        }
        complete.below = below;
        return layer_new(&complete, ret, reason);
}

int image_lay_development(Image *image) {
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(freep) char *directory = NULL, *path = NULL;

        int r = path_join(image->workspace->path, "development", &directory);
        if (r < 0)
                return r;
        r = lay_development(image, &(LayerOptions){ .directory = directory, .progress = image->progress },
                            &image->development, &reason);
        if (r == -EINTR || r == -EXDEV)
                return r;
        if (r < 0)
                return log_error(r, "Cannot make the development tree: %s", reason_text(&reason, r));
        r = text_copy(image->development->path, &path);
        if (r < 0)
                return r;
        free(image->root_path);
        image->root_path = TAKE_PTR(path);
        return 0;
}

int step_development(Image *image) {
        KeptTree *kept = image->kept;

        int r = kept_tree_look(image->loaded, image->distro, KEPT_DEVELOPMENT, &kept[KEPT_BASE],
                               &kept[KEPT_DEVELOPMENT]);
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot look for a development tree that is kept: %m");
        kept_tree_say(&kept[KEPT_DEVELOPMENT], KEPT_DEVELOPMENT);
        image->image_root_path = TAKE_PTR(image->root_path);
        r = image_lay_development(image);
        if (r != -EXDEV)
                return r;
        /* What is kept are changes, and here is no overlay to put them above the base tree. */
        log_info("The %s is built anew: no overlay can be mounted", kept_kind_title(KEPT_DEVELOPMENT));
        kept[KEPT_DEVELOPMENT].usable = false;
        return image_lay_development(image);
}

static int leave_development(Image *image) {
        const int r = layer_remove(image->development);
        if (r < 0)
                return log_error(r, "Cannot remove the development tree %s: %m",
                                 image->development->directory);
        layer_free(TAKE_PTR(image->development));
        free(image->root_path);
        image->root_path = TAKE_PTR(image->image_root_path);
        return 0;
}

int step_sources(Image *image) {
        _cleanup_(reason_done) Reason reason = {};
        const Config *config = image->config;

        if (config->source_file_transfer == SOURCE_FILE_TRANSFER_MOUNT)
                return text_copy(config->build_sources, &image->sources_path);

        int r = path_join(image->workspace->path, "sources", &image->sources_path);
        if (r < 0)
                return r;
        r = sources_copy(config, image->sources_path, image->progress, &reason);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return log_error(r, "Cannot copy the sources in %s: %s", config->build_sources,
                                 reason_text(&reason, r));
        return 0;
}

static int make_build_directory(const Config *config) {
        if (!config->build_directory)
                return 0;
        const int r = caller_make_directories(config->build_directory, 0755, !config->no_chown);
        return r < 0 ? log_error(r, "Cannot make the build directory %s: %m", config->build_directory) : 0;
}

/* What is copied has no secrets in it; of what is shown as it is they are hidden. */
static int list_hidden(const Config *config, char ***ret) {
        _cleanup_(reason_done) Reason reason = {};

        if (config->source_file_transfer != SOURCE_FILE_TRANSFER_MOUNT)
                return 0;
        const int r = sources_list_secrets(config, ret, &reason);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot look for keys among the sources in %s: %s", config->build_sources,
                                 reason_text(&reason, r));
        return r;
}

int step_build(Image *image) {
        _cleanup_(strv_freep) char **hidden = NULL;

        int r = path_join(image->workspace->path, "destination", &image->destination_path);
        if (r < 0)
                return r;
        if (mkdir(image->destination_path, 0755) < 0)
                return log_error(-errno, "Cannot make %s: %m", image->destination_path);
        r = make_build_directory(image->config);
        if (r < 0)
                return r;
        r = list_hidden(image->config, &hidden);
        if (r < 0)
                return r;
        r = script_run(image, SCRIPT_BUILD,
                       &(ScriptPlaces){ .sources = image->sources_path,
                                        .destination = image->destination_path,
                                        .build = image->config->build_directory,
                                        .hidden = hidden });
        return r < 0 ? r : leave_development(image);
}

/* Owners, modes and attributes are what the script made them: it ran as root. */
int step_build_results(Image *image) {
        _cleanup_(reason_done) Reason reason = {};

        const int r = copy_tree(AT_FDCWD, image->destination_path, image->root_path,
                                &(CopyTreeOptions){ .flags = COPY_TREE_OWNERS | COPY_TREE_INTO_LINKS,
                                                    .progress = image->progress },
                                &reason);
        if (r < 0 && r != -EINTR)
                return log_error(r, "Cannot copy what was built into the image: %s", reason_text(&reason, r));
        return r;
}

int step_prepare(Image *image) {
        return script_run(image, SCRIPT_PREPARE, NULL);
}

int step_postinst(Image *image) {
        return script_run(image, SCRIPT_POSTINST, NULL);
}

int step_finalize(Image *image) {
        return script_run(image, SCRIPT_FINALIZE, NULL);
}
