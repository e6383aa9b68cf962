/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for libFuzzer: feeds the fuzz driver with every file named, and with every file of a directory named, in
 * order of their names. Finding nothing to run is a failure, so that a mistyped path cannot pass for success. */

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

#define INPUT_SIZE_MAX (16 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(int dir_fd, const char *name, size_t *n_run) {
        _cleanup_(freep) char *data = NULL;
        _cleanup_(freep) uint8_t *exact = NULL;
        size_t size = 0;

        int r = file_read(dir_fd, name, INPUT_SIZE_MAX, &data, &size);
        if (r < 0)
                return r;

        /* A block of just this size lets the address sanitizer see a read of one byte too many. */
        exact = malloc(MAX(size, (size_t)1));
        if (!exact)
                return -ENOMEM;
        memcpy(exact, data, size);

        /* Said beforehand, so that the culprit of a crash is the last name printed. */
        (void)fprintf(stderr, "Running %s (%zu bytes)\n", name, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
        *n_run += 1;
        return 0;
}

static int is_input(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static int run_directory(const char *path, size_t *n_run) {
        _cleanup_(fd_closep) int dir_fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        struct dirent **entries = NULL;

        if (dir_fd < 0)
                return -errno;

        const int n = scandirat(dir_fd, ".", &entries, is_input, alphasort);
        int r = n < 0 ? -errno : 0;

        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = run_file(dir_fd, entries[i]->d_name, n_run);
                free(entries[i]);
        }
        free(entries);

        return r;
}

int main(int argc, char **argv) {
        size_t n_run = 0;

        for (int i = 1; i < argc; i++) {
                int r = run_directory(argv[i], &n_run);
                if (r == -ENOTDIR)
                        r = run_file(AT_FDCWD, argv[i], &n_run);
                if (r < 0) {
                        (void)fprintf(stderr, "Cannot run %s: %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }

        if (n_run == 0) {
                (void)fprintf(stderr, "No input file was found\n");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
