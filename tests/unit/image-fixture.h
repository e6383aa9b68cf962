/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An Image with a workspace, as steps find it, without a distribution's having been installed. */

#include "config-fixture.h"
#include "image/image.h"

_unused_ static Image *make_image(const LoadedConfig *loaded) {
        Image *image = calloc(1, sizeof(*image));
        pid_t holder;

        assert_non_null(image);
        *image = (Image){
                .cache = { .lock_fd = -EBADF },
                .loaded = loaded,
                .config = &loaded->config,
                .distro = distro_find(DISTRIBUTION_DEBIAN),
                .format = image_format_find(output_format_words[loaded->config.format]),
                .umask = 0027,
        };
        put_directory("output");
        assert_int_equal(workspace_new(loaded->config.output, &image->workspace, &holder), 0);
        assert_int_equal(path_join(image->workspace->path, "root", &image->root_path), 0);
        put_directory(image->root_path);
        return image;
}
