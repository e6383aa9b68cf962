/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/text.h"
#include "image/report.h"

#define STEP_SECONDS_MIN 0.05 /* of steps that are named */

/* "1.2G, of which 430.0M are on disk" where that says more than the size alone. */
static void describe_size(const Artefact *artefact, char *text, size_t size) {
        char apparent[24], consumed[24];
        struct stat status;

        text[0] = '\0';
        if (!artefact->is_file)
                return;
        size_format_rounded(artefact->size, apparent);
        if (stat(artefact->output, &status) < 0 || (uint64_t)status.st_blocks * 512 >= artefact->size) {
                (void)snprintf(text, size, "%s", apparent);
                return;
        }
        size_format_rounded((uint64_t)status.st_blocks * 512, consumed);
        (void)snprintf(text, size, "%s, of which %s are on disk", apparent, consumed);
}

static void print_artefacts(const Artefacts *artefacts, Progress *progress) {
        size_t width = 0;

        for (size_t i = 0; i < artefacts->n_items; i++)
                width = MAX(width, strlen(artefacts->items[i].output));
        for (size_t i = 0; i < artefacts->n_items; i++) {
                _cleanup_(freep) char *path = NULL;
                char size[80];

                if (text_copy(artefacts->items[i].output, &path) < 0)
                        return;
                text_tame(path);
                describe_size(&artefacts->items[i], size, sizeof(size));
                progress_print(progress, "  %-*s%s%s", size[0] ? (int)width : 0, path, size[0] ? "  " : "",
                               size);
        }
}

static void print_steps(Progress *progress) {
        double total = 0;
        size_t n;
        const ProgressStep *steps = progress_steps(progress, &n);

        for (size_t i = 0; i < n; i++) {
                total += steps[i].seconds;
                if (steps[i].seconds >= STEP_SECONDS_MIN)
                        progress_print(progress, "  %-12s %7.1fs", steps[i].name, steps[i].seconds);
        }
        progress_print(progress, "  %-12s %7.1fs", "all steps", total);
}

static void send_result(const Artefacts *artefacts, Progress *progress) {
        JsonWriter *json = progress_event(progress, "result");

        if (!json)
                return;
        json_begin_array(json, "artefacts");
        for (size_t i = 0; i < artefacts->n_items; i++) {
                json_begin_object(json, NULL);
                json_text(json, "path", artefacts->items[i].output);
                artefact_print_json(&artefacts->items[i], json);
                json_end_object(json);
        }
        json_end_array(json);
        progress_event_end(progress);
}

void report_print(const Artefacts *artefacts, Progress *progress) {
        progress_print(progress, "Time taken:");
        print_steps(progress);
        progress_print(progress, "Result:");
        print_artefacts(artefacts, progress);
        send_result(artefacts, progress);
}
