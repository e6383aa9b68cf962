/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes down what of the finished image is to be signed elsewhere. */

#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "image/image-file.h"
#include "image/plan.h"
#include "image/sign-disk.h"
#include "secureboot/authenticode.h"

static int survey(const Image *image, SignRequest *request) {
        _cleanup_(fd_closep) int fd = open(image->raw_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(sign_disk_done) SignDisk disk = { .fd = fd, .size = request->size, .time = request->time };
        _cleanup_(reason_done) Reason reason = {};

        if (fd < 0)
                return log_error(-errno, "Cannot open %s: %m", image->raw_path);
        for (SignerRole role = 0; role < SIGNER_ROLE_MAX; role++)
                disk.certificates[role] = image->signers[role] ? image->signers[role]->certificate : NULL;
        int r = sign_disk_open(&disk, &reason);
        if (r >= 0)
                r = sign_disk_survey(&disk, request, &reason);
        return r < 0 && r != -EINTR ? log_error(r, "Cannot find out what is to be signed in the image: %s",
                                                reason_text(&reason, r))
                                    : r;
}

static int fill_request(const Image *image, SignRequest *request) {
        const Artefact *made = artefacts_find(&image->artefacts, ARTEFACT_IMAGE);
        SignItem *item;
        int r;

        assert(made && made->hashed);

        request->size = made->size;
        request->digest = made->digest;
        request->time = image->time_given ? image->time : AUTHENTICODE_NO_TIME;
        r = text_copy(path_base_name(made->output), &request->image);
        if (r < 0)
                return r;
        if (signer_wanted(image->config, SIGNER_SECURE_BOOT) || signer_wanted(image->config, SIGNER_VERITY)) {
                r = survey(image, request);
                if (r < 0)
                        return r;
        }
        return image->config->sign ? sign_request_add(request, SIGN_CHECKSUMS, CHECKSUMS_NAME, &item) : 0;
}

int step_sign_request(Image *image) {
        _cleanup_(sign_request_done) SignRequest request = {};
        _cleanup_(freep) char *text = NULL;

        int r = fill_request(image, &request);
        if (r < 0)
                return r;
        r = sign_request_format(&request, &text);
        if (r < 0)
                return log_error(r, "Cannot write down what is to be signed: %m");
        return image_file_write(image, ARTEFACT_SIGN_REQUEST, text, strlen(text));
}
