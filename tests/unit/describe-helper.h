/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the describers print about the table of setting-table.h, as text or for a foreign program to judge. */

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "setting-table.h"
#include "setting/describe.h"

static const SettingProgram example_program = {
        .name = "program",
        .version = "1.2",
        .purpose = "make examples",
        .date = "2025-01-31",
        .about = "First paragraph.\n\n.Second 'paragraph' \\ with-signs.",
        .files_about = "program.default\tThe settings.\n.hidden\t'Quoted' at the start.\nbare\n",
        .see_also = "bash(1), zsh(1)",
        .verbs = example_verbs,
        .n_verbs = ELEMENTSOF(example_verbs),
        .table = &example_table,
};

static inline char *describe_to_text(void (*describe)(const SettingProgram *program, FILE *file)) {
        size_t size;
        char *text;
        FILE *stream = open_memstream(&text, &size);

        assert_non_null(stream);
        describe(&example_program, stream);
        assert_int_equal(fclose(stream), 0);
        return text;
}

/* Writes the text to a file, and returns the exit status of a program that gets the file as its last argument; -1 when
 * the program is not installed. */
static inline int judge(const char *text, const char *const *command) {
        _cleanup_(strv_freep) char **argv = NULL;
        int status;
        pid_t pid;

        assert_int_equal(file_write_text(AT_FDCWD, "judged", text, 0644), 0);
        assert_int_equal(strv_copy(command, &argv), 0);
        assert_int_equal(strv_append(&argv, "judged"), 0);

        const int r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
        if (r == ENOENT)
                return -1;
        assert_int_equal(r, 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

#define JUDGE(text, ...) judge(text, (const char *const[]){ __VA_ARGS__, NULL })
