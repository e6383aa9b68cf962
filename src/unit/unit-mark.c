/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"
#include "unit/unit-mark.h"

static FileMark mark_of(const UnitPaths *paths, const char *path) {
        _cleanup_(fd_closep) int fd = unit_path_open(paths, path, O_PATH);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return (FileMark){};
        return (FileMark){ .inode = status.st_ino, .size = status.st_size, .changed = status.st_mtim };
}

static bool marks_are_equal(const FileMark *a, const FileMark *b) {
        return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
               a->changed.tv_nsec == b->changed.tv_nsec;
}

static UnitMark *find(const Unit *unit, const char *path) {
        for (size_t i = 0; i < unit->n_marks; i++)
                if (text_equal(unit->marks[i].path, path))
                        return &unit->marks[i];
        return NULL;
}

static int put(Unit *unit, const char *path, const FileMark *mark) {
        UnitMark *known = find(unit, path);

        if (!known) {
                UnitMark *const marks = reallocarray(unit->marks, unit->n_marks + 1, sizeof(UnitMark));

                if (!marks)
                        return -ENOMEM;
                unit->marks = marks;
                known = &marks[unit->n_marks];
                const int r = text_copy(path, &known->path);
                if (r < 0)
                        return r;
                unit->n_marks++;
        }
        known->mark = *mark;
        return 0;
}

int unit_mark_file(Unit *unit, const UnitPaths *paths, const char *path) {
        const FileMark mark = mark_of(paths, path);

        return put(unit, path, &mark);
}

int unit_mark_copy(Unit *unit, const Unit *from, const char *path) {
        const UnitMark *const known = find(from, path);

        return known ? put(unit, path, &known->mark) : 0;
}

bool unit_mark_differs(const Unit *unit, const UnitPaths *paths, const char *path) {
        const UnitMark *const known = find(unit, path);
        const FileMark before = known ? known->mark : (FileMark){}, now = mark_of(paths, path);

        return !marks_are_equal(&before, &now);
}

void unit_marks_done(Unit *unit) {
        for (size_t i = 0; i < unit->n_marks; i++)
                free(unit->marks[i].path);
        free(unit->marks);
        unit->marks = NULL;
        unit->n_marks = 0;
}
