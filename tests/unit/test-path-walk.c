/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/path-walk.h"
#include "base/text.h"
#include "temporary-directory.h"

#define USER 65534

/* What lies in the current directory, which is root's, or of whoever runs this. Only root can give things to others. */
typedef struct Thing {
        const char *path, *link; /* link NULL: a file; "/": a directory */
        uid_t owner;
} Thing;

/* clang-format off */
static const Thing things[] = {
        { "roots", "/", 0 }, { "roots/file", NULL, 0 }, { "roots/users", NULL, USER }, { "roots/down", "../users/file", 0 },
        { "roots/inside", "file", 0 }, { "roots/dangling", "nothing/at/all", 0 },
        { "users", "/", USER }, { "users/file", NULL, USER }, { "users/roots", NULL, 0 }, { "users/link", "file", USER },
        { "users/up", "../roots/file", USER }, { "users/away", "/etc/hostname", USER }, { "users/in", "roots", USER },
        { "users/given", "file", 0 }, { "users/deep", "/", 0 }, { "users/deep/file", NULL, 0 },
        { "users/loop", "loop", USER }, { "users/home", "../users/file", USER },
};

typedef struct Case {
        const char *path, *found; /* found: what it is the same as; NULL: nothing */
        int error;
        const char *directory; /* where the walk ended */
        bool is_trusted;
} Case;

static const Case cases[] = {
        { "roots/file", "roots/file", 0, "roots", true },
        { "roots//./file", "roots/file", 0, "roots", true },
        { "roots/../roots/file", "roots/file", 0, "roots", true },
        { "roots/users", "roots/users", 0, "roots", true },
        { "roots/inside", "roots/file", 0, "roots", true },
        /* Root's links lead anywhere. */
        { "roots/down", "users/file", 0, "users", true },
        { "users/file", "users/file", 0, "users", true },
        { "users/link", "users/file", 0, "users", true },
        /* A user's do not, and nobody says that a link in his directory is root's by having been put there by root. */
        { "users/up", NULL, -ENOLINK, NULL, false },
        { "users/away", NULL, -ENOLINK, NULL, false },
        { "users/in", NULL, -ENOLINK, NULL, false },
        { "users/given", NULL, -ENOLINK, NULL, false },
        { "users/home", NULL, -ENOLINK, NULL, false },
        /* What is root's in there may have been put there by the user. */
        { "users/roots", "users/roots", 0, "users", false },
        { "users/deep/file", "users/deep/file", 0, "users/deep", false },
        /* Where it would have to come into being. */
        { "roots/later", NULL, -ENOENT, "roots", true },
        { "roots/later/file", NULL, -ENOENT, "roots", true },
        { "roots/dangling", NULL, -ENOENT, "roots", true },
        { "users/later/file", NULL, -ENOENT, "users", true },
        { "roots/file/below", NULL, -ENOTDIR, NULL, true },
        { "users/loop", NULL, -ELOOP, "users", true },
};
/* clang-format on */

static void make_things(void) {
        for (size_t i = 0; i < ELEMENTSOF(things); i++) {
                const Thing *const thing = &things[i];

                if (!thing->link)
                        assert_int_equal(file_write_text(AT_FDCWD, thing->path, "", 0644), 0);
                else if (text_equal(thing->link, "/"))
                        assert_int_equal(mkdir(thing->path, 0755), 0);
                else
                        assert_int_equal(symlink(thing->link, thing->path), 0);
                assert_int_equal(lchown(thing->path, thing->owner, (gid_t)-1), 0);
        }
}

static void assert_same(int fd, const char *path) {
        struct stat a, b;

        assert_int_equal(fstat(fd, &a), 0);
        assert_int_equal(stat(path, &b), 0);
        assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

static void check(const Case *expected) {
        _cleanup_(freep) char *here = getcwd(NULL, 0), *path = NULL;
        _cleanup_(path_walk_done) PathWalk walk = { .fd = -EBADF, .directory_fd = -EBADF };

        assert_non_null(here);
        assert_int_equal(text_format(&path, "%s/%s", here, expected->path), 0);
        assert_int_equal(path_walk(path, &walk), 0);
        if (expected->found) {
                assert_true(walk.fd >= 0);
                assert_same(walk.fd, expected->found);
        } else
                assert_int_equal(walk.fd, expected->error);
        if (expected->directory)
                assert_same(walk.directory_fd, expected->directory);
        if (expected->error != -ENOLINK)
                assert_int_equal(walk.is_trusted, expected->is_trusted);
}

static void test_owners(void **state) {
        if (geteuid() != 0)
                skip();
        assert_int_equal(chmod(".", 0755), 0);
        make_things();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(&cases[i]);
}

/* Whoever is not root has all of this for himself, and nothing that leads out of it. */
static void test_alone(void **state) {
        _cleanup_(path_walk_done) PathWalk walk = { .fd = -EBADF, .directory_fd = -EBADF };
        _cleanup_(freep) char *here = getcwd(NULL, 0), *path = NULL;

        assert_int_equal(symlink("/", "out"), 0);
        assert_int_equal(lchown("out", geteuid() ?: USER, (gid_t)-1), 0);
        assert_int_equal(text_format(&path, "%s/out/etc", here), 0);
        assert_int_equal(path_walk(path, &walk), 0);
        assert_int_equal(walk.fd, -ENOLINK);
}

static void test_root(void **state) {
        _cleanup_(path_walk_done) PathWalk walk = { .fd = -EBADF, .directory_fd = -EBADF };

        assert_int_equal(path_walk("/", &walk), 0);
        assert_same(walk.fd, "/");
        assert_int_equal(walk.directory_fd, -EBADF);
        assert_true(walk.is_trusted);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_owners),
                unit_test_in_directory(test_alone),
                cmocka_unit_test(test_root),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
