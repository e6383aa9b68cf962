/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signs what lies on the EFI system partition, when all of it is there. */

#include "image/plan.h"
#include "image/secure-boot.h"

int step_sign_boot(Image *image) {
        Signer *signer = image->signers[SIGNER_SECURE_BOOT];
        const Config *config = image->config;
        /* A time that differs from one build to the next would make signatures differ as well. */
        const int64_t time = image->time_given ? image->time : AUTHENTICODE_NO_TIME;

        int r = secure_boot_sign(signer, config, image->boot_path, time);
        if (r < 0)
                return r;
        if (config->secure_boot_auto_enroll != SECURE_BOOT_ENROLL_OFF) {
                r = secure_boot_enroll(signer, config, image->boot_path, image_time(image));
                if (r < 0)
                        return r;
        }

        signer_forget_key(signer);
        return 0;
}
