/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Directories of units for tests, in the current directory: "etc" before "run" before "lib". */

#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "unit/unit-files.h"

/* Links in them are followed as if the current directory were "/". */
static inline UnitPaths unit_tree_paths(void) {
        static const char *const directories[] = { "etc", "run", "lib" };
        UnitPaths paths = {};

        assert_int_equal(path_absolute(".", &paths.root), 0);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                assert_true(mkdir(directories[i], 0755) == 0 || errno == EEXIST);
                assert_int_equal(strv_append_format(&paths.directories, "%s/%s", paths.root, directories[i]),
                                 0);
        }
        return paths;
}

static inline void unit_tree_write(const char *path, const char *text) {
        _cleanup_(freep) char *parent = NULL;

        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0644), 0);
}

static inline void unit_tree_link(const char *path, const char *target) {
        _cleanup_(freep) char *parent = NULL;

        assert_int_equal(path_parent(path, &parent), 0);
        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
        assert_int_equal(symlink(target, path), 0);
}

/* The paths as seen from the current directory, with blanks between. */
static inline char *unit_tree_join(const UnitPaths *paths, char *const *list) {
        _cleanup_(strv_freep) char **seen = NULL;
        char *joined;

        for (; list && *list; list++)
                assert_int_equal(strv_append(&seen, path_seen_from(*list, paths->root) ?: *list), 0);
        assert_int_equal(strv_join(STRV(seen), " ", &joined), 0);
        return joined;
}
