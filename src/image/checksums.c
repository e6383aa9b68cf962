/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/checksums.h"

int checksums_format(const Artefacts *artefacts, char **ret) {
        _cleanup_(strv_freep) char **lines = NULL;

        for (size_t i = 0; i < artefacts->n_items; i++) {
                const Artefact *artefact = &artefacts->items[i];
                const char *name = path_base_name(artefact->output);
                char digest[2 * SHA256_SIZE + 1];

                if (!artefact->hashed)
                        continue;
                if (strpbrk(name, "\n\r"))
                        return -EILSEQ;
                sha256_format(&artefact->digest, digest);
                const int r = strv_append_format(&lines, "%s *%s\n", digest, name);
                if (r < 0)
                        return r;
        }
        return strv_join(STRV(lines), "", ret);
}
