/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What lies beside the image. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "format/bmap.h"
#include "image/checksums.h"
#include "image/gnupg.h"
#include "image/image-file.h"
#include "image/manifest.h"
#include "image/plan.h"

#define NSPAWN_SIZE_MAX MIB

/* Where systemd looks for it: systemd-nspawn(1), "--root-hash=", and systemd.exec(5), "RootHash=". */
int step_root_hash(Image *image) {
        char text[2 * SHA256_SIZE + 2];

        sha256_format(&image->root_hash, text);
        text[2 * SHA256_SIZE] = '\n';
        return image_file_write(image, ARTEFACT_ROOT_HASH, text, sizeof(text) - 1);
}

int step_nspawn(Image *image) {
        const char *path = image->config->nspawn_settings;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, path, NSPAWN_SIZE_MAX, &text, &size);
        if (r < 0)
                return log_error(r, "Cannot read %s: %s", path, file_read_error(r));
        return image_file_write(image, ARTEFACT_NSPAWN, text, size);
}

int step_bmap(Image *image) {
        _cleanup_(fd_closep) int fd = open(image->raw_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(freep) char *text = NULL;

        if (fd < 0)
                return log_error(-errno, "Cannot open %s: %m", image->raw_path);
        const int r = bmap_make(fd, image->progress, &text);
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot map the blocks of the image: %m");
        return image_file_write(image, ARTEFACT_BMAP, text, strlen(text));
}

int step_manifest(Image *image) {
        _cleanup_(freep) char *text = NULL;

        const int r = manifest_format(image, &text);
        if (r < 0)
                return r;
        return image_file_write(image, ARTEFACT_MANIFEST, text, strlen(text));
}

int step_checksums(Image *image) {
        _cleanup_(freep) char *text = NULL;

        const int r = checksums_format(&image->artefacts, &text);
        if (r < 0)
                return log_error(r, "Cannot write check sums: %m");
        return image_file_write(image, ARTEFACT_CHECKSUMS, text, strlen(text));
}

int step_sign(Image *image) {
        const Artefact *checksums = artefacts_find(&image->artefacts, ARTEFACT_CHECKSUMS);
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int from = open(checksums->path, O_RDONLY | O_CLOEXEC), to = -EBADF;

        if (from < 0)
                return log_error(-errno, "Cannot open %s: %m", checksums->path);
        to = image_file_create(image, artefact_name(ARTEFACT_SIGNATURE), &path);
        if (to < 0)
                return to;
        const int r = gnupg_sign(image->config, from, to);
        if (r < 0)
                return r;
        return image_file_finish(image, ARTEFACT_SIGNATURE, to, TAKE_PTR(path), NULL);
}
