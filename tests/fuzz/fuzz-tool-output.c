/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a package tool says, line by line: a failure is explained in one sentence, progress is followed, and what is a package
 * to rpm's list has a name, a version and an architecture. */

#include <string.h>

#include "distro/rpm-list.h"
#include "distro/tool-log.h"
#include "distro/tool-progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void list(const char *line, DistroPackages *packages) {
        const size_t before = packages->n_items;

        const int r = rpm_list_take(line, packages);
        if ((r == 1) != (packages->n_items == before + 1))
                abort();
        if (r != 1)
                return;
        const DistroPackage *package = &packages->items[before];
        if (!package->name[0] || !package->version[0] || !package->architecture[0])
                abort();
}

static void explain(const ToolLog *log) {
        char *text = NULL;
        int error = 0;

        if (tool_log_explain(log, "install packages", 1, &text, &error) < 0)
                return;
        if (error >= 0 || strncmp(text, "Failed to install packages: ", 28) != 0)
                abort();
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        ToolLog log = {};
        ToolProgress progress = {};
        DistroPackages packages = {};
        char *text = malloc(size + 1), *rest = text, *line;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';

        while ((line = strsep(&rest, "\n"))) {
                (void)tool_log_add(&log, line);
                (void)tool_log_detail(line);
                tool_progress_follow(&progress, line, NULL);
                list(line, &packages);
        }
        explain(&log);
        (void)tool_log_is_grave(&log);
        (void)tool_log_only_missing_suites(&log);

        distro_packages_done(&packages);
        tool_log_done(&log);
        free(text);
        return 0;
}
