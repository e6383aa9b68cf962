/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/arch.h"
#include "distro/pacman-install.h"
#include "temporary-directory.h"

static const char *const doing[] = { "fetch", "install" };

/* What is prepared for pacman, up to keys that cannot be read; the end-to-end tests run it. */
static void test_prepare(void **state) {
        static const struct {
                const char *path;
                mode_t mode;
        } directories[] = {
                { "work/pacman", 0755 },
                { "work/pacman/cache", 0755 },
                { "work/pacman/gnupg", 0700 },
                { "work/pacman/home", 0755 },
        };
        _cleanup_(strv_freep) char **keys = NULL, **repositories = NULL;
        _cleanup_(freep) char *root = NULL, *workspace = NULL, *text = NULL;
        char mirror[] = "file:///nonexistent", target[16];

        assert_int_equal(text_format(&root, "%s/tree", (char *)*state), 0);
        assert_int_equal(text_format(&workspace, "%s/work", (char *)*state), 0);
        assert_int_equal(mkdir(root, 0755), 0);
        assert_int_equal(mkdir(workspace, 0700), 0);
        assert_int_equal(strv_append(&keys, "missing.asc"), 0);
        assert_int_equal(strv_append(&repositories, "tea"), 0);
        const Config config = { .repository_keys = keys, .repositories = repositories, .mirror = mirror };
        const Installation installation = {
                .config = &config, .distro = &distro_arch, .root = root, .workspace = workspace
        };

        assert_true(pacman_install(&installation, distro_arch.base_packages, doing) < 0);

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                struct stat status;

                assert_int_equal(lstat(directories[i].path, &status), 0);
                assert_int_equal(status.st_mode, S_IFDIR | directories[i].mode);
        }
        assert_int_equal(file_read(AT_FDCWD, "work/pacman/pacman.conf", 4096, &text, NULL), 0);
        assert_non_null(strstr(text, "\n[tea]\nServer = file:///nonexistent/$repo/os/$arch\n"));
        assert_null(strstr(text, "[core]"));
        assert_int_equal(readlink("work/pacman/hooks/90-mkinitcpio-install.hook", target, sizeof(target)),
                         strlen("/dev/null"));
        assert_memory_equal(target, "/dev/null", strlen("/dev/null"));
}

static void test_no_tree(void **state) {
        const Config config = {};
        const Installation installation = {
                .config = &config, .distro = &distro_arch, .root = "/nonexistent", .workspace = *state
        };

        assert_int_equal(pacman_install(&installation, distro_arch.base_packages, doing), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_prepare),
                unit_test_in_directory(test_no_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
