/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deep-walk.h"
#include "base/fd.h"
#include "base/text.h"
#include "temporary-directory.h"

#define DEPTH 300

/* What a walk has seen: names are one letter each, a directory's in upper case. */
typedef struct Seen {
        char names[64];
        size_t n;
        unsigned n_files, n_directories;
        const char *ends_at, *skips, *again;
} Seen;

static bool is_named(const DeepNode *node, const char *name) {
        return name && text_equal(node->name, name);
}

static int enter(const DeepNode *node, void *userdata) {
        const Seen *const seen = userdata;

        assert_true(node->fd >= 0);
        return is_named(node, seen->skips) ? DEEP_SKIP : DEEP_GO_ON;
}

static int visit(const DeepNode *node, void *userdata) {
        Seen *const seen = userdata;
        struct stat status, same;

        assert_int_equal(fstatat(node->parent_fd, node->name, &status, AT_SYMLINK_NOFOLLOW), 0);
        if (node->fd >= 0) {
                assert_int_equal(fstat(node->fd, &same), 0);
                assert_int_equal(status.st_ino, same.st_ino);
        } else
                assert_false(S_ISDIR(status.st_mode));
        *(node->fd >= 0 ? &seen->n_directories : &seen->n_files) += 1;
        if (seen->n < sizeof(seen->names) - 1)
                seen->names[seen->n++] = node->name[0];
        if (is_named(node, seen->again)) {
                seen->again = NULL;
                return DEEP_AGAIN;
        }
        return is_named(node, seen->ends_at) ? DEEP_END : DEEP_GO_ON;
}

static int walk_here(Seen *seen) {
        _cleanup_(fd_closep) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const DeepWalk walk = { .enter = enter, .visit = visit, .userdata = seen };

        const int r = deep_walk(fd, &walk);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        return r;
}

static void make_file(const char *name) {
        assert_int_equal(file_write_text(AT_FDCWD, name, "x", 0600), 0);
}

static void test_order(void **state) {
        Seen all = {}, end = { .ends_at = "f" }, skip = { .skips = "B" }, again = { .again = "B" };

        assert_int_equal(walk_here(&(Seen){}), 0);
        assert_int_equal(mkdir("A", 0700), 0);
        assert_int_equal(mkdir("A/B", 0700), 0);
        make_file("A/B/f");
        assert_int_equal(walk_here(&all), 0);
        assert_string_equal(all.names, "fBA");
        assert_int_equal(walk_here(&end), DEEP_END);
        assert_string_equal(end.names, "f");
        assert_int_equal(walk_here(&skip), 0);
        assert_string_equal(skip.names, "A");
        assert_int_equal(walk_here(&again), 0);
        assert_string_equal(again.names, "fBfBA");
}

/* A link is an entry like any other. */
static void test_links(void **state) {
        Seen seen = {};

        assert_int_equal(mkdir("outside", 0700), 0);
        make_file("outside/z");
        assert_int_equal(mkdir("tree", 0700), 0);
        assert_int_equal(chdir("tree"), 0);
        assert_int_equal(symlink("../outside", "l"), 0);
        assert_int_equal(walk_here(&seen), 0);
        assert_string_equal(seen.names, "l");
        assert_int_equal(seen.n_directories, 0);
        assert_int_equal(chdir(".."), 0);
}

/* Directories with entries on both sides of the way down, so that reading goes on where it was when they are open again. */
static void make_deep(void) {
        _cleanup_(fd_closep) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (unsigned i = 0; i < DEPTH; i++) {
                static const char *const names[] = { "a", "b", "c", "d" };

                for (size_t k = 0; k < ELEMENTSOF(names); k++)
                        assert_int_equal(mkdirat(fd, names[k], 0700), 0);
                const int next = openat(fd, names[i % ELEMENTSOF(names)], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_true(next >= 0);
                (void)fd_close(fd);
                fd = next;
        }
}

/* With fewer descriptors than levels; every entry comes once. */
static void test_deep(void **state) {
        const struct rlimit few = { .rlim_cur = 128, .rlim_max = 128 };
        struct rlimit before;
        Seen seen = {};

        make_deep();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ few.rlim_cur, before.rlim_max }), 0);
        assert_int_equal(walk_here(&seen), 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(seen.n_directories, 4 * DEPTH);
}

/* Two ways down from one place, so that what was closed is opened, and closed once more. */
static void test_two_ways(void **state) {
        _cleanup_(fd_closep) int fd = -EBADF;
        Seen seen = {};

        for (unsigned i = 0; i < 40; i++) {
                assert_int_equal(mkdir("s", 0700), 0);
                assert_int_equal(chdir("s"), 0);
        }
        for (char name[] = "x"; name[0] <= 'z'; name[0]++) {
                fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_int_equal(mkdir(name, 0700), 0);
                assert_int_equal(chdir(name), 0);
                for (unsigned i = 0; i < 100; i++) {
                        assert_int_equal(mkdir("t", 0700), 0);
                        assert_int_equal(chdir("t"), 0);
                }
                assert_int_equal(fchdir(fd), 0);
                fd = fd_close(fd);
        }
        for (unsigned i = 0; i < 40; i++)
                assert_int_equal(chdir(".."), 0);
        assert_int_equal(walk_here(&seen), 0);
        assert_int_equal(seen.n_directories, 40 + 3 * 101);
}

static int move_away(const DeepNode *node, void *userdata) {
        return renameat(node->parent_fd, node->name, AT_FDCWD, "moved") < 0 ? -errno : 0;
}

static int visit_deepest(const DeepNode *node, void *userdata) {
        unsigned *const n = userdata;

        return ++*n == 20 ? move_away(node, NULL) : 0;
}

/* Somebody moves a directory that the walk is in: the way back would lead elsewhere. */
static void test_moved(void **state) {
        _cleanup_(fd_closep) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        unsigned n = 0;

        for (unsigned i = 0; i < 60; i++) {
                assert_int_equal(mkdir("s", 0700), 0);
                assert_int_equal(chdir("s"), 0);
        }
        assert_int_equal(fchdir(fd), 0);
        assert_int_equal(deep_walk(fd, &(DeepWalk){ .visit = visit_deepest, .userdata = &n }), 0);
        assert_int_equal(n, 60); /* what was visited does not matter any more */
}

static int visit_gone(const DeepNode *node, void *userdata) {
        /* A level that is closed for now goes elsewhere, with all below it. */
        if (node->name[0] == 'e')
                return rename("s/s/s/s/s/s/s/s/s/s", "moved") < 0 || rename("moved/s", "other") < 0 ? -errno
                                                                                                    : 0;
        return 0;
}

static void test_lost(void **state) {
        _cleanup_(fd_closep) int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (unsigned i = 0; i < 60; i++) {
                assert_int_equal(mkdir("s", 0700), 0);
                assert_int_equal(chdir("s"), 0);
        }
        assert_int_equal(mkdir("e", 0700), 0);
        assert_int_equal(fchdir(fd), 0);
        assert_int_equal(deep_walk(fd, &(DeepWalk){ .visit = visit_gone }), -ESTALE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_order), unit_test_in_directory(test_links),
                unit_test_in_directory(test_deep),  unit_test_in_directory(test_two_ways),
                unit_test_in_directory(test_moved), unit_test_in_directory(test_lost),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
