/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config-fixture.h"
#include "run/image-root.h"

#include <sys/wait.h>

static void assert_refused(const char *const arguments[3], const char *expected) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine(arguments[0], arguments[1], arguments[2]);
        _cleanup_(strv_freep) char **problems = NULL;
        const size_t n_before = geteuid() != 0;

        assert_int_equal(image_root_check(loaded, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), n_before + (expected ? 1 : 0));
        if (expected && !text_after_prefix(problems[n_before], expected))
                fail_msg("\"%s\" does not begin with \"%s\"", problems[n_before], expected);
}

static void test_what_is_refused(void **state) {
        put_file("mkosi.passphrase", "x", 0600);
        assert_refused((const char *const[3]){ "-tgpt_ext4" }, NULL);
        assert_refused((const char *const[3]){ "-ttar" }, NULL);
        assert_refused((const char *const[3]){ "-tdirectory", "--persistent" }, NULL);
        assert_refused((const char *const[3]){ "--xz" }, "CompressOutput=xz (");
        assert_refused((const char *const[3]){ "--qcow2" }, "QCow2=yes (command line, --qcow2): ");
        assert_refused((const char *const[3]){ "--encrypt=all" }, "Encrypt=all (command line, --encrypt): ");
        assert_refused((const char *const[3]){ "-tgpt_squashfs", "--persistent" }, "Format=gpt_squashfs (");
        assert_refused((const char *const[3]){ "-ttar", "--persistent" }, "Format=tar (");
        /* What is in the way is named, and not what happens to be there. */
        assert_refused((const char *const[3]){ "-tgpt_ext4", "--read-only", "--persistent" },
                       "ReadOnly=yes (command line, --read-only): ");
        assert_refused((const char *const[3]){ "-tdirectory", "--read-only=no", "--persistent" }, NULL);

        /* The same of systemd-nspawn, but for what it can do and we cannot, or the other way round. */
        assert_refused((const char *const[3]){ "--nspawn", "--xz" }, "CompressOutput=xz (");
        assert_refused((const char *const[3]){ "--nspawn", "--qcow2" }, "QCow2=yes (");
        assert_refused((const char *const[3]){ "--nspawn", "--encrypt=all" }, NULL);
        assert_refused((const char *const[3]){ "--nspawn", "-ttar" }, "Format=tar (");
        assert_refused((const char *const[3]){ "--nspawn", "-tgpt_squashfs", "--persistent" },
                       "Format=gpt_squashfs (");
}

static int exists(const ImageRoot *root, const char *name) {
        _cleanup_(freep) char *path = NULL;

        return path_join(root->path, name, &path) >= 0 && access(path, F_OK) == 0;
}

/* In a process of its own, whose mount namespace it leaves. What is wrong is its status. */
static int look_at_directory(const LoadedConfig *loaded) {
        ImageRoot *root;
        _cleanup_(freep) char *path = NULL;

        if (image_root_new(loaded, &root) < 0)
                return 1;
        if (!exists(root, "kept") || path_join(root->path, "new", &path) < 0 ||
            file_write_text(AT_FDCWD, path, "x", 0644) < 0 || !exists(root, "new"))
                return 2;
        if ((access("image/new", F_OK) == 0) != loaded->config.persistent)
                return 3;
        _cleanup_(freep) char *scratch = NULL;
        if (text_copy(root->scratch->path, &scratch) < 0)
                return 4;
        image_root_free(root);
        return access(scratch, F_OK) == 0 ? 5 : 0;
}

static void test_directory(void **state) {
        static const char *const options[] = { "--persistent=no", "--persistent" };

        if (geteuid() != 0)
                skip();
        put_file("image/kept", "", 0644);
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-tdirectory", options[i]);
                int status;

                const pid_t pid = fork();
                assert_true(pid >= 0);
                if (pid == 0)
                        _exit(look_at_directory(loaded));
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_what_is_refused, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_directory, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
