/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "base/text.h"
#include "distro/tool-progress.h"

#define STAGES_PER_PACKAGE 2 /* unpacked, set up */

/* "12 upgraded, 345 newly installed, 0 to remove and 0 not upgraded." */
static bool read_apt_summary(const char *line, uint64_t *ret) {
        unsigned upgraded, installed;
        int end = 0;

        if (sscanf(line, "%9u upgraded, %9u newly installed, %n", &upgraded, &installed, &end) != 2 ||
            end == 0)
                return false;
        *ret = (uint64_t)upgraded + installed;
        return true;
}

/* "Install  345 Packages", which dnf says of one as well. */
static bool read_dnf_summary(const char *line, uint64_t *ret) {
        unsigned installed;
        int end = 0;

        if (sscanf(line, "Install %9u Package%n", &installed, &end) != 1 || end == 0)
                return false;
        *ret = installed;
        return true;
}

/* "345 new packages to install." */
static bool read_zypper_summary(const char *line, uint64_t *ret) {
        unsigned installed;
        int end = 0;

        if (sscanf(line, "%9u new package%n", &installed, &end) != 1 || end == 0)
                return false;
        *ret = installed;
        return true;
}

/* "( 12/345) Installing: bash-5.2-1.x86_64 […done]", which is all that is said of a package. */
static bool is_installed_by_zypper(const char *line) {
        unsigned position, n_packages;
        int end = 0;

        return sscanf(line, "(%9u/%9u) Installing: %n", &position, &n_packages, &end) == 2 && end > 0;
}

/* Each is installed, and looked at again when all are. */
static bool is_stage_of_dnf(const char *line) {
        return text_after_prefix(line, "  Installing       : ") ||
               text_after_prefix(line, "  Verifying        : ");
}

void tool_progress_follow(ToolProgress *tool, const char *line, Progress *progress) {
        uint64_t n_packages;

        if (read_apt_summary(line, &n_packages) || read_dnf_summary(line, &n_packages) ||
            read_zypper_summary(line, &n_packages)) {
                progress_expect(progress, PROGRESS_ITEMS, STAGES_PER_PACKAGE * n_packages);
                tool->expecting = true;
                return;
        }
        if (text_after_prefix(line, "I: Validating ")) {
                tool->n_fetched++;
                return;
        }

        if (tool->expecting && is_installed_by_zypper(line)) {
                progress_advance(progress, STAGES_PER_PACKAGE);
                return;
        }

        const char *own = text_after_prefix(line, "I: ");
        const bool unpacking = text_after_prefix(own ?: line, "Unpacking ");
        if (unpacking && own && !tool->expecting && tool->n_fetched > 0) {
                progress_expect(progress, PROGRESS_ITEMS, (uint64_t)STAGES_PER_PACKAGE * tool->n_fetched);
                tool->expecting = true;
        }
        if (tool->expecting && (unpacking || is_stage_of_dnf(line) ||
                                text_after_prefix(own ?: line, own ? "Configuring " : "Setting up ")))
                progress_advance(progress, 1);
}
