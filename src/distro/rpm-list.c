/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"
#include "base/text.h"
#include "distro/rpm-list.h"

#define MARK       "package\t"
#define PUBLIC_KEY "gpg-pubkey"

const char *const rpm_list_format =
        MARK "%{NAME}\\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\n";

int rpm_list_take(const char *line, DistroPackages *packages) {
        _cleanup_(strv_freep) char **fields = NULL;
        const char *text = text_after_prefix(line, MARK);

        if (!text)
                return 0;
        int r = strv_split(text, "\t", &fields);
        if (r < 0)
                return r;
        if (strv_length(STRV(fields)) != 3)
                return -EBADMSG;
        if (text_equal(fields[0], PUBLIC_KEY))
                return 0;

        r = distro_packages_take(packages, (DistroPackage){ .name = fields[0],
                                                            .version = fields[1],
                                                            .architecture = fields[2] });
        fields[0] = NULL; /* the list's, or gone: the array alone is ours */
        return r < 0 ? r : 1;
}
