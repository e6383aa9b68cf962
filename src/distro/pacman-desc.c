/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "base/parse.h"
#include "base/text.h"
#include "distro/pacman-desc.h"

/* The line behind the first line that is the name, and its length; NULL: it is not there. */
static const char *find_value(const char *text, const char *name, size_t *ret_length) {
        const size_t name_length = strlen(name);

        while (*text) {
                const size_t length = strcspn(text, "\n");
                const char *next = text + length + (text[length] == '\n');

                if (length == name_length && memcmp(text, name, length) == 0) {
                        *ret_length = strcspn(next, "\n");
                        return next;
                }
                text = next;
        }
        return NULL;
}

static int copy_value(const char *text, const char *name, char **ret) {
        size_t length = 0;
        const char *value = find_value(text, name, &length);

        if (!value || length == 0 || length > INT32_MAX)
                return -EBADMSG;
        return text_format(ret, "%.*s", (int)length, value);
}

int pacman_desc_parse(const char *text, DistroPackages *packages) {
        _cleanup_(freep) char *name = NULL, *version = NULL, *architecture = NULL;

        assert(text && packages);

        int r = copy_value(text, "%NAME%", &name);
        if (r >= 0)
                r = copy_value(text, "%VERSION%", &version);
        if (r >= 0)
                r = copy_value(text, "%ARCH%", &architecture);
        if (r < 0)
                return r;
        return distro_packages_take(packages, (DistroPackage){ TAKE_PTR(name), TAKE_PTR(version),
                                                               TAKE_PTR(architecture) });
}

int pacman_desc_clamp_date(const char *text, uint64_t date_max, char **ret) {
        _cleanup_(freep) char *said = NULL;
        size_t length = 0;
        uint64_t date = 0;

        assert(text && ret);

        *ret = NULL;
        const char *value = find_value(text, "%INSTALLDATE%", &length);
        if (!value || length == 0 || length > INT32_MAX)
                return 0;
        const int r = text_format(&said, "%.*s", (int)length, value);
        if (r < 0)
                return r;
        if (parse_uint64(said, &date) < 0 || date <= date_max)
                return 0;
        return text_format(ret, "%.*s%" PRIu64 "%s", (int)(value - text), text, date_max, value + length);
}
