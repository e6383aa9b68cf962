/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory of its own for every test, made the current one: setup and teardown for cmocka. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tree.h"

static inline int temporary_directory_enter(void **state) {
        char *path = strdup("/tmp/mkosi-test-XXXXXX");

        if (!path || !mkdtemp(path) || chdir(path) < 0)
                return -1;
        *state = path;
        return 0;
}

static inline int temporary_directory_leave(void **state) {
        char *path = *state;

        if (chdir("/") < 0 || tree_remove(AT_FDCWD, path) < 0)
                return -1;
        free(path);
        return 0;
}

#define unit_test_in_directory(function) \
        cmocka_unit_test_setup_teardown(function, temporary_directory_enter, temporary_directory_leave)
