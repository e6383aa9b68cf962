/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"
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

typedef struct ListReader {
        DistroPackages *packages;
        ToolLog *log; /* gets what is no package */
        int error;
} ListReader;

static void read_line(const char *line, void *userdata) {
        ListReader *reader = userdata;

        int r = rpm_list_take(line, reader->packages);
        if (r == 0)
                r = tool_log_add(reader->log, line);
        if (r < 0)
                reader->error = r;
}

int rpm_list_run(const Installation *installation, const char *database, const SandboxMount *mounts,
                 size_t n_mounts, DistroPackages *packages, const char *doing) {
        _cleanup_(tool_log_done) ToolLog log = {};
        _cleanup_(freep) char *option = NULL;
        ListReader reader = { .packages = packages, .log = &log };

        int r = text_format(&option, "--dbpath=%s", database);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = distro_execute(installation,
                           &(DistroCommand){
                                   .argv = (const char *const[]){ "rpm", option, "--query", "--all",
                                                                  "--queryformat", rpm_list_format, NULL },
                                   .doing = doing,
                                   .on_host = true,
                                   .mounts = mounts,
                                   .n_mounts = n_mounts,
                                   .on_line = read_line,
                                   .userdata = &reader,
                           },
                           &log);
        if (r < 0)
                return r;
        if (reader.error < 0)
                return log_error(reader.error, "Failed to %s: %m", doing);
        return r > 0 ? tool_log_fail(&log, doing, r) : 0;
}
