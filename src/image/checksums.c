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

/* Whether the line, of which the length is given, names the file. */
static bool names(const char *line, size_t length, const char *name) {
        const size_t digits = 2 * (size_t)SHA256_SIZE, mark = digits + 1, begin = digits + 2;

        return length == begin + strlen(name) && line[digits] == ' ' &&
               (line[mark] == ' ' || line[mark] == '*') && memcmp(line + begin, name, strlen(name)) == 0;
}

int checksums_replace(const char *text, const char *name, const Sha256Digest *digest, char **ret) {
        _cleanup_(freep) char *copy = NULL;
        char digits[2 * SHA256_SIZE + 1];
        bool found = false;

        assert(text && name && digest && ret);

        const int r = text_copy(text, &copy);
        if (r < 0)
                return r;
        sha256_format(digest, digits);
        for (char *line = copy, *end; *line; line = end + (*end == '\n')) {
                end = strchrnul(line, '\n');
                if (!names(line, (size_t)(end - line), name))
                        continue;
                memcpy(line, digits, sizeof(digits) - 1);
                found = true;
        }
        if (found)
                *ret = TAKE_PTR(copy);
        return found;
}
