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

/* How others say it, with the number between two texts. */
static const struct {
        const char *before, *after;
        unsigned n_stages; /* of each package */
} summaries[] = {
        { "Install ", " Package", STAGES_PER_PACKAGE }, /* dnf: "Install  345 Packages" */
        { "", " new package", STAGES_PER_PACKAGE },     /* zypper: "345 new packages to install." */
        { "Packages (", ") ",
          1 }, /* pacman, of each run, of which one fetches and one installs: "Packages (2) a-1-1  b-1-1" */
};

/* Returns how much there is to do: 0 when the line is no summary. */
static uint64_t read_summary(const char *line) {
        uint64_t n_packages = 0;

        if (read_apt_summary(line, &n_packages))
                return STAGES_PER_PACKAGE * n_packages;
        for (size_t i = 0; i < ELEMENTSOF(summaries); i++) {
                const char *number = text_after_prefix(line, summaries[i].before);
                unsigned n = 0;
                int end = 0;

                if (number && sscanf(number, "%9u%n", &n, &end) == 1 &&
                    text_after_prefix(number + end, summaries[i].after))
                        return (uint64_t)summaries[i].n_stages * n;
        }
        return 0;
}

/* Both runs. */
static bool is_stage_of_pacman(const char *line) {
        static const char *const stages[] = { "installing ", "upgrading ", "reinstalling " };

        for (size_t i = 0; i < ELEMENTSOF(stages); i++)
                if (text_after_prefix(line, stages[i]))
                        return true;
        return text_ends_with(line, " downloading...");
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
        const uint64_t amount = read_summary(line);

        if (amount > 0) {
                progress_expect(progress, PROGRESS_ITEMS, amount);
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
        if (tool->expecting && (unpacking || is_stage_of_dnf(line) || is_stage_of_pacman(line) ||
                                text_after_prefix(own ?: line, own ? "Configuring " : "Setting up ")))
                progress_advance(progress, 1);
}
