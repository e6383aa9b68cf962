/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/wait.h>

#include "config-fixture.h"
#include "run/container.h"
#include "sandbox/sandbox.h"

static int run_command(const LoadedConfig *loaded, const ImageRoot *root) {
        return container_run_command(loaded, root, NULL);
}

static int run_missing(const LoadedConfig *loaded, const ImageRoot *root) {
        return container_run_command(loaded, root, (const char *const[]){ "/none", NULL });
}

static int run_directory(const LoadedConfig *loaded, const ImageRoot *root) {
        return container_run_command(loaded, root, (const char *const[]){ "/etc", NULL });
}

static int boot(const LoadedConfig *loaded, const ImageRoot *root) {
        return container_boot(loaded, root, NULL);
}

/* Trees in which there is nothing to run, and what looks as if there were: a directory with the name of a shell, an init
 * that nobody may execute, links that lead nowhere and out of the tree, where there is one. */
static void test_nothing_to_run(void **state) {
        static const struct {
                int (*run)(const LoadedConfig *loaded, const ImageRoot *root);
                int expected;
        } rows[] = {
                { run_command, SANDBOX_NOT_FOUND },
                { run_missing, SANDBOX_NOT_FOUND },
                { run_directory, SANDBOX_NOT_EXECUTABLE },
                { boot, -ENOENT },
        };

        if (geteuid() != 0)
                skip();
        put_directory("image/bin/bash");
        put_directory("image/etc");
        put_file("image/usr/lib/systemd/systemd", "#!/bin/sh\n", 0644);
        put_directory("image/sbin");
        assert_int_equal(symlink("../../../../../../../../usr/bin/env", "image/sbin/init"), 0);
        assert_int_equal(symlink("nowhere", "image/bin/sh"), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-tdirectory");
                int status;

                /* In a process of its own, whose mount namespace it leaves. */
                const pid_t pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        ImageRoot *root;

                        if (image_root_new(loaded, &root) < 0)
                                _exit(1);
                        const int r = rows[i].run(loaded, root);
                        image_root_free(root);
                        if (r != rows[i].expected)
                                print_error("%d, not %d\n", r, rows[i].expected);
                        _exit(r == rows[i].expected ? 0 : 2);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nothing_to_run, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
